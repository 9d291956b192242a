"""Parts the proposed retries into those that every rule allows and those that some rule forbids, with the reasons.

A slot counts as allowed when the rules allow an attempt at its first and at its last instant. Only those that may
forbid one are asked; what all of them say of a retry is asked when somebody looks at it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import to_micros
from features.known import distinct
from features.proposed import Proposed
from model.caps.prescreen import NONE
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.decision import Removed
from model.limits import Ground, Limits, Verdicts, proposal_in
from model.record import NOTHING, Judge, Record, recorded_tally

Int64s = NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Screened:
    """What the rules leave of the proposed retries.

    Args:
        allowed: In the order proposed.
        verdicts: Of each allowed retry, every rule that applies at the start of its slot.
        removed: What was taken away, grouped by method and rule, in the order met.
        limits: The rules that were asked.
    """

    allowed: Proposed
    verdicts: Verdicts
    removed: tuple[Removed, ...]
    limits: Limits


def screen(context: Context, retries: Sequence[Retry], rulebook: Rulebook, record: Record = NOTHING) -> Screened:
    """Judge every proposed retry by the rules in force at its own time, counting what is on record too."""
    proposed = Proposed.of(retries)
    since = min(to_micros(context.as_of), int(proposed.start.min(initial=_NEVER)))
    limits = Limits(context, rulebook, record, since)
    refusals = list(_refusals(proposed, limits))
    allowed = proposed
    if refusals:
        kept = np.ones(len(proposed), dtype=np.bool_)
        for refusal in refusals:
            kept[refusal.places] = False
        allowed = proposed.take(np.flatnonzero(kept))
    return Screened(allowed, Verdicts(limits, allowed), _removed(proposed, refusals), limits)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Proposed retries of one method that the rules forbid alike.

    Args:
        places: Of the retries among all, not in order.
        verdicts: What the rules say that may forbid something.
    """

    method_id: str
    places: Int64s
    verdicts: tuple[Verdict, ...]


def _refusals(proposed: Proposed, limits: Limits) -> Iterator[_Refusal]:
    """Every retry that is forbidden is in one; routes that no rule tells apart are asked about together."""
    alike: dict[int, tuple[Ground, list[int]]] = {}
    for number in distinct(proposed.route).tolist():
        ground = limits.ground(proposed.routes[number])
        alike.setdefault(id(ground), (ground, []))[1].append(number)
    for ground, routes in alike.values():
        suspects = ground.suspects(more=0)
        if suspects == NONE:
            continue
        theirs = np.zeros(len(proposed.routes), dtype=np.bool_)
        theirs[routes] = True
        places = np.flatnonzero(theirs[proposed.route])
        judge = limits.held_against(ground.screen.rulebook(suspects), ground)
        for same, (allowed, said) in judge.throughout_each(proposed.start[places], proposed.end[places]):
            if not allowed:
                yield _Refusal(ground.proposal.method.method_id, places[same], said)


def _removed(proposed: Proposed, refusals: Sequence[_Refusal]) -> tuple[Removed, ...]:
    """What was taken away by method and rule, in the order in which the retries meet it, with the last that met it."""
    if not refusals:
        return ()
    counts: dict[tuple[str, str], int] = {}
    latest: dict[tuple[str, str], tuple[int, Verdict]] = {}
    for refusal in sorted(refusals, key=lambda refusal: int(refusal.places.min())):
        last = int(refusal.places.max())
        for verdict in refusal.verdicts:
            if not verdict.allowed:
                rule = (refusal.method_id, verdict.rule_id)
                counts[rule] = counts.get(rule, 0) + refusal.places.size
                latest[rule] = max(latest.get(rule, (-1, verdict)), (last, verdict), key=itemgetter(0))
    methods, of_route = proposed.methods
    asked = dict(zip(methods, np.bincount(of_route[proposed.route], minlength=len(methods)).tolist(), strict=True))
    return tuple(Removed(rule[0], asked[rule[0]], count, latest[rule][1]) for rule, count in counts.items())


def verdicts_on(context: Context, retry: Retry, rulebook: Rulebook) -> tuple[Verdict, ...]:
    """Every rule that applies to one retry; of the slot's two ends the one at which a rule forbids."""
    judge = _judge(context, retry.method_id, retry.processor, rulebook, NOTHING)
    return judge.throughout(retry.slot.start_micros, retry.slot.end_micros)[1]


def _judge(context: Context, method_id: str, processor: str, rulebook: Rulebook, record: Record) -> Judge:
    proposal = proposal_in(context, method_id, processor)
    return Judge(rulebook, recorded_tally(context, record), proposal, context.as_of, record)


def retries_left(context: Context, rulebook: Rulebook, record: Record = NOTHING) -> int | None:
    """How many retries with the method that failed last the tightest limit leaves now.

    None where no limit counts, or the method is no longer on file.
    """
    listed = {method.method_id for method in context.methods}
    if not context.own_attempts or context.own_attempts[-1].method_id not in listed:
        return None
    last = context.own_attempts[-1]
    verdicts = _judge(context, last.method_id, last.processor, rulebook, record).at(context.as_of)
    left = [v.limit - v.used for v in verdicts if v.limit is not None and v.used is not None]
    return max(min(left), 0) if left else None
