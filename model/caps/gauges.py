"""A rule held against one counter: what it says at any instant, and between which instants it says the same."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from features.instants import MICROS_PER_HOUR, to_micros
from model.caps.answer import answer, fee_at
from model.caps.fixes import Fix, authentications, lifted_at
from model.caps.proposal import Proposal
from model.caps.remembered import Remembered
from model.caps.rule import CapRule, Counts, FixKind, Kind, Window, WindowKind
from model.caps.sentences import block_sentence, cap_sentence, closed_sentence, exhausted_sentence
from model.caps.shared import Shared
from model.caps.tally import Event
from model.caps.trigger import matches
from model.caps.verdict import Verdict

_FOR_EVER = 1 << 62
_DAY = timedelta(days=1)
_DAYS = 4_096


class Gauge(Protocol):
    """A rule's answer as a function of the instant, piecewise constant between its `changes`.

    Where the answer follows the clock on the wall, `stretch` tells apart what lies between two changes.
    """

    @property
    def rule(self) -> CapRule:
        """The rule that answers."""
        ...

    @property
    def changes(self) -> tuple[int, ...]:
        """Instants (int64 microseconds) at which the answer may change, besides the rule's own dates."""
        ...

    def verdict(self, at: int) -> Verdict:
        """The answer at an instant when the rule is in force."""
        ...


def counting_gauge(
    rule: CapRule, shared: Shared, proposal: Proposal, fixes: Iterable[Fix] = ()
) -> "CountGauge | BlockGauge | None":
    """A cap, prohibition, condition or wait held against its counter; None when it answers to nothing there."""
    events = shared.events(rule, resets=rule.resets_on_approval)
    latest = shared.latest(rule, resets=rule.resets_on_approval)
    looked_at = latest if rule.after.latest_only else tuple(event for event in events if event.refused)
    if rule.kind is Kind.CAP:
        answers = rule.counts is Counts.TRIGGERS or any(matches(rule.after, event) for event in looked_at or (None,))
        return _count_gauge(rule, events, proposal) if answers else None
    found = tuple(event for event in looked_at if matches(rule.after, event))
    if FixKind.AUTHENTICATION in rule.lifts and found:
        fixes = (*fixes, *authentications(shared.near, proposal.method.method_id))
    return _block_gauge(rule, found, proposal, fixes) if found else None


@dataclass(frozen=True, slots=True)
class CountGauge:
    """A cap on one counter.

    Args:
        starts: When each counted attempt began to count, sorted.
        ends: When each ceases to count, sorted; empty where none ever does.
        spares_from: From when the proposed attempt would not itself count, because no decline is in the window.
        closes: When the window closes for good.
    """

    rule: CapRule
    proposal: Proposal
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    spares_from: int
    closes: int
    changes: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", (*self.starts, *self.ends, self.spares_from, self.closes))

    def verdict(self, at: int) -> Verdict:
        """Allowed while fewer are used than allowed, or while the attempt would not count itself."""
        used = bisect_right(self.starts, at) - bisect_right(self.ends, at)
        spared = at >= self.spares_from
        if not spared and at >= self.closes:
            fee = fee_at(self.rule, self.proposal, at)
            return answer(self.rule, closed_sentence(self.rule, self.closes), allowed=False, used=used, fee=fee)
        if spared or used < (self.rule.limit or 0):
            return _allowing(self.rule, used)
        return self._exceeded(at, used)

    def _exceeded(self, at: int, used: int) -> Verdict:
        fee, frees = fee_at(self.rule, self.proposal, at), self._frees(at, used)
        if frees is None:
            return answer(self.rule, exhausted_sentence(self.rule, used, fee), allowed=False, used=used, fee=fee)
        sentence = cap_sentence(self.rule, used, frees, fee)
        return answer(self.rule, sentence, allowed=False, used=used, frees=frees, fee=fee)

    def _frees(self, at: int, used: int) -> int | None:
        """The end after which fewer than the limit are left, or the instant from which a new attempt does not count."""
        position = bisect_right(self.ends, at) + used - (self.rule.limit or 0)
        enough_gone = self.ends[position] if position < len(self.ends) else _FOR_EVER
        frees = min(enough_gone, self.spares_from)
        return frees if frees < min(self.closes, _FOR_EVER) else None


@dataclass(frozen=True, slots=True)
class BlockGauge:
    """A prohibition, condition or wait that a decline has set off.

    Args:
        event: The decline that reaches furthest.
        until: When it is over; None never.
    """

    rule: CapRule
    proposal: Proposal
    event: Event
    until: int | None

    @property
    def changes(self) -> tuple[int, ...]:
        """The end of the block, where it has one."""
        return () if self.until is None else (self.until,)

    def verdict(self, at: int) -> Verdict:
        """Allowed once it is over."""
        over = self.until is not None and at >= self.until
        fee = None if over else fee_at(self.rule, self.proposal, at)
        sentence = block_sentence(self.rule, self.event, self.until, over=over, fee=fee)
        return answer(self.rule, sentence, allowed=over, frees=None if over else self.until, fee=fee)


