"""Computes a kept decision again from what it was made from, and says whether it is the same, byte for byte."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from experiments.definition import Definition, Unit
from features.context import Context
from features.errors import RecoupError
from model.decide import decide
from model.decision import Assignment, Decision, after_stepping_down
from model.planner import POLICY
from model.record import Record
from model.scheduled import SCHEDULE, decide_by_schedule
from serving.answers import answer_body
from serving.decided_with import DecidedWith, Missing, Versions
from serving.differences import Difference, differences
from serving.kept_content import Content, unpacked
from serving.ledger.decisions import Headline, KeptDecision
from serving.live_experiments import arm_of
from serving.trust.ladder import by_schedule


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


@dataclass(frozen=True, slots=True)
class _Variant:
    """The variant of an experiment as a decider.

    Args:
        in_time: Whether its own policy answered; else the last resort did, and named the variant.
    """

    definition: Definition
    assignment: Assignment
    in_time: bool

    def __call__(self, context: Context, record: Record, parts: DecidedWith) -> Decision:
        scorer, rulebook, economics = parts.scorer, parts.rulebook, parts.economics
        arm = arm_of(self.definition, self.assignment.variant, scorer, rulebook, economics)
        if not self.in_time:
            return by_schedule(context, record, rulebook, economics, arm, self.assignment)
        return decide(context, scorer, rulebook, economics, record=record, arm=arm, assignment=self.assignment)


def _variant_of(content: Content, headline: Headline, versions: Versions) -> Decider | str | None:
    """Who decided for a variant, or why it cannot be asked again; None outside of experiments."""
    told = orjson.loads(content.answer).get("experiment")
    if told is None:
        return None
    name, variant = str(told["key"]), str(told["variant"])
    live = next((one for one in versions.service.experiments.live if one.definition.key == name), None)
    answerer = live.answerers.get(variant) if live else None
    in_time = headline.policy_source != "schedule"
    if live is None or answerer is None or (in_time and answerer.arm.name != headline.policy):
        return f"Variant {variant} of experiment {name} does not answer by policy {headline.policy} here."
    unit_id = content.context.payment.customer_id
    if live.definition.unit is Unit.PAYMENT:
        unit_id = content.context.payment.payment_id
    assignment = Assignment(name, variant, unit_id, float(told["propensity"]), bool(told["tester"]))
    return _Variant(live.definition, assignment, in_time)


def recomputed(kept: KeptDecision, versions: Versions) -> Recomputed:
    """A decision computed again with the versions that it names, and with nothing else."""
    headline, parts = kept.headline, versions.of(kept.headline)
    if isinstance(parts, Missing):
        return Recomputed(headline, Recomputation.MISSING, parts.sentences)
    try:
        content = unpacked(kept.content)
    except RecoupError as error:
        return Recomputed(headline, Recomputation.MISSING, (f"Its content cannot be read: {error}.",))
    decider = _variant_of(content, headline, versions) or DECIDERS.get(headline.policy)
    if decider is None:
        decider = f"Policy {headline.policy} is not one of this program."
    if isinstance(decider, str):
        return Recomputed(headline, Recomputation.MISSING, (decider,))
    return _compared(headline, content.answer, _answer_again(content, parts, decider))


def _answer_again(content: Content, parts: DecidedWith, decider: Decider) -> bytes:
    """The body of the answer; what refuses to decide what it once decided has the refusal for an answer."""
    try:
        decision = decider(content.context, content.record, parts)
        told = after_stepping_down(decision, content.stepped_down)
        return answer_body(told, content.context)
    except RecoupError as error:
        return orjson.dumps({"refused": str(error)})


def _compared(headline: Headline, before: bytes, again: bytes) -> Recomputed:
    if before == again:
        return Recomputed(headline, Recomputation.SAME)
    found, fields = differences(before, again)
    return Recomputed(headline, Recomputation.DIFFERS, differences=found, fields=fields)
