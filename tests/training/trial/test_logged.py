"""What is read off a log is the truth that made it, or is refused: with propensities, without them, after a stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from context_builders import AMOUNT, card, failed
from experiments.history_contexts import LoggedRetry
from experiments.resamples import Estimate
from features.action import Action, Retry, Slot, Stop
from features.context import Context
from features.payment import Payment
from features.table import Asked
from features.vocabulary import Outcome
from model.decision import Choice
from model.policies import Policy
from model.retries import retries_made
from model.scorer import Scores, ScoreSource
from training.trial.logged import OffPolicy, off_policy

FAILED_AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
CARD = card("pm", country="GB", time_zone="UTC")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANCE = 0.2
BELIEVED = 0.6


@dataclass(frozen=True, slots=True)
class Planned:
    """The policy that the report is about; `next_action` says what it would do."""

    next_action: Callable[[Context], Action]
    name: str = "plan"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        return [Choice(self.next_action(context), 1.0) for context in contexts]


@dataclass(frozen=True, slots=True)
class Hopeful:
    """A model that believes in some hours of the day, in which a plan that asks it then retries."""

    hours: frozenset[int] = frozenset()
    version: str = "hopeful"
    source: ScoreSource = "model"

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        return tuple(self.score(*one) for one in asked)

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        p = np.array([BELIEVED if one.slot.start.hour in self.hours else CHANCE for one in retries])
        return Scores(p, p, p, self.version, self.source)


def at(day: int, hour: int) -> datetime:
    return FAILED_AT.replace(hour=hour) + day * DAY


def retry(start: datetime) -> Retry:
    return Retry(Slot(start, start + HOUR), "pm", "north")


def a_log(
    payments: int, hours: tuple[int, int], propensity: float | None, chances: Sequence[float] = (CHANCE,)
) -> list[LoggedRetry]:
    """Retries on one of four days and in one of some hours, both drawn evenly; each is approved with its chance."""
    rng, rows = np.random.default_rng(0), list[LoggedRetry]()
    for number in range(payments):
        payment = Payment(f"inv_{number}", "acme", f"cus_{number}", AMOUNT, FAILED_AT, FAILED_AT + 40 * DAY)
        own = [failed(CARD, now=FAILED_AT, ago=timedelta(0), payment_id=payment.payment_id)]
        for chance in chances:
            context = Context(payment, (CARD,), tuple(own), own[-1].at)
            start = own[-1].at.replace(hour=int(rng.integers(*hours))) + int(rng.integers(1, 5)) * DAY
            won = Outcome.APPROVED if rng.random() < chance else Outcome.DECLINED
            made = failed(CARD, now=start, ago=timedelta(0), payment_id=payment.payment_id, outcome=won)
            rows.append(LoggedRetry(context, made, "drawn", propensity))
            own.append(made)
            if won is Outcome.APPROVED:
                break
    return rows


def valued(rows: Sequence[LoggedRetry], policy: Policy, scorer: Hopeful, most: int = 1) -> OffPolicy:
    return off_policy(
        rows, lambda _: [policy], [most], scorer, slot_hours=3, resamples=200, seed=1, tell=lambda *_: None
    )


def nth(context: Context) -> int:
    return int(context.payment.payment_id.removeprefix("inv_"))


def test_without_propensities_a_hopeful_model_is_corrected_for_the_plan_that_believes_it() -> None:
    rows = a_log(6_000, (6, 18), None)
    found = valued(rows, Planned(lambda _: retry(at(2, 9))), Hopeful(frozenset({9})))
    plan = found.first["plan"]
    assert not found.stated
    assert plan.refusal is None
    for estimator in ("ips", "snips", "dr"):
        assert plan.values[estimator].low < CHANCE < plan.values[estimator].high
        assert plan.values[estimator].high - plan.values[estimator].low < 0.05


def test_without_propensities_a_plan_is_judged_by_its_day_wherever_within_it_the_plan_would_retry() -> None:
    rows = a_log(2_000, (0, 24), None)
    hopeful = Hopeful(frozenset({9}))
    early = valued(rows, Planned(lambda _: retry(at(2, 9))), hopeful).first["plan"]
    late = valued(rows, Planned(lambda _: retry(at(2, 20))), hopeful).first["plan"]
    assert early == late


def test_without_propensities_a_day_that_the_log_never_took_is_refused() -> None:
    rows = a_log(3_000, (9, 12), None)
    found = valued(rows, Planned(lambda one: retry(at(2 if nth(one) % 2 else 9, 9))), Hopeful())
    assert "of what the target would do was never done in the log" in str(found.first["plan"].refusal)


def test_a_plan_that_half_does_what_the_log_never_did_is_refused() -> None:
    rows, hopeful = a_log(6_000, (9, 15), 1 / 8), Hopeful(frozenset({21}))
    half = valued(rows, Planned(lambda one: retry(at(2, 21 if nth(one) % 2 else 12))), hopeful)
    whole = valued(rows, Planned(lambda one: retry(at(2, 9 if nth(one) % 2 else 12))), hopeful)
    assert "of what the target would do was never done in the log" in str(half.first["plan"].refusal)
    assert half.first["plan"].values == {}
    assert half.episodes[1]["plan"].refusal == half.first["plan"].refusal
    value = whole.first["plan"].values["dr"]
    assert value.low < CHANCE < value.high


def test_a_policy_that_gives_up_is_paid_nothing_for_how_the_log_went_on() -> None:
    rows = a_log(2_000, (9, 12), 0.25, chances=(0.0, 0.5))
    gives_up = Planned(lambda one: retry(one.as_of + DAY) if retries_made(one) else Stop("not_worth_it"))
    found = valued(rows, gives_up, Hopeful(), most=2).episodes[2]["plan"]
    assert found.refusal is None
    assert all(value == Estimate(0.0, 0.0, 0.0) for value in found.values.values())


def test_what_came_before_a_policy_gave_up_counts() -> None:
    rows = a_log(4_000, (9, 12), 0.25, chances=(0.3, 0.5))
    once = Planned(lambda one: Stop("not_worth_it") if retries_made(one) else retry(at(2, 9)))
    found = valued(rows, once, Hopeful(), most=2).episodes[2]["plan"]
    for value in found.values.values():
        assert value.low < 0.3 < value.high
