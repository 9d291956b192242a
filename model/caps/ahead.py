"""Events ahead of an attempt count as if made at its instant; until when the answers to that stay word for word."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from features.instants import MICROS_PER_HOUR
from features.vocabulary import Outcome
from model.caps.proposal import Proposal
from model.caps.rule import CapRule, Counts, Kind, WindowKind
from model.caps.span import Unit
from model.caps.tally import Event, Tally
from model.caps.trigger import matches

_BLOCKS = frozenset({Kind.PROHIBITION, Kind.CONDITION, Kind.WAIT})


def as_of(tally: Tally, at: int) -> Tally:
    """The tally with every later event put at the instant (int64 microseconds): it keeps its place in each window."""
    moved = (event if event.at <= at else _moved(event, at) for event in tally.events)
    return Tally(tuple(sorted(moved, key=lambda event: (event.at, event.attempt_id))))


def same_until(rules: Iterable[CapRule], tally: Tally, proposal: Proposal, at: int) -> int:
    """The first instant from which `as_of(tally, at)` need not give the same answers any more as `as_of` that instant.

    Between two instants with the same events ahead, only where those are put differs. That shows in few answers: a
    retry ceases to be one when the window after the decline before it is over, a window that opens with the event
    closes with it, a mandate lapses by the day, and some sentences name the instant.

    Args:
        rules: Those that bind the proposal.
        at: The instant for which the events were moved (int64 microseconds).
    """
    ahead = [event for event in tally.events if event.at > at]
    if any(event.at == at for event in tally.events) or any(e.outcome is not Outcome.UNKNOWN for e in ahead):
        return at + 1
    until = min(event.at for event in ahead)
    for rule in rules:
        theirs = [event for event in ahead if proposal.counter.holds(event, rule.key)]
        if theirs:
            until = min([until, *(change for change in _changes(rule, tally, proposal, theirs, at) if change > at)])
    return until


def _changes(rule: CapRule, tally: Tally, proposal: Proposal, theirs: list[Event], at: int) -> Iterator[int]:
    if rule.kind is Kind.EXPIRY and rule.span is not None:
        yield at + 1 if rule.span.unit is Unit.HOURS else replace(rule.span, length=1, unit=Unit.DAYS).end(at)
    if rule.kind is Kind.CAP:
        before = Tally(tuple(event for event in tally.events if event.at <= at))
        counted = before.counter(proposal.counter, rule.key, resets=rule.resets_on_approval)
        yield from _of_cap(rule, counted, at)
    if rule.kind in _BLOCKS and "{at}" in rule.what and any(matches(rule.after, event) for event in theirs):
        yield at + 1


def _of_cap(rule: CapRule, counted: tuple[Event, ...], at: int) -> Iterator[int]:
    window = rule.window
    if window.kind is WindowKind.FROM_FIRST and not counted:
        yield window.closes(at)
    if window.kind is WindowKind.ROLLING and window.hours is not None and rule.counts is Counts.REATTEMPTS:
        yield max((e.latest + window.hours * MICROS_PER_HOUR for e in counted if e.refused), default=at)


def _moved(event: Event, at: int) -> Event:
    return replace(event, at=at, earliest=min(event.earliest, at))
