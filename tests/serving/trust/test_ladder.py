"""The ladder: which policy answers, why, and that every limit holds on each of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event
from typing import NoReturn, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples

from api_builders import Clock
from context_builders import NOW, card, context, contexts, failed
from decisions_read import decision_in
from features.action import Retry
from features.context import Context
from features.errors import InvalidValueError
from features.table import Asked
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.decision import Decision, StopReason, Topic, decision_to_json
from model.economics import Economics
from model.prior import PriorScorer
from model.record import Halt, Record
from model.reliance import TAKEN_AT_ITS_WORD, Reliance
from model.scorer import Scores, ScoreSource
from model.screening import verdicts_on
from model.step_down import Distrust
from serving.app import create_app
from serving.registry import Answering
from serving.service import Service
from serving.settings import Settings
from serving.trust.apart import Apart, BusyError
from serving.trust.breaker import FIRST_REST_SECONDS, IN_A_ROW
from serving.trust.ladder import Bounds

Answer = TypeVar("Answer")
RULES, MONEY = Rulebook.load(), Economics.default()
SHORT = context((card(),), (failed(card()),))


@dataclass
class Seconds:
    """A clock that tests set."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Model:
    """Says what the prior says, in the name of a model, after something has happened."""

    before: Callable[[], object] = lambda: None
    asked: int = 0
    version: str = "a model"
    source: ScoreSource = "model"
    inner: PriorScorer = field(default_factory=PriorScorer)

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        self.asked += 1
        self.before()
        return tuple(replace(one, version=self.version, source=self.source) for one in self.inner.score_many(asked))


def service(
    model: Model, clock: Seconds, reliance: Reliance = TAKEN_AT_ITS_WORD, max_age_days: int | None = None
) -> Service:
    bounds = Bounds(seconds=8.0, clock=clock, max_age_days=max_age_days)
    return Service(Answering(model, "a test", reliance=reliance), RULES, MONEY, bounds)


def whys(decision: Decision) -> list[tuple[str, Distrust]]:
    return [(step.policy_source, step.why) for step in decision.stepped_down]


def fails() -> None:
    raise RuntimeError("a fault")


def test_a_model_in_time_answers_as_if_there_were_no_ladder() -> None:
    model, clock = Model(), Seconds()
    found = service(model, clock).for_request(None).decide(SHORT)
    assert decision_to_json(found) == decision_to_json(decide(SHORT, Model(), RULES, MONEY))
    assert found.stepped_down == ()


@examples(max_examples=12, deadline=None)
@given(contexts())
def test_where_the_model_fails_the_prior_answers_as_it_would_by_itself_and_says_why(any_context: Context) -> None:
    found = service(Model(fails), Seconds()).for_request(None).decide(any_context)
    alone = decide(any_context, PriorScorer(), RULES, MONEY)
    if found.stepped_down:
        assert whys(found) == [("model", Distrust.FAILING)]
        assert found.reasons[0].topic is Topic.POLICY
        assert "ended in an error" in found.reasons[0].sentence
        assert found.reasons[1:] == alone.reasons
    assert (found.choice, found.plan, found.policy_source) in (
        (alone.choice, alone.plan, "prior"),
        (alone.choice, alone.plan, "model"),  # nothing was to be scored, so nothing failed
    )
    assert decision_in(decision_to_json(found)) == found


def test_a_model_that_is_missing_stale_or_outside_of_its_calibration_is_not_even_asked() -> None:
    clock = Seconds()
    old = Reliance({}, {}, learnt_until=NOW - timedelta(days=31))
    unseen = Reliance({"category": frozenset({"expired_card"})}, {})
    for why, reliance in ((Distrust.STALE, old), (Distrust.OUTSIDE_CALIBRATION, unseen)):
        model = Model()
        assert whys(service(model, clock, reliance, 30).decide(SHORT)) == [("model", why)]
        assert model.asked == 0
    assert service(Model(), clock, old, 31).decide(SHORT).stepped_down == ()
    missing = Service(Answering(PriorScorer(), "nothing", refused="none"), RULES, MONEY).decide(SHORT)
    assert whys(missing) == [("model", Distrust.MISSING)]
    assert missing.versions.model == PriorScorer().version


def test_a_slow_model_has_half_of_the_time_and_the_prior_answers_in_the_rest() -> None:
    clock = Seconds()

    def slow() -> None:
        clock.now += 4.5

    model = Model(slow)
    found = service(model, clock).for_request(None).decide(SHORT)
    assert (whys(found), found.policy_source) == ([("model", Distrust.SLOW)], "prior")
    assert model.asked == 1  # given up between scoring and planning
    assert clock.now < 8.0


def test_a_model_that_never_comes_back_does_not_keep_the_reply() -> None:
    ends = Event()
    plain = service(Model(ends.wait), Seconds())
    bound = replace(plain, bounds=Bounds(seconds=0.5, run=Apart())).for_request(None)
    found = bound.decide(SHORT)
    ends.set()
    assert whys(found)[0] == ("model", Distrust.SLOW)
    assert found.policy_source in {"prior", "schedule"}


def test_a_prior_that_is_late_too_leaves_it_to_the_schedule() -> None:
    clock = Seconds()

    def creep() -> float:
        clock.now += 3.0  # every look at the clock costs three seconds
        return clock.now

    found = service(Model(), clock)
    found = replace(found, bounds=replace(found.bounds, clock=creep)).for_request(None)
    decision = found.decide(SHORT)
    assert whys(decision) == [("model", Distrust.SLOW), ("prior", Distrust.SLOW)]
    assert (decision.policy, decision.policy_source, decision.score) == ("fixed-1-3-5-7", "schedule", None)
    assert [reason.topic for reason in decision.reasons[:2]] == [Topic.POLICY, Topic.POLICY]


