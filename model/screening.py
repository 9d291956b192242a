"""Parts the proposed retries into those that every rule allows and those that some rule forbids, with the reasons.

A slot counts as allowed when the rules allow an attempt at its first and at its last instant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.action import Retry
from features.context import Context
from features.instants import MICROSECOND
from model.caps.engine import prepare
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of
from model.caps.verdict import Verdict
from model.decision import Removed

Judge = Callable[[datetime], tuple[Verdict, ...]]


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


def screen(context: Context, retries: Sequence[Retry], rulebook: Rulebook) -> Screened:
    """Judge every proposed retry by the rules in force at its own time."""
    judges = _judges(context, rulebook)
    kept: list[Retry] = []
    verdicts: list[tuple[Verdict, ...]] = []
    refused: dict[tuple[str, str], list[Verdict]] = {}
    for retry in retries:
        judged = _judged(judges(retry.method_id, retry.processor), retry)
        against = [verdict for verdict in judged if not verdict.allowed]
        if not against:
            kept.append(retry)
            verdicts.append(judged)
        for verdict in against:
            refused.setdefault((retry.method_id, verdict.rule_id), []).append(verdict)
    proposed = [retry.method_id for retry in retries]
    removed = tuple(Removed(m, proposed.count(m), len(found), found[-1]) for (m, _), found in refused.items())
    return Screened(tuple(kept), tuple(verdicts), removed)


def verdicts_on(context: Context, retry: Retry, rulebook: Rulebook) -> tuple[Verdict, ...]:
    """Every rule that applies to one retry; of the slot's two ends the one at which a rule forbids."""
    return _judged(_judges(context, rulebook)(retry.method_id, retry.processor), retry)


def _judges(context: Context, rulebook: Rulebook) -> Callable[[str, str], Judge]:
    """The judge of each method and processor, prepared once."""
    tally = tally_of(context)
    known: dict[tuple[str, str], Judge] = {}

    def judge(method_id: str, processor: str) -> Judge:
        route = (method_id, processor)
        if route not in known:
            known[route] = prepare(rulebook, tally, _proposal(context, method_id, processor)).at
        return known[route]

    return judge


def _proposal(context: Context, method_id: str, processor: str) -> Proposal:
    return Proposal(context.payment, context.method(method_id), processor, decided_at=context.as_of)


def _judged(judge: Judge, retry: Retry) -> tuple[Verdict, ...]:
    first = judge(retry.slot.start)
    if not all(verdict.allowed for verdict in first):
        return first
    last = judge(retry.slot.end - MICROSECOND)
    return first if all(verdict.allowed for verdict in last) else last
