"""Reads rules from TOML; every fault is noted by file, rule and field, so that all are reported at once."""

import tomllib
from datetime import date
from enum import StrEnum
from typing import TypeVar

from features.errors import InvalidValueError, shorten
from features.money import Money, from_major
from features.vocabulary import DeclineCategory, Initiator, Network, Rail, Retryability
from model.caps.rule import CapRule, Confidence, Counts, Fee, KeyPart, Kind, Published, Trigger, Window, WindowKind

Word = TypeVar("Word", bound=StrEnum)
# What the clause of a rule may be filled in with.
_PLACES = {"code": "", "advice": "", "wait": "", "at": ""}
_CONFIDENCE: dict[str, Confidence] = {"high": "high", "medium": "medium", "low": "low"}


def read_rules(file: str, text: str) -> tuple[tuple[CapRule, ...], tuple[str, ...]]:
    """The well-formed rules of a file, and its faults as sentences that name file, rule and field."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (), (f"{file}: not valid TOML: {error}",)
    tables = raw.get("rule")
    if set(raw) != {"rule"} or not isinstance(tables, list):
        return (), (f"{file}: expected [[rule]] tables and nothing else",)
    faults: list[str] = []
    rules = [_read_rule(f"{file}, rule {position}", table, faults) for position, table in enumerate(tables, 1)]
    return tuple(rule for rule in rules if rule is not None), tuple(faults)


def _read_rule(where: str, table: dict[str, object], faults: list[str]) -> CapRule | None:
    name = table.get("id")
    fields = _Fields(f"{where} ({name})" if isinstance(name, str) else where, table)
    rule = CapRule(
        rule_id=fields.text("id", needed=True),
        kind=fields.word("kind", Kind, Kind.CAP),
        who=fields.text("who", needed=True),
        what=fields.text("what", needed=True),
        key=fields.words("key", KeyPart),
        sources=fields.texts("sources"),
        confidence=_CONFIDENCE.get(fields.one_of("confidence", tuple(_CONFIDENCE)), "low"),
        after=_read_trigger(fields),
        window=_read_window(fields),
        counts=fields.word("counts", Counts, Counts.REATTEMPTS),
        limit=fields.whole("limit"),
        wait_hours=fields.whole("wait_hours"),
        resets_on_approval=fields.flag("resets_on_approval", default=True),
        rails=fields.words("rails", Rail),
        networks=fields.words("networks", Network),
        not_networks=fields.words("not_networks", Network),
        regions=fields.texts("regions"),
        not_regions=fields.texts("not_regions"),
        processors=fields.texts("processors"),
        initiators=fields.words("initiators", Initiator),
        effective_from=fields.day("effective_from"),
        effective_to=fields.day("effective_to"),
        lifted_by=fields.text("lifted_by"),
        ours=fields.flag("ours", default=False),
        published=_read_published(fields),
        fees=tuple(_read_fee(fee) for fee in fields.tables("fees")),
        note=fields.text("note"),
    )
    _check_sense(fields, rule)
    faults.extend(fields.finish())
    return None if fields.faults else rule


def _check_sense(fields: "_Fields", rule: CapRule) -> None:
    if not rule.key:
        fields.fault("key", "at least one of " + ", ".join(KeyPart))
    if (rule.limit is None) == (rule.kind is Kind.CAP):
        fields.fault("limit", "a whole number for a cap, and only for a cap")
    if rule.kind is not Kind.CAP and not rule.after.needs_decline:
        fields.fault("after", "what decline the rule answers to")
    if rule.kind is Kind.CONDITION and not rule.lifted_by:
        fields.fault("lifted_by", "what would lift the condition")
    if not rule.sources and not rule.ours:
        fields.fault("sources", "at least one public address, or ours = true")
    if rule.effective_from and rule.effective_to and rule.effective_to < rule.effective_from:
        fields.fault("effective_to", f"a day not before effective_from ({rule.effective_from})")
    if rule.kind is not Kind.CAP and not _fills(rule.what):
        fields.fault("what", "a clause with no other places than " + ", ".join(f"{{{place}}}" for place in _PLACES))
    _check_published(fields, rule)


def _fills(clause: str) -> bool:
    try:
        clause.format_map(_PLACES)
    except (KeyError, ValueError, IndexError):
        return False
    return True


def _check_published(fields: "_Fields", rule: CapRule) -> None:
    looser = rule.published
    if looser and looser.limit is not None and (rule.limit is None or looser.limit <= rule.limit):
        fields.fault("published", "a limit above the strict one")
    if looser and looser.key and not set(looser.key) > set(rule.key):
        fields.fault("published", "a key that splits the strict one further")


def _read_trigger(fields: "_Fields") -> Trigger:
    after = fields.below("after")
    trigger = Trigger(
        latest_only=after.flag("latest_only", default=True),
        codes=after.texts("codes"),
        not_codes=after.texts("not_codes"),
        categories=after.words("categories", DeclineCategory),
        not_categories=after.words("not_categories", DeclineCategory),
        advice=after.texts("advice"),
        retryability=after.words("retryability", Retryability),
        pending=after.flag("pending", default=False),
    )
    fields.faults.extend(after.finish())
    return trigger


def _read_window(fields: "_Fields") -> Window:
    window = fields.below("window")
    kind = window.word("kind", WindowKind, WindowKind.UNLIMITED)
    hours, days = window.whole("hours"), window.whole("days")
    if (kind is WindowKind.UNLIMITED) != (hours is None and days is None) or (hours is not None and days is not None):
        window.fault("hours", "either hours or days for a window that ends, neither for an unlimited one")
    fields.faults.extend(window.finish())
    return Window(kind, hours if days is None else days * 24)


def _read_published(fields: "_Fields") -> Published | None:
    if not fields.has("published"):
        return None
    looser = fields.below("published")
    published = Published(looser.whole("limit"), looser.words("key", KeyPart))
    fields.faults.extend(looser.finish())
    return published


def _read_fee(fee: "_Fields") -> Fee:
    read = Fee(
        amount=fee.money("amount"),
        regions=fee.texts("regions"),
        cross_border=fee.flag("cross_border", default=False) if fee.has("cross_border") else None,
        effective_from=fee.day("effective_from"),
        effective_to=fee.day("effective_to"),
    )
    fee.faults.extend(fee.unread())
    return read


class _Fields:
    """Typed access to one table; what is wrong is noted under the field's name and read as a placeholder."""

    def __init__(self, where: str, table: dict[str, object], faults: list[str] | None = None) -> None:
        self._where = where
        self._table = table
        self._read: set[str] = set()
        self.faults: list[str] = [] if faults is None else faults

    def finish(self) -> list[str]:
        """All faults, unknown fields included."""
        self.faults.extend(self.unread())
        return self.faults

    def unread(self) -> list[str]:
        return [f"{self._where}, {name}: is not a field of a rule" for name in sorted(self._table.keys() - self._read)]

    def has(self, name: str) -> bool:
        return name in self._table

    def below(self, name: str) -> "_Fields":
        value = self._take(name)
        if value is not None and not isinstance(value, dict):
            self.fault(name, "a table such as { kind = … }")
        return _Fields(f"{self._where}, {name}", value if isinstance(value, dict) else {})

    def tables(self, name: str) -> list["_Fields"]:
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(name, "a list of tables")
            return []
        return [_Fields(f"{self._where}, {name} {i}", item, self.faults) for i, item in enumerate(value, 1)]

    def text(self, name: str, *, needed: bool = False) -> str:
        value = self._take(name)
        if isinstance(value, str) and (value or not needed):
            return value
        if needed or value is not None:
            self.fault(name, "text that is not empty")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._take(name)
        items = value if isinstance(value, list) else []
        if value is not None and not (items and all(isinstance(item, str) and item for item in items)):
            self.fault(name, "a list of texts that is not empty")
            return ()
        return tuple(str(item) for item in items)

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        value = self._take(name)
        if value not in known:
            self.fault(name, "one of " + ", ".join(known))
        return str(value)

    def word(self, name: str, words: type[Word], default: Word) -> Word:
        value = self._take(name)
        if value is None:
            return default
        return self._as_word(name, value, words) or default

    def words(self, name: str, words: type[Word]) -> tuple[Word, ...]:
        read = (self._as_word(name, text, words) for text in self.texts(name))
        return tuple(word for word in read if word is not None)

    def whole(self, name: str) -> int | None:
        value = self._take(name)
        if value is None or (type(value) is int and value >= 0):
            return value if type(value) is int else None
        self.fault(name, "a whole number from 0")
        return None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self.fault(name, "true or false")
        return value if isinstance(value, bool) else default

    def day(self, name: str) -> date | None:
        value = self._take(name)
        if value is None or type(value) is date:
            return value if type(value) is date else None
        self.fault(name, "a date such as 2025-05-25")
        return None

    def money(self, name: str) -> Money:
        amount, _, currency = self.text(name, needed=True).partition(" ")
        try:
            return from_major(amount, currency)
        except InvalidValueError:
            self.fault(name, 'money such as "0.10 USD"')
            return Money(0, "USD")

    def fault(self, name: str, expected: str) -> None:
        value = self._table.get(name)
        stated = "is missing" if value is None else f"{shorten(value)} is not accepted"
        self.faults.append(f"{self._where}, {name}: {stated}; expected {expected}")

    def _as_word(self, name: str, value: object, words: type[Word]) -> Word | None:
        if isinstance(value, str) and value in set(words):
            return words(value)
        self.fault(name, "one of " + ", ".join(words))
        return None

    def _take(self, name: str) -> object:
        self._read.add(name)
        return self._table.get(name)
