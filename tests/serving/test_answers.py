"""The body that goes out is what its shape writes, byte for byte."""

from dataclasses import replace

from hypothesis import given, settings

from context_builders import contexts
from features.action import Stop
from features.context import Context
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.decision import Assignment, Choice, Decision, StopReason
from model.economics import Economics
from model.prior import PriorScorer
from model.step_down import Distrust, StepDown
from serving.answer_schemas import DecisionAnswer
from serving.answers import answer_body, answer_of

RULEBOOK, ECONOMICS, PRIOR = Rulebook.load(), Economics.default(), PriorScorer()


def written(decision: Decision, failure: Context) -> bytes:
    """The body as its shape writes it, once it has been read by the shape alone."""
    body = answer_body(decision, failure)
    shape = DecisionAnswer.model_validate_json(body)
    assert body == answer_of(decision, failure).model_dump_json().encode()
    return shape.model_dump_json().encode()


@given(contexts())
@settings(max_examples=30, deadline=None)
def test_every_answer_is_written_as_its_shape_writes_it(failure: Context) -> None:
    decision = decide(failure, PRIOR, RULEBOOK, ECONOMICS)
    assert written(decision, failure) == answer_body(decision, failure)


@given(contexts())
@settings(max_examples=10, deadline=None)
def test_what_is_rarely_said_is_written_as_its_shape_writes_it(failure: Context) -> None:
    decision = decide(failure, PRIOR, RULEBOOK, ECONOMICS)
    step = StepDown("model", Distrust.SLOW, "Too slow: „5 s“ over.")
    rarely = (
        replace(decision, choice=Choice(Stop(StopReason.ON_HOLD), 1.0)),
        replace(decision, stepped_down=(step,), policy_source="schedule"),
        replace(decision, assignment=Assignment("dunning", "plan", "cus_1", 0.1 + 0.2, tester=True)),
    )
    for other in rarely:
        assert written(other, failure) == answer_body(other, failure)
