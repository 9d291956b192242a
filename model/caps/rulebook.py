"""The rules as shipped, as tightened by a merchant, and as in force on a day."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise

import orjson

from features.errors import InputError, InvalidValueError
from features.instants import require_aware
from features.money import Money
from features.vocabulary import Network, Rail
from model.caps.fees import Schedule
from model.caps.proposal import Proposal, binds
from model.caps.reading import joined, read_file
from model.caps.rule import FOUND_BY, CapRule, KeyPart, Kind, Window, WindowKind
from model.caps.span import Span

_KINDS = 1_024  # of attempts whose rules are remembered


@dataclass(frozen=True, slots=True)
class Tightening:
    """A merchant's stricter figures for one rule; what is None stays. A tightened rule has no looser figure any more.

    Args:
        limit: At most the rule's own.
        window_hours: At least the rule's own window.
        wait_hours: At least the rule's own wait.
        length: At least that of the rule's own span, in its unit.
        share_bps: At most the rule's own share, in basis points.
        above_minor: At most the rule's own amount, in its minor units.
        binding: True makes advice a limit.
        key: Parts of the rule's key, so that more attempts share a counter.
    """

    limit: int | None = None
    window_hours: int | None = None
    wait_hours: int | None = None
    key: tuple[KeyPart, ...] | None = None
    length: int | None = None
    share_bps: int | None = None
    above_minor: int | None = None
    binding: bool = False


@dataclass(frozen=True)
class Rulebook:
    """Dated rules. Where sources disagree the stricter figure is in force unless the looser one is selected."""

    rules: tuple[CapRule, ...]
    schedules: tuple[Schedule, ...] = ()
    version: str = field(init=False)
    _about: dict[tuple[Rail, Network], tuple[CapRule, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _binding: dict[tuple[object, ...], tuple[CapRule, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _alike: dict[tuple[int, ...], tuple[CapRule, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", hashlib.sha256(orjson.dumps(self.rules)).hexdigest()[:12])

    @staticmethod
    def load() -> "Rulebook":
        """The shipped rules, read once.

        Raises:
            InputError: A rule is malformed; all faults are named, each by file, rule and field.
        """
        return _shipped()

    @staticmethod
    def from_texts(texts: Mapping[str, str]) -> "Rulebook":
        """The rules in several TOML texts, by file name.

        Raises:
            InputError: As for `load`.
        """
        rules, schedules, faults = joined({name: read_file(name, text) for name, text in sorted(texts.items())})
        faults += _overlaps(rules)
        if faults:
            raise InputError("the rulebook cannot be used: " + "; ".join(faults))
        # What others set comes before what we set ourselves, so that a reader meets the law first.
        return Rulebook(tuple(sorted(rules, key=lambda rule: rule.ours)), schedules)

    def extended(self, texts: Mapping[str, str]) -> "Rulebook":
        """The same rules with a merchant's own beside them, by file name; every rule holds, so none can be loosened.

        Raises:
            InputError: A rule is malformed or has the id of one of these; all faults are named.
        """
        files = {name: read_file(name, text) for name, text in texts.items()}
        rules, schedules, faults = joined(files, self.schedules)
        known = {rule.rule_id for rule in self.rules}
        faults += [
            fault for name, file in files.items() for rule in file.rules for fault in _not_new(name, rule, known)
        ]
        faults += _overlaps(rules)
        if faults:
            raise InputError("own rules cannot be used: " + "; ".join(faults))
        return Rulebook(tuple(sorted((*self.rules, *rules), key=lambda rule: rule.ours)), schedules)

    def in_force(self, at: datetime) -> tuple[CapRule, ...]:
        """The rules that bind at an instant; a day begins at 00:00 UTC."""
        day = require_aware("at", at).astimezone(UTC).date()
        return tuple(rule for rule in self.rules if rule.in_force_on(day))

    def about(self, rail: Rail, network: Network) -> tuple[CapRule, ...]:
        """The rules that may be about a rail and network, on any day; sought once for each."""
        found = self._about.get((rail, network))
        if found is None:
            found = tuple(rule for rule in self.rules if rule.concerns(rail, network))
            self._about[rail, network] = found
        return found

    def binding(self, proposal: Proposal) -> tuple[CapRule, ...]:
        """The rules that bind an attempt, whenever it is made; sought once for each kind of attempt.

        Kinds that the same rules bind get the same tuple, so that its identity tells what is worked out for it.
        """
        method = proposal.method
        kind = (method.rail, method.network, proposal.processor, proposal.initiator)
        asked = (*kind, proposal.countries, proposal.issuers)
        found = self._binding.get(asked)
        if found is None:
            if len(self._binding) >= _KINDS:
                self._binding.clear()
                self._alike.clear()
            rules = tuple(rule for rule in self.about(method.rail, method.network) if binds(rule, proposal))
            found = self._binding[asked] = self._alike.setdefault(tuple(map(id, rules)), rules)
        return found

    def published(self, rule_ids: Iterable[str]) -> "Rulebook":
        """The same rules with the looser published figure for some, as confirmed by the acquirer.

        Raises:
            InvalidValueError: There is no such rule, or its sources do not disagree.
        """
        chosen = set(rule_ids)
        selectable = {rule.rule_id for rule in self.rules if rule.published}
        for rule_id in sorted(chosen - selectable):
            raise InvalidValueError("rule", rule_id, "a rule with a looser figure: " + ", ".join(sorted(selectable)))
        rules = tuple(_loosened(rule) if rule.rule_id in chosen else rule for rule in self.rules)
        return Rulebook(rules, self.schedules)

    def tightened(self, settings: Mapping[str, Tightening]) -> "Rulebook":
        """The same rules with a merchant's stricter figures.

        Raises:
            InputError: A setting names no rule or is looser than the rule; all are named at once.
        """
        known = {rule.rule_id for rule in self.rules}
        faults = [f"{name}: is not a rule" for name in sorted(settings.keys() - known)]
        rules = []
        for rule in self.rules:
            setting = settings.get(rule.rule_id)
            faults += [str(one) for one in looser(rule, setting)] if setting else []
            rules.append(_tighter(rule, setting) if setting else rule)
        if faults:
            raise InputError("settings may only tighten: " + "; ".join(sorted(set(faults))))
        return Rulebook(tuple(rules), self.schedules)


@cache
def _shipped() -> Rulebook:
    folder = files("model.caps") / "rules"
    return Rulebook.from_texts({f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")})


def _overlaps(rules: tuple[CapRule, ...]) -> list[str]:
    """One id may stand for successive rules, one after another."""
    faults = []
    for rule_id, count in Counter(rule.rule_id for rule in rules).items():
        versions = sorted((r for r in rules if r.rule_id == rule_id), key=lambda r: r.effective_from or date.min)
        for earlier, later in pairwise(versions):
            if count > 1 and (later.effective_from or date.min) <= (earlier.effective_to or date.max):
                faults.append(f"rule {rule_id}, effective_from: two versions are in force on {later.effective_from}")
    return faults


def _not_new(name: str, rule: CapRule, known: set[str]) -> Iterator[str]:
    if rule.rule_id in known:
        expected = "a new one, for own rules are added; [tighten] makes a shipped rule stricter"
        yield f"{name}, {rule.rule_id}, id: '{rule.rule_id}' is not accepted; expected {expected}"
    if rule.ours:
        expected = "no such field, for it marks Recoup's own defaults; name your contract in sources"
        yield f"{name}, {rule.rule_id}, ours: true is not accepted; expected {expected}"


def _loosened(rule: CapRule) -> CapRule:
    looser = rule.published
    if looser is None:
        return rule
    limit = rule.limit if looser.limit is None else looser.limit
    span = rule.span if looser.length is None or rule.span is None else replace(rule.span, length=looser.length)
    return replace(rule, limit=limit, key=looser.key or rule.key, span=span, published=None)


def _tighter(rule: CapRule, setting: Tightening) -> CapRule:
    """The rule with the stricter figures.

    A counter that more attempts share has more approvals that would clear it, and other declines that come last. So
    that it is stricter whatever happens, a key of the merchant's own is cleared by none and any decline in it speaks.
    """
    hours, widened = setting.window_hours, setting.key is not None and set(setting.key) < set(rule.key)
    return replace(
        rule,
        limit=rule.limit if setting.limit is None else setting.limit,
        window=rule.window if hours is None else Window(rule.window.kind, hours),
        wait_hours=rule.wait_hours if setting.wait_hours is None else setting.wait_hours,
        key=rule.key if setting.key is None else setting.key,
        resets_on_approval=rule.resets_on_approval and not widened,
        after=replace(rule.after, latest_only=rule.after.latest_only and not widened),
        span=rule.span if setting.length is None or rule.span is None else replace(rule.span, length=setting.length),
        share_bps=rule.share_bps if setting.share_bps is None else setting.share_bps,
        above=rule.above and Money(_least(setting.above_minor, rule.above.amount_minor), rule.above.currency),
        advises=rule.advises and not setting.binding,
        published=None,
    )


@dataclass(frozen=True, slots=True)
class Looser:
    """A setting that would loosen a rule, and what would not."""

    rule_id: str
    field: str
    value: str
    right: str

    def __str__(self) -> str:
        return f"{self.rule_id}, {self.field}: {self.value} is not accepted; expected {self.right}"


def looser(rule: CapRule, setting: Tightening) -> list[Looser]:
    """Every figure of a setting that would loosen the rule."""
    refused = []
    if setting.length is not None and (rule.span is None or setting.length < rule.span.length):
        refused.append(("length", str(setting.length), _span_at_least(rule.span)))
    for name, stricter, own in (
        ("share_bps", setting.share_bps, rule.share_bps),
        ("above_minor", setting.above_minor, rule.above.amount_minor if rule.above else None),
    ):
        if stricter is not None and (own is None or not 0 <= stricter <= own):
            refused.append((name, str(stricter), _share_at_most(own)))
    if setting.binding and not rule.advises:
        refused.append(("binding", "true", "no such setting, for the rule binds already"))
    if setting.limit is not None and (rule.limit is None or not 0 <= setting.limit <= rule.limit):
        refused.append(("limit", str(setting.limit), _at_most(rule.limit)))
    if setting.window_hours is not None and not _longer(rule.window, setting.window_hours):
        refused.append(("window_hours", str(setting.window_hours), _at_least(rule.window)))
    if setting.wait_hours is not None and setting.wait_hours < (rule.wait_hours or 0):
        refused.append(("wait_hours", str(setting.wait_hours), f"at least {rule.wait_hours}"))
    if setting.key is not None and not _wider(rule, setting.key):
        refused.append(("key", ", ".join(setting.key) or "nothing", _some_of(rule)))
    return [Looser(rule.rule_id, name, value, right) for name, value, right in refused]


def _least(stricter: int | None, own: int) -> int:
    return own if stricter is None else stricter


def _wider(rule: CapRule, key: tuple[KeyPart, ...]) -> bool:
    found = rule.kind is Kind.VOLUME or not FOUND_BY.isdisjoint(key)
    return bool(key) and set(key) <= set(rule.key) and found


def _some_of(rule: CapRule) -> str:
    parts, found_by = ", ".join(rule.key), " or ".join(part for part in rule.key if part in FOUND_BY)
    needed = f", with {found_by} among them, for attempts are found by these" if rule.kind is not Kind.VOLUME else ""
    return f"some of {parts}{needed}"


def _span_at_least(span: Span | None) -> str:
    return "no length, for the rule states no span" if span is None else f"at least {span.length}"


def _share_at_most(own: int | None) -> str:
    return "no such figure, for the rule has none" if own is None else f"a whole number from 0 to {own}"


def _at_least(window: Window) -> str:
    rolls = window.kind is WindowKind.ROLLING
    return f"at least {window.hours}" if rolls else "no window, for the rule's own does not roll"


def _longer(window: Window, hours: int) -> bool:
    return window.kind is WindowKind.ROLLING and window.hours is not None and hours >= window.hours


def _at_most(limit: int | None) -> str:
    return "no limit, for the rule is not a cap" if limit is None else f"a whole number from 0 to {limit}"
