"""Parts the proposed retries into those that every rule allows and those that some rule forbids, with the reasons.

A slot counts as allowed when the rules allow an attempt at its first and at its last instant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from features.action import Retry
from features.context import Context
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.decision import Removed
from model.record import NOTHING, Judge, Record, recorded_tally


@dataclass(frozen=True, slots=True)
class Screened:
    """What the rules leave of the proposed retries.

    Args:
        allowed: In the order proposed.
        verdicts: Of each allowed retry, every rule that applies at the start of its slot.
        removed: What was taken away, grouped by method and rule, in the order met.
    """

    allowed: tuple[Retry, ...]
    verdicts: tuple[tuple[Verdict, ...], ...]
    removed: tuple[Removed, ...]


def screen(context: Context, retries: Sequence[Retry], rulebook: Rulebook, record: Record = NOTHING) -> Screened:
    """Judge every proposed retry by the rules in force at its own time, counting what is on record too."""
    judged = _judged(context, retries, rulebook, record)
    refused: dict[tuple[str, str], list[Verdict]] = {}
    for retry, (allowed, said) in zip(retries, judged, strict=True):
        for verdict in () if allowed else said:
            if not verdict.allowed:
                refused.setdefault((retry.method_id, verdict.rule_id), []).append(verdict)
    kept = [i for i, (allowed, _) in enumerate(judged) if allowed]
    proposed = [retry.method_id for retry in retries]
    removed = tuple(Removed(m, proposed.count(m), len(found), found[-1]) for (m, _), found in refused.items())
    return Screened(tuple(retries[i] for i in kept), tuple(judged[i][1] for i in kept), removed)


def _judged(
    context: Context, retries: Sequence[Retry], rulebook: Rulebook, record: Record
) -> list[tuple[bool, tuple[Verdict, ...]]]:
    """(whether every rule allows it, the verdicts) of each retry."""
    judges = _judges(context, rulebook, record)
    routes: dict[tuple[str, str], list[int]] = {}
    for place, retry in enumerate(retries):
        routes.setdefault((retry.method_id, retry.processor), []).append(place)
    found: list[tuple[bool, tuple[Verdict, ...]]] = [(False, ())] * len(retries)
    for route, places in routes.items():
        slots = [retries[place].slot for place in places]
        starts = np.array([slot.start_micros for slot in slots], dtype=np.int64)
        ends = np.array([slot.end_micros for slot in slots], dtype=np.int64)
        for alike, said in judges(*route).throughout_each(starts, ends):
            for i in alike.tolist():
                found[places[i]] = said
    return found


def verdicts_on(context: Context, retry: Retry, rulebook: Rulebook) -> tuple[Verdict, ...]:
    """Every rule that applies to one retry; of the slot's two ends the one at which a rule forbids."""
    judge = _judges(context, rulebook, NOTHING)(retry.method_id, retry.processor)
    return judge.throughout(retry.slot.start_micros, retry.slot.end_micros)[1]


def _judges(context: Context, rulebook: Rulebook, record: Record) -> Callable[[str, str], Judge]:
    """The judge of each method and processor, prepared once."""
    tally = recorded_tally(context, record)
    known: dict[tuple[str, str], Judge] = {}

    def judge(method_id: str, processor: str) -> Judge:
        route = (method_id, processor)
        if route not in known:
            proposal = proposal_in(context, method_id, processor)
            known[route] = Judge(rulebook, tally, proposal, context.as_of, record)
        return known[route]

    return judge


def proposal_in(context: Context, method_id: str, processor: str) -> Proposal:
    """An attempt on the payment with a method through a processor, decided on now."""
    return Proposal(context.payment, context.method(method_id), processor, decided_at=context.as_of)


def retries_left(context: Context, rulebook: Rulebook, record: Record = NOTHING) -> int | None:
    """How many retries with the method that failed last the tightest limit leaves now.

    None where no limit counts, or the method is no longer on file.
    """
    listed = {method.method_id for method in context.methods}
    if not context.own_attempts or context.own_attempts[-1].method_id not in listed:
        return None
    last = context.own_attempts[-1]
    verdicts = _judges(context, rulebook, record)(last.method_id, last.processor).at(context.as_of)
    left = [v.limit - v.used for v in verdicts if v.limit is not None and v.used is not None]
    return max(min(left), 0) if left else None
