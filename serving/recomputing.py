"""Computes a kept decision again from what it was made from, and says whether it is the same, byte for byte."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from features.context import Context
from features.errors import RecoupError
from model.decide import decide
from model.decision import Decision, after_stepping_down
from model.planner import POLICY
from model.record import Record
from model.scheduled import SCHEDULE, decide_by_schedule
from serving.answers import answer_of
from serving.decided_with import DecidedWith, Missing, Versions
from serving.differences import Difference, differences
from serving.kept_content import Content, unpacked
from serving.ledger.decisions import Headline, KeptDecision


class Recomputation(StrEnum):
    """What computing a decision again came to."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"  # something it was made with is not there, so that it was not computed


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A kept decision, computed again.

    Args:
        missing: What is not there any more, one sentence each; only then it was not computed.
        differences: Where the answers differ, the first few of them.
        fields: In how many fields they differ altogether.
    """

    headline: Headline
    outcome: Recomputation
    missing: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    fields: int = 0


Decider = Callable[[Context, Record, DecidedWith], Decision]


def _by_plan(context: Context, record: Record, parts: DecidedWith) -> Decision:
    return decide(context, parts.scorer, parts.rulebook, parts.economics, record=record)


def _by_schedule(context: Context, record: Record, parts: DecidedWith) -> Decision:
    return decide_by_schedule(context, parts.rulebook, parts.economics, record=record)


# Who decided, by the policy that a decision names. Whatever else may answer has its line here.
DECIDERS: Mapping[str, Decider] = {POLICY: _by_plan, SCHEDULE.name: _by_schedule}


def recomputed(kept: KeptDecision, versions: Versions) -> Recomputed:
    """A decision computed again with the versions that it names, and with nothing else."""
    headline, parts = kept.headline, versions.of(kept.headline)
    decider = DECIDERS.get(headline.policy)
    if isinstance(parts, Missing):
        return Recomputed(headline, Recomputation.MISSING, parts.sentences)
    if decider is None:
        return Recomputed(headline, Recomputation.MISSING, (f"Policy {headline.policy} is not one of this program.",))
    try:
        content = unpacked(kept.content)
    except RecoupError as error:
        return Recomputed(headline, Recomputation.MISSING, (f"Its content cannot be read: {error}.",))
    return _compared(headline, content.answer, _answer_again(content, parts, decider))


def _answer_again(content: Content, parts: DecidedWith, decider: Decider) -> bytes:
    """The body of the answer; what refuses to decide what it once decided has the refusal for an answer."""
    try:
        decision = decider(content.context, content.record, parts)
        told = after_stepping_down(decision, content.stepped_down)
        return answer_of(told, content.context).model_dump_json().encode()
    except RecoupError as error:
        return orjson.dumps({"refused": str(error)})


def _compared(headline: Headline, before: bytes, again: bytes) -> Recomputed:
    if before == again:
        return Recomputed(headline, Recomputation.SAME)
    found, fields = differences(before, again)
    return Recomputed(headline, Recomputation.DIFFERS, differences=found, fields=fields)
