"""A merchant's settings of the rulebook: which looser figures the acquirer confirmed, and what is to be stricter."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import InputError, InvalidValueError
from model.caps.fields import Fields
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook, Tightening

_NAMES = frozenset({"published", "rules", "tighten"})
_EXAMPLE = 'published = ["a-rule"], rules = ["own.toml"] and [tighten.a-rule] tables'


@dataclass(frozen=True, slots=True)
class RulebookSettings:
    """What a settings file states.

    Args:
        published: Rules whose looser published figure holds, because acquirer or agreement says so.
        tightenings: Stricter figures by rule.
        rules: Files of rules of the merchant's own, as the settings name them.
    """

    published: tuple[str, ...]
    tightenings: Mapping[str, Tightening]
    source: str
    rules: tuple[str, ...] = ()

    def applied(self, rulebook: Rulebook, own: Mapping[str, str] | None = None) -> Rulebook:
        """The rulebook as the merchant has it.

        Args:
            own: The texts of the merchant's own rules, by file; they are added first, so that settings may name them.

        Raises:
            InputError: A rule of the merchant's is malformed or not new, or a setting names no rule or would loosen
                one; all faults are named at once.
        """
        faults: list[str] = []
        try:
            rulebook = rulebook.extended(own) if own else rulebook
        except InputError as error:
            faults.append(f"{self.source}: {error}")
        try:
            rulebook = rulebook.published(self.published)
        except InvalidValueError as error:
            faults.append(f"{self.source}, published: {error}")
        try:
            rulebook = rulebook.tightened(self.tightenings)
        except InputError as error:
            faults.append(f"{self.source}: {error}")
        if faults:
            raise InputError("; ".join(faults))
        return rulebook


def parse_settings(text: str, source: str) -> RulebookSettings:
    """Settings from their TOML text.

    Raises:
        InputError: Not TOML, or a field is wrong; all faults are named by file, rule and field.
    """
    settings, faults = read_settings(text, source)
    if faults:
        raise InputError("; ".join(faults))
    return settings


def read_settings(text: str, source: str) -> tuple[RulebookSettings, list[str]]:
    """The settings as far as they are well-formed, and what is not, by file, rule and field.

    Raises:
        InputError: Not TOML, or no settings at all.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from None
    tables = raw.get("tighten", {})
    top = Fields(source, raw, noun="settings file")
    if not raw.keys() <= _NAMES or not isinstance(tables, dict):
        top.faults.append(f"{source}: expected {_EXAMPLE} and nothing else")
    tables = tables if isinstance(tables, dict) else {}
    published, faults = top.texts("published") if raw.get("published") else (), top.faults
    rules = top.texts("rules")
    tightenings = {rule_id: _tightening(f"{source}, tighten.{rule_id}", t, faults) for rule_id, t in tables.items()}
    return RulebookSettings(published, tightenings, source, rules), faults


def _tightening(where: str, table: object, faults: list[str]) -> Tightening:
    if not isinstance(table, dict):
        faults.append(f"{where}: is not accepted; expected a table such as {{ limit = 3 }}")
        return Tightening()
    fields = Fields(where, table, faults, noun="tightening")
    tightening = Tightening(
        limit=fields.whole("limit"),
        window_hours=fields.whole("window_hours"),
        wait_hours=fields.whole("wait_hours"),
        key=fields.words("key", KeyPart) if fields.has("key") else None,
        length=fields.whole("length"),
        share_bps=fields.whole("share_bps"),
        above_minor=fields.whole("above_minor"),
        binding=fields.flag("binding", default=False),
    )
    fields.finish()
    return tightening
