"""Verdicts in the words of a person who has to act on them."""

from datetime import timedelta

from features.instants import from_micros
from features.money import Money
from model.caps.hours import Hours
from model.caps.rule import CapRule, Kind, WindowKind
from model.caps.span import Span
from model.caps.tally import Event
from model.caps.volumes import Volume

_MINUTE = timedelta(minutes=1)


def instant(micros: int) -> str:
    """`27 Nov 2026 10:15 UTC`, rounded up to the minute so that "not before" stays true."""
    at = from_micros(micros)
    whole = at.replace(second=0, microsecond=0)
    shown = whole if whole == at else whole + _MINUTE
    return f"{shown.day} {shown:%b %Y %H:%M} UTC"


def cap_sentence(rule: CapRule, used: int, frees: int | None, fee: Money | None) -> str:
    """How much of a cap is used and what is left, or when the next is free."""
    limit = rule.limit or 0
    left = max(limit - used, 0)
    state = f"{used} used, {left} left"
    if frees is not None:
        state = f"{used} used, the next is free on {instant(frees)}"
    return f"{allowance(rule)}; {state}{_charge(fee)}."


def exhausted_sentence(rule: CapRule, used: int, fee: Money | None) -> str:
    """A cap that never frees."""
    limit = rule.limit or 0
    state = f"{used} used, none left" if used or limit else "none may follow"
    return f"{allowance(rule)}; {state}{_looser(rule)}{_charge(fee)}."


def closed_sentence(rule: CapRule, closed: int) -> str:
    """A window that has closed for good."""
    return f"{rule.who} allows {rule.what} only {rule.window}; that ended on {instant(closed)}."


def block_sentence(rule: CapRule, event: Event, until: int | None, *, over: bool, fee: Money | None) -> str:
    """What a decline forbids, and until when or until what."""
    clause = f"{rule.who} {_filled(rule, event)}"
    if over:
        return f"{clause}: that is over since {instant(until or event.latest)}."
    if until is not None:
        return f"{clause}: not before {instant(until)}{_charge(fee)}."
    if rule.kind is Kind.CONDITION:
        return f"{clause}; {rule.lifted_by} would lift this{_charge(fee)}."
    return f"{clause}{_charge(fee)}."


def hours_sentence(rule: CapRule, hours: Hours, opens: int | None) -> str:
    """The hours, and when they begin next where they are over."""
    clause = f"{rule.who} {rule.what} {hours}"
    return f"{clause}: this is within them." if opens is None else f"{clause}: not before {instant(opens)}."


def lead_sentence(rule: CapRule, until: int, *, allowed: bool) -> str:
    """How long a notice or submission takes, and the first instant that leaves it that long."""
    after = f": met from {instant(until)} on." if allowed else f": not before {instant(until)}{_shorter(rule)}."
    return f"{rule.who} {_spanned(rule)}{after}"


def expiry_sentence(rule: CapRule, since: int, *, allowed: bool) -> str:
    """When what is used lapses, or that it has."""
    return f"{rule.who} {_spanned(rule)}: it {'lapses' if allowed else 'lapsed'} on {instant(since)}."


def finality_sentence(rule: CapRule, until: int, *, allowed: bool) -> str:
    """Until when what was presented is not final."""
    state = f"it is final since {instant(until)}" if allowed else f"not before {instant(until)}"
    return f"{rule.who} {_spanned(rule)}: {state}."


def threshold_sentence(rule: CapRule, above: Money, *, allowed: bool) -> str:
    """The amount above which more is asked for."""
    clause = f"{rule.who} {rule.what} above {above}"
    return f"{clause}: this is not above it." if allowed else f"{clause}; {rule.lifted_by} would lift this."


def volume_sentence(rule: CapRule, volume: Volume) -> str:
    """The merchant's own figure beside the threshold."""
    if rule.share_bps is None:
        return f"{rule.who} {rule.what} from the {(rule.limit or 0) + 1:,}th on; {volume.counted:,} so far."
    share = 100 * volume.counted / volume.of if volume.of else 0.0
    counted = f"{volume.counted:,} of {volume.of:,}"
    return f"{rule.who} {rule.what} from {rule.share_bps / 100:g} % on; {counted} so far, {share:.2f} %."


def note_sentence(rule: CapRule, event: Event | None) -> str:
    """What to know."""
    return f"{rule.who} {_filled(rule, event) if event else rule.what}."


def _spanned(rule: CapRule) -> str:
    return rule.what.format(wait=rule.span, code="", advice="", at="")


def _shorter(rule: CapRule) -> str:
    return " unless a shorter one was agreed" if rule.published and rule.published.length is not None else ""


def allowance(rule: CapRule) -> str:
    """What a cap allows, without how much of it is used."""
    limit, window = rule.limit or 0, "" if rule.window.kind is WindowKind.UNLIMITED else f" {rule.window}"
    noun, _, rest = rule.what.partition(" ")
    counted = f"{noun.removesuffix('s') if limit == 1 else noun} {rest}".rstrip()
    return f"{rule.who} {'advises at most' if rule.advises else 'allows'} {limit} {counted}{window}"


def _filled(rule: CapRule, event: Event) -> str:
    decline = event.decline
    code = (event.network_code or decline.code) if decline else None
    titled = f"{code or 'a decline'} ({decline.title.lower()})" if decline and decline.title else code or "a decline"
    advice = (decline.advice_code if decline else None) or ""
    hours = max(rule.wait_hours or 0, (decline.min_wait_hours if decline else None) or 0)
    wait = str(rule.span if rule.span and not hours else Span(hours))
    return rule.what.format(code=titled, advice=advice, wait=wait, at=instant(event.at))


def _looser(rule: CapRule) -> str:
    limit = rule.published.limit if rule.published else None
    return f" ({limit} may be allowed once the acquirer confirms it)" if limit is not None else ""


def _charge(fee: Money | None) -> str:
    return f"; an attempt all the same would cost {fee}" if fee else ""