def _edges(rule: CapRule) -> tuple[int, ...]:
    start = -_FOR_EVER if rule.effective_from is None else _midnight(rule.effective_from)
    end = _FOR_EVER if rule.effective_to is None else _midnight(rule.effective_to + _DAY)
    return (start, end, *_fee_changes(rule))


rule_edges = Remembered(_edges)
"""The first instant a rule binds, the first at which it no longer does, and those at which its price changes.

Int64 microseconds.
"""


def _fee_changes(rule: CapRule) -> Iterable[int]:
    for fee in rule.fees:
        if fee.effective_from:
            yield _midnight(fee.effective_from)
        if fee.effective_to:
            yield _midnight(fee.effective_to + _DAY)


def _allowing(rule: CapRule, used: int) -> Verdict:
    """What a cap says while it allows: nothing but how much is used, so that it is worded once."""
    worded = _worded(rule)
    said = worded.get(used)
    if said is None:
        said = worded[used] = answer(rule, cap_sentence(rule, used, None, None), allowed=True, used=used)
    return said


def _no_words(_: CapRule) -> dict[int, Verdict]:
    return {}


_worded = Remembered(_no_words)


def _count_gauge(rule: CapRule, events: tuple[Event, ...], proposal: Proposal) -> CountGauge:
    window, lookback = rule.window, _FOR_EVER
    if window.kind is WindowKind.ROLLING and window.hours is not None:
        lookback = window.hours * MICROS_PER_HOUR
    counted = _counted(rule, events, lookback)
    closing = window.kind is WindowKind.FROM_FIRST and bool(events)
    return CountGauge(
        rule=rule,
        proposal=proposal,
        starts=tuple(sorted(e.earliest for e in counted)),
        ends=tuple(sorted(left for e in counted if (left := _leaves(window, e)) is not None)),
        spares_from=_spares_from(rule, events, lookback),
        closes=window.closes(min(e.earliest for e in events)) if closing else _FOR_EVER,
    )


def _counted(rule: CapRule, events: tuple[Event, ...], lookback: int) -> Iterable[Event]:
    if rule.counts is Counts.REATTEMPTS:
        return _reattempts(events, lookback)
    if rule.counts is Counts.DECLINES:
        return [event for event in events if event.refused]
    if rule.counts is Counts.TRIGGERS:
        return [event for event in events if event.refused and matches(rule.after, event)]
    return events


def _leaves(window: Window, event: Event) -> int | None:
    """When the event ceases to count; None where it never does."""
    if window.kind is WindowKind.CALENDAR and window.span is not None:
        return window.span.period_end(event.latest)
    if window.kind is WindowKind.ROLLING and window.hours is not None:
        return event.latest + window.hours * MICROS_PER_HOUR
    return None


def _reattempts(events: tuple[Event, ...], lookback: int) -> list[Event]:
    """The events that follow a refused one within the lookback."""
    found, reach = [], -_FOR_EVER
    for event in events:
        if event.earliest < reach:
            found.append(event)
        if event.refused:
            reach = max(reach, event.latest + lookback)
    return found


def _spares_from(rule: CapRule, events: tuple[Event, ...], lookback: int) -> int:
    if rule.counts is not Counts.REATTEMPTS:
        return _FOR_EVER
    return max((e.latest + lookback for e in events if e.refused), default=-_FOR_EVER)


def _block_gauge(
    rule: CapRule, events: tuple[Event, ...], proposal: Proposal, fixes: Iterable[Fix]
) -> BlockGauge | None:
    ends = [_blocked_until(rule, event, proposal, fixes) for event in events]
    end, _, furthest = max(zip(ends, range(len(events)), events, strict=True), key=lambda each: each[:2])
    if end >= _FOR_EVER:
        return BlockGauge(rule, proposal, furthest, None)
    return BlockGauge(rule, proposal, furthest, end) if end > furthest.known else None


def _blocked_until(rule: CapRule, event: Event, proposal: Proposal, fixes: Iterable[Fix]) -> int:
    """When what the decline forbids is over: it began when the decline was known, which nobody could obey before."""
    lifted = lifted_at(rule, event, proposal, fixes)
    end = _ends_by_itself(rule, event)
    return end if lifted is None else min(end, lifted)


def _ends_by_itself(rule: CapRule, event: Event) -> int:
    if rule.kind is Kind.CONDITION or (rule.kind is Kind.PROHIBITION and rule.window.kind is WindowKind.UNLIMITED):
        return _FOR_EVER
    if rule.kind is Kind.PROHIBITION:
        return rule.window.closes(event.known)
    advised = event.decline.min_wait_hours if event.decline else None
    waited = event.known + max(rule.wait_hours or 0, advised or 0) * MICROS_PER_HOUR
    return waited if rule.span is None else max(waited, rule.span.end(event.known))


@lru_cache(maxsize=_DAYS)
def _midnight(day: date) -> int:
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