def test_after_three_troubles_it_is_left_alone_and_asked_again_after_a_rest() -> None:
    clock, faulty = Seconds(), [True]

    def sometimes() -> None:
        if faulty[0]:
            fails()

    model = Model(sometimes)
    asks = service(model, clock)
    for _ in range(IN_A_ROW):
        asks.for_request(None).decide(SHORT)
    assert model.asked == IN_A_ROW
    resting = asks.for_request(None).decide(SHORT)
    assert (model.asked, whys(resting)) == (IN_A_ROW, [("model", Distrust.FAILING)])
    assert "left alone" in resting.reasons[0].sentence
    clock.now += FIRST_REST_SECONDS
    faulty[0] = False
    assert asks.for_request(None).decide(SHORT).stepped_down == ()


def test_a_caller_in_a_hurry_is_answered_in_its_time_and_takes_the_model_from_nobody() -> None:
    clock = Seconds()

    def slow() -> None:
        clock.now += 0.1

    asks = service(Model(slow), clock)
    for _ in range(IN_A_ROW * 2):
        assert whys(asks.for_request(50).decide(SHORT))[0] == ("model", Distrust.SLOW)
    assert asks.for_request(None).decide(SHORT).stepped_down == ()
    assert asks.for_request(600_000).until == clock.now + 8.0  # never more than the service's own


def nobody_has_a_turn(work: Callable[[], object], seconds: float, whose: str = "", *, large: bool = False) -> NoReturn:
    raise BusyError


def test_a_turn_that_does_not_come_is_busy_and_takes_the_policy_from_nobody() -> None:
    asks = service(Model(), Seconds())
    crowded = replace(asks, bounds=replace(asks.bounds, run=nobody_has_a_turn))
    for _ in range(IN_A_ROW * 2):
        found = crowded.for_request(None).decide(SHORT)
        assert whys(found) == [("model", Distrust.BUSY), ("prior", Distrust.BUSY)]
        assert "the turn of the model did not come" in found.reasons[0].sentence
    assert asks.for_request(None).decide(SHORT).stepped_down == ()


def test_a_large_request_that_is_slow_takes_the_model_from_nobody() -> None:
    clock = Seconds()

    def slow() -> None:
        clock.now += 4.5

    model = Model(slow)
    asks = service(model, clock)
    attempts = tuple(failed(card(), ago=timedelta(hours=1 + number)) for number in range(500))
    for _ in range(IN_A_ROW * 2):
        found = asks.for_request(None).decide(replace(SHORT, attempts=attempts))
        assert whys(found)[0] == ("model", Distrust.SLOW)
    model.before = lambda: None
    assert asks.for_request(None).decide(SHORT).stepped_down == ()


def test_what_was_waited_for_a_turn_is_not_held_against_the_policy() -> None:
    clock = Seconds()

    def late(work: Callable[[], Answer], seconds: float, whose: str = "", *, large: bool = False) -> Answer:
        clock.now += seconds - 0.1
        return work()

    def slow() -> None:
        clock.now += 0.2

    model = Model(slow)
    asks = service(model, clock)
    crowded = replace(asks, bounds=replace(asks.bounds, run=late))
    for _ in range(IN_A_ROW * 2):
        assert whys(crowded.for_request(None).decide(SHORT))[0] == ("model", Distrust.SLOW)
    assert asks.for_request(None).decide(SHORT).stepped_down == ()


def test_a_request_at_fault_is_refused_and_not_held_against_the_model() -> None:
    asks = service(Model(), Seconds())
    nothing_tried = replace(SHORT, attempts=())
    for _ in range(IN_A_ROW * 2):
        with pytest.raises(InvalidValueError, match="attempts"):
            asks.decide(nothing_tried)
    assert asks.decide(SHORT).stepped_down == ()


@examples(max_examples=12, deadline=None)
@given(contexts())
def test_every_limit_and_every_halt_holds_on_the_last_rung(any_context: Context) -> None:
    clock = Seconds()
    asks = service(Model(fails), clock)
    for _ in range(IN_A_ROW):
        asks.prior.troubled(Distrust.FAILING, 0.0)
        asks.answering.breaker.troubled(Distrust.FAILING, 0.0)
    found = asks.decide(any_context)
    assert found.policy_source == "schedule"
    if found.retry is not None:
        assert all(verdict.allowed for verdict in verdicts_on(any_context, found.retry, RULES))
        assert all(verdict.allowed for verdict in found.verdicts)
        assert found.retry.slot.end > any_context.as_of
        assert any_context.method(found.retry.method_id).consented
    halted = asks.decide(any_context, Record(halt=Halt(StopReason.ON_HOLD, ("Stopped.",))))
    assert halted.retry is None


def test_a_model_that_fails_on_a_worked_example_at_start_does_not_answer(settings: Settings) -> None:
    app = create_app(settings, service=service(Model(fails), Seconds()), clock=Clock())

    async def told() -> tuple[int, dict[str, object]]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://recoup") as client,
        ):
            return (await client.get("/ready")).status_code, (await client.get("/v1/models")).json()

    status, models = asyncio.run(told())
    assert (status, models["policy_source"]) == (200, "prior")
    assert models["refused"] == "it failed on a worked example (RuntimeError)"
