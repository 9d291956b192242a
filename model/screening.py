"""Parts the proposed retries into those that every rule allows and those that some rule forbids, with the reasons.

A slot counts as allowed when the rules allow an attempt at its first and at its last instant.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.known import distinct
from features.proposed import Proposed
from model.caps.proposal import Proposal
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.decision import Removed
from model.record import NOTHING, Judge, Record, recorded_tally

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Screened:
    """What the rules leave of the proposed retries.

    Args:
        allowed: In the order proposed.
        verdicts: Of each allowed retry, every rule that applies at the start of its slot.
        removed: What was taken away, grouped by method and rule, in the order met.
    """

    allowed: Proposed
    verdicts: tuple[tuple[Verdict, ...], ...]
    removed: tuple[Removed, ...]


def screen(context: Context, retries: Sequence[Retry], rulebook: Rulebook, record: Record = NOTHING) -> Screened:
    """Judge every proposed retry by the rules in force at its own time, counting what is on record too."""
    proposed = Proposed.of(retries)
    answers = list(_answers(proposed, _judges(context, rulebook, record)))
    said = np.empty(len(proposed), dtype=np.int64)
    for number, answer in enumerate(answers):
        said[answer.places] = number
    allows = np.array([answer.allowed for answer in answers], dtype=np.bool_)
    kept = np.flatnonzero(allows[said])
    verdicts = [answer.verdicts for answer in answers]
    return Screened(proposed.take(kept), tuple(verdicts[i] for i in said[kept].tolist()), _removed(proposed, answers))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the rules say alike of some proposed retries of one method.

    Args:
        places: Of the retries among all, not in order.
    """

    method_id: str
    places: Int64s
    allowed: bool
    verdicts: tuple[Verdict, ...]


def _answers(proposed: Proposed, judges: Callable[[str, str], Judge]) -> Iterator[_Answer]:
    """Every retry is in one answer; routes that the same judge speaks of are asked about together."""
    of_judge: dict[int, tuple[Judge, str, list[int]]] = {}
    for number in distinct(proposed.route).tolist():
        method_id, processor = proposed.routes[number]
        judge = judges(method_id, processor)
        of_judge.setdefault(id(judge), (judge, method_id, []))[2].append(number)
    for judge, method_id, routes in of_judge.values():
        theirs = np.zeros(len(proposed.routes), dtype=np.bool_)
        theirs[routes] = True
        places = np.flatnonzero(theirs[proposed.route])
        for alike, (allowed, said) in judge.throughout_each(proposed.start[places], proposed.end[places]):
            yield _Answer(method_id, places[alike], allowed, said)


def _removed(proposed: Proposed, answers: Sequence[_Answer]) -> tuple[Removed, ...]:
    """What was taken away by method and rule, in the order in which the retries meet it, with the last that met it."""
    refusing = sorted((answer for answer in answers if not answer.allowed), key=lambda answer: int(answer.places.min()))
    counts: dict[tuple[str, str], int] = {}
    latest: dict[tuple[str, str], tuple[int, Verdict]] = {}
    for answer in refusing:
        last = int(answer.places.max())
        for verdict in answer.verdicts:
            if not verdict.allowed:
                rule = (answer.method_id, verdict.rule_id)
                counts[rule] = counts.get(rule, 0) + answer.places.size
                latest[rule] = max(latest.get(rule, (-1, verdict)), (last, verdict), key=itemgetter(0))
    methods, of_route = proposed.methods
    asked = np.bincount(of_route[proposed.route], minlength=len(methods)).tolist() if refusing else ()
    of_method = dict(zip(methods, asked, strict=False))
    return tuple(Removed(rule[0], of_method[rule[0]], count, latest[rule][1]) for rule, count in counts.items())


def verdicts_on(context: Context, retry: Retry, rulebook: Rulebook) -> tuple[Verdict, ...]:
    """Every rule that applies to one retry; of the slot's two ends the one at which a rule forbids."""
    judge = _judges(context, rulebook, NOTHING)(retry.method_id, retry.processor)
    return judge.throughout(retry.slot.start_micros, retry.slot.end_micros)[1]


def _judges(context: Context, rulebook: Rulebook, record: Record) -> Callable[[str, str], Judge]:
    """The judge of each method and processor; one for all processors of a method that the rules do not tell apart."""
    tally = recorded_tally(context, record)
    known: dict[tuple[object, ...], Judge] = {}

    def judge(method_id: str, processor: str) -> Judge:
        proposal = proposal_in(context, method_id, processor)
        rules = rulebook.binding(proposal)
        apart = any(KeyPart.PROCESSOR in rule.key for rule in rules)
        kind = (method_id, processor if apart else None, *map(id, rules))
        if kind not in known:
            known[kind] = Judge(rulebook, tally, proposal, context.as_of, record)
        return known[kind]

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
