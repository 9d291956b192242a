"""Computes a kept decision again from what it was made from, and says whether it is the same, byte for byte.

The answer, that is, and the headline, which must be that of the decision. What is damaged is told of that decision
alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson
from pydantic import BaseModel

from experiments.definition import Definition, Unit
from features.context import Context
from features.errors import InvalidValueError, RecoupError, shorten
from model.decide import decide
from model.decision import Assignment, Decision, after_stepping_down
from model.planner import POLICY
from model.record import Record
from model.scheduled import SCHEDULE, decide_by_schedule
from serving.answer_schemas import AssignmentOut
from serving.answers import answer_body
from serving.decided_with import DecidedWith, Missing, Versions
from serving.differences import MOST, Difference, differences, shown
from serving.keeping import headline_of
from serving.kept_content import Content, unpacked
from serving.ledger.decisions import Headline, KeptDecision
from serving.live_experiments import arm_of
from serving.trust.ladder import by_schedule


class Recomputation(StrEnum):
    """What computing a decision again came to."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"  # something it was made with is not there or cannot be read, so that it was not computed


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A kept decision, computed again.

    Args:
        missing: What is not there any more or cannot be read, one sentence each; only then it was not computed.
        differences: Where the headlines and the answers differ, the first few of them.
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


class _Answered(BaseModel):
    """What an answer must say to be computed again."""

    experiment: AssignmentOut | None


def _assignment_in(answer: bytes) -> AssignmentOut | None:
    """The variant that an answer names; None outside of experiments.

    Raises:
        InvalidValueError: Not an answer.
    """
    try:
        return _Answered.model_validate(orjson.loads(answer)).experiment
    except ValueError:  # of JSON, and of the shape
        raise InvalidValueError("answer", answer.decode(errors="replace"), "the body of an answer") from None


def _variant_of(content: Content, headline: Headline, versions: Versions) -> Decider | str | None:
    """Who decided for a variant, or why it cannot be asked again; None outside of experiments.

    Raises:
        InvalidValueError: The answer cannot be read.
    """
    told = _assignment_in(content.answer)
    if told is None:
        return None
    name, variant = told.key, told.variant
    live = next((one for one in versions.service.experiments.live if one.definition.key == name), None)
    answerer = live.answerers.get(variant) if live else None
    in_time = headline.policy_source != "schedule"
    if live is None or answerer is None or (in_time and answerer.arm.name != headline.policy):
        return f"Variant {variant} of experiment {name} does not answer by policy {headline.policy} here."
    unit_id = content.context.payment.customer_id
    if live.definition.unit is Unit.PAYMENT:
        unit_id = content.context.payment.payment_id
    assignment = Assignment(name, variant, unit_id, told.propensity, told.tester)
    return _Variant(live.definition, assignment, in_time)


def recomputed(kept: KeptDecision, versions: Versions) -> Recomputed:
    """A decision computed again with the versions that it names, and with nothing else."""
    try:
        return _recomputed(kept, versions)
    except Exception as error:  # noqa: BLE001 - what somebody wrote into a row may do anything, and must end no run
        sentence = f"Computing it again failed ({type(error).__name__}: {shorten(str(error))})."
        return Recomputed(kept.headline, Recomputation.MISSING, (sentence,))


def _recomputed(kept: KeptDecision, versions: Versions) -> Recomputed:
    headline, parts = kept.headline, versions.of(kept.headline)
    if isinstance(parts, Missing):
        return Recomputed(headline, Recomputation.MISSING, parts.sentences)
    try:
        content = unpacked(kept.content)
        decider = _variant_of(content, headline, versions) or DECIDERS.get(headline.policy)
    except RecoupError as error:
        return Recomputed(headline, Recomputation.MISSING, (f"Its content cannot be read: {error}.",))
    if decider is None:
        decider = f"Policy {headline.policy} is not one of this program."
    if isinstance(decider, str):
        return Recomputed(headline, Recomputation.MISSING, (decider,))
    return _compared(headline, content, parts, decider)


def _compared(headline: Headline, content: Content, parts: DecidedWith, decider: Decider) -> Recomputed:
    """The decision computed again; where nothing but a refusal comes of it now, that is the first difference."""
    try:
        decision = after_stepping_down(decider(content.context, content.record, parts), content.stepped_down)
    except RecoupError as error:
        refused = Difference("refused", None, shown(str(error)))
        found, fields = differences(content.answer, b"{}")
        return Recomputed(headline, Recomputation.DIFFERS, differences=(refused, *found)[:MOST], fields=fields + 1)
    again = headline_of(decision, content.context, headline.answered_at, headline.reservation_id)
    in_columns = _columns_that_differ(headline, again)
    in_answer, fields = differences(content.answer, answer_body(decision, content.context))
    if not in_columns and not fields:
        return Recomputed(headline, Recomputation.SAME)
    both = (*in_columns, *in_answer)[:MOST]
    return Recomputed(headline, Recomputation.DIFFERS, differences=both, fields=fields + len(in_columns))


def _columns_that_differ(kept: Headline, again: Headline) -> tuple[Difference, ...]:
    if kept == again:
        return ()
    pairs = ((name, getattr(kept, name), getattr(again, name)) for name in Headline.__dataclass_fields__)
    return tuple(Difference(f"headline.{name}", shown(had), shown(has)) for name, had, has in pairs if had != has)
