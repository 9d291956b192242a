"""Rules that do not count attempts: hours, leads, finality, expiry, thresholds, volumes and notes."""

from collections.abc import Callable
from dataclasses import dataclass

from features.instants import to_micros
from features.vocabulary import Outcome
from model.caps.answer import answer, fee_at
from model.caps.hours import Hours
from model.caps.proposal import Proposal
from model.caps.rule import CapRule, Kind
from model.caps.sentences import (
    expiry_sentence,
    finality_sentence,
    hours_sentence,
    lead_sentence,
    note_sentence,
    threshold_sentence,
    volume_sentence,
)
from model.caps.shared import Shared
from model.caps.span import Span
from model.caps.tally import Event
from model.caps.trigger import matches
from model.caps.verdict import Verdict
from model.caps.volumes import Volumes


@dataclass(frozen=True, slots=True)
class StretchGauge:
    """Forbids in one stretch of time: before `until`, from `since` on, always or never.

    Args:
        forbidden: Whether it forbids anything at all.
        since, until: Between which instants (int64 microseconds); None is open.
        say: The sentence, given whether it allows.
    """

    rule: CapRule
    proposal: Proposal
    say: Callable[[bool], str]
    forbidden: bool = True
    since: int | None = None
    until: int | None = None

    @property
    def changes(self) -> tuple[int, ...]:
        """Where the stretch begins and ends."""
        return tuple(edge for edge in (self.since, self.until) if edge is not None)

    def verdict(self, at: int) -> Verdict:
        """Forbidden within the stretch."""
        begun = self.since is None or at >= self.since
        allowed = not (self.forbidden and begun and (self.until is None or at < self.until))
        fee = None if allowed else fee_at(self.rule, self.proposal, at)
        frees = None if allowed else self.until
        return answer(self.rule, self.say(allowed), allowed=allowed, frees=frees, fee=fee)


@dataclass(frozen=True, slots=True)
class HoursGauge:
    """Allows within stated hours of the local day."""

    rule: CapRule
    hours: Hours

    @property
    def changes(self) -> tuple[int, ...]:
        """None that last: the hours come again every day; see `stretch`."""
        return ()

    def stretch(self, at: int) -> int:
        """The latest instant at which the hours may have opened or closed."""
        return self.hours.stretch(at)

    def verdict(self, at: int) -> Verdict:
        """Allowed while open, else free when it opens next."""
        opens = self.hours.next_open(at)
        allowed = opens == at
        frees = None if allowed else opens
        return answer(self.rule, hours_sentence(self.rule, self.hours, frees), allowed=allowed, frees=frees)


def stretch_gauge(
    rule: CapRule, shared: Shared, proposal: Proposal, volumes: Volumes
) -> StretchGauge | HoursGauge | None:
    """The rule held against what it looks at; None when there is nothing to say."""
    if rule.kind is Kind.HOURS:
        return HoursGauge(rule, rule.hours) if rule.hours else None
    if rule.kind is Kind.THRESHOLD:
        return _threshold(rule, proposal)
    if rule.kind is Kind.VOLUME:
        return _volume(rule, proposal, volumes)
    if rule.kind is Kind.NOTE:
        return _note(rule, shared, proposal)
    return _spanned(rule, rule.span, shared, proposal) if rule.span else None


def _spanned(rule: CapRule, span: Span, shared: Shared, proposal: Proposal) -> StretchGauge | None:
    if rule.kind is Kind.LEAD:
        return _lead(rule, span, proposal)
    events = shared.events(rule, resets=False)
    if not events:
        return None
    return _expiry(rule, span, proposal, events) if rule.kind is Kind.EXPIRY else _final(rule, span, proposal, events)


def _lead(rule: CapRule, span: Span, proposal: Proposal) -> StretchGauge | None:
    if proposal.decided_at is None or not span.length:
        return None
    until = span.end(to_micros(proposal.decided_at))
    return StretchGauge(rule, proposal, lambda allowed: lead_sentence(rule, until, allowed=allowed), until=until)


def _expiry(rule: CapRule, span: Span, proposal: Proposal, events: tuple[Event, ...]) -> StretchGauge:
    since = span.end(max(event.earliest for event in events))
    return StretchGauge(rule, proposal, lambda allowed: expiry_sentence(rule, since, allowed=allowed), since=since)


def _final(rule: CapRule, span: Span, proposal: Proposal, events: tuple[Event, ...]) -> StretchGauge | None:
    standing = [event for event in events if event.outcome is not Outcome.DECLINED]
    if not standing:
        return None
    until = max(span.end(event.latest) for event in standing)
    return StretchGauge(rule, proposal, lambda allowed: finality_sentence(rule, until, allowed=allowed), until=until)


def _threshold(rule: CapRule, proposal: Proposal) -> StretchGauge | None:
    amount, above = proposal.payment.amount, rule.above
    if above is None or amount.currency != above.currency:
        return None
    over = amount.amount_minor > above.amount_minor
    return StretchGauge(rule, proposal, lambda allowed: threshold_sentence(rule, above, allowed=allowed), over)


def _volume(rule: CapRule, proposal: Proposal, volumes: Volumes) -> StretchGauge | None:
    volume = volumes.of(rule)
    if volume is None:
        return None
    over = volume.exceeds(rule)
    return StretchGauge(rule, proposal, lambda _: volume_sentence(rule, volume), over, until=volume.resets_at)


def _note(rule: CapRule, shared: Shared, proposal: Proposal) -> StretchGauge | None:
    latest = _looked_at(rule, shared) if rule.after.needs_decline else None
    if latest is None and rule.after.needs_decline:
        return None
    return StretchGauge(rule, proposal, lambda _: note_sentence(rule, latest), forbidden=False)


def _looked_at(rule: CapRule, shared: Shared) -> Event | None:
    events = shared.events(rule, resets=rule.resets_on_approval)
    declined = [event for event in events if event.decline is not None]
    found = [e for e in (declined[-1:] if rule.after.latest_only else declined) if matches(rule.after, e)]
    return found[-1] if found else None
