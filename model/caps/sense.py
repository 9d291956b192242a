"""Whether the fields of a rule make sense together."""

from collections.abc import Mapping

from model.caps.fields import Fields
from model.caps.rule import FOUND_BY, CapRule, Kind

# What the clause of a rule may be filled in with.
_PLACES = {"code": "", "advice": "", "wait": "", "at": ""}
_TRIGGERED = frozenset({Kind.PROHIBITION, Kind.CONDITION, Kind.WAIT})
# Which kinds need a field; no other kind may have it, but for a wait, which may state a span.
_NEEDED: Mapping[str, tuple[frozenset[Kind], str]] = {
    "limit": (frozenset({Kind.CAP}), "a whole number for a cap, and only for a cap or a volume"),
    "span": (
        frozenset({Kind.LEAD, Kind.FINALITY, Kind.EXPIRY}),
        "how long, for a lead, finality or expiry, and only for these and a wait",
    ),
    "hours": (frozenset({Kind.HOURS}), "when it is open, for hours, and only for hours"),
    "above": (frozenset({Kind.THRESHOLD}), "an amount for a threshold, and only for a threshold"),
}
_ALLOWED = {"limit": frozenset({Kind.VOLUME}), "span": frozenset({Kind.WAIT})}


def check_sense(fields: Fields, rule: CapRule) -> None:
    """Note every field that is missing, or out of place, for the rule's kind."""
    _check_kind(fields, rule)
    _check_key(fields, rule)
    if rule.kind in _TRIGGERED and not rule.after.needs_decline:
        fields.fault("after", "what decline the rule answers to")
    if rule.kind in {Kind.CONDITION, Kind.THRESHOLD} and not rule.lifted_by:
        fields.fault("lifted_by", "what would lift the condition")
    if rule.lifts and rule.kind not in {Kind.CONDITION, Kind.PROHIBITION}:
        fields.fault("lifts", "what lifts it, for a condition or prohibition, and only for these")
    if rule.lifts_codes and not rule.lifts:
        fields.fault("lifts_codes", "codes after which lifts holds, and only with lifts")
    if rule.lifts_codes and rule.after.codes and not set(rule.lifts_codes) <= set(rule.after.codes):
        fields.fault("lifts_codes", f"some of {', '.join(rule.after.codes)}")
    if not rule.sources and not rule.ours:
        fields.fault("sources", "at least one public address, or ours = true")
    if rule.effective_from and rule.effective_to and rule.effective_to < rule.effective_from:
        fields.fault("effective_to", f"a day not before effective_from ({rule.effective_from})")
    if rule.kind is not Kind.CAP and not _fills(rule.what):
        fields.fault("what", "a clause with no other places than " + ", ".join(f"{{{place}}}" for place in _PLACES))
    _check_published(fields, rule)


def _check_key(fields: Fields, rule: CapRule) -> None:
    if not rule.key:
        fields.fault("key", "what attempts must share, such as method and merchant")
    elif rule.kind is not Kind.VOLUME and FOUND_BY.isdisjoint(rule.key):
        fields.fault("key", "method, payment or mandate among its parts, for attempts are found by these")


def _check_kind(fields: Fields, rule: CapRule) -> None:
    values = {"limit": rule.limit, "span": rule.span, "hours": rule.hours, "above": rule.above}
    for name, (kinds, expected) in _NEEDED.items():
        stated, may = values[name] is not None, rule.kind in kinds | _ALLOWED.get(name, frozenset())
        if (rule.kind in kinds and not stated) or (stated and not may):
            fields.fault(name, expected)
    if rule.kind is Kind.VOLUME and (rule.limit is None) == (rule.share_bps is None):
        fields.fault("share_bps", "either a share or a limit for a volume")
    if rule.kind is Kind.VOLUME and rule.after.hides:
        fields.fault("after", "codes as they came for a volume, without hides")
    if rule.kind is not Kind.VOLUME and rule.share_bps is not None:
        fields.fault("share_bps", "a share for a volume only")


def _fills(clause: str) -> bool:
    try:
        clause.format_map(_PLACES)
    except (KeyError, ValueError, IndexError):
        return False
    return True


def _check_published(fields: Fields, rule: CapRule) -> None:
    looser = rule.published
    if looser is None:
        return
    if looser.limit is not None and (rule.limit is None or looser.limit <= rule.limit):
        fields.fault("published", "a limit above the strict one")
    if looser.length is not None and (rule.span is None or looser.length >= rule.span.length):
        fields.fault("published", "a length below that of the span")
    if looser.key and not set(looser.key) > set(rule.key):
        fields.fault("published", "a key that splits the strict one further")
