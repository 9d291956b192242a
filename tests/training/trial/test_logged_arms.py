"""Arms valued off a log with known propensities: against the truth that made it, and against the sums by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from experiments.definition import Target
from experiments.history_contexts import HistoryContexts
from experiments.off_policy.amounts import Weighed, relative
from experiments.off_policy.decisions import Decisions
from experiments.resamples import Estimate, Resamples
from failure_histories import START
from features.action import Stop
from features.context import Context
from features.history import SCHEMA
from features.vocabulary import Rail
from model.caps.rulebook import Rulebook
from model.decision import Choice
from model.economics import Economics
from model.policies import NoRetry, Policy
from model.prior import PriorScorer
from model.retries import retries_made
from model.schedules import FixedDays, Schedule
from training.trial import logged_arms as module
from training.trial.logged_arms import LoggedArms, logged_arms

DAYS, PROPENSITY, CHANCE = (2, 5, 9), (0.5, 0.3, 0.2), (0.25, 0.45, 0.35)
LAST = START + timedelta(days=400)
Row = dict[str, object]


def a_log(seed: int, payments: int, *, stated: bool = True) -> list[Row]:
    """One retry a payment, on a day drawn with known chances; a tenth are by debit."""
    rng, rows = np.random.default_rng(seed), list[Row]()
    for number in range(payments):
        failed_at = START + timedelta(hours=int(rng.integers(0, 300 * 24)))
        day = int(rng.choice(3, p=PROPENSITY))
        common: Row = {
            "payment_id": f"pay_{number}",
            "merchant_id": "acme",
            "customer_id": f"cus_{number // 2}",
            "method_id": f"pm_{number // 2}",
            "rail": "card",
            "processor": "northgate",
            "amount_minor": int(rng.integers(1_000, 9_000)),
            "currency": "EUR",
            "network": "visa",
            "issuer_country": "DE",
            "market": "DE",
        }
        won = rng.random() < CHANCE[day]
        first = {"attempted_at": failed_at, "outcome": "declined", "code": "51", "attempt_id": f"a_{number}"}
        again = {
            "attempted_at": failed_at + timedelta(days=DAYS[day]),
            "outcome": "approved" if won else "declined",
            "code": None if won else "51",
            "attempt_id": f"b_{number}",
            "policy": "drawn" if stated else None,
            "propensity": PROPENSITY[day] if stated else None,
        }
        rows += [common | first, common | again]
    return rows


ALL = Target()


def untold(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def arms() -> dict[str, Policy]:
    days = {"second": 2, "fifth": 5, "third": 3}
    schedules = {name: Schedule(name, FixedDays((day,)), Rulebook(())) for name, day in days.items()}
    return {**schedules, "no-retry": NoRetry()}


def told(
    rows: list[Row], target: Target = ALL, window_days: int = 30, policies: Mapping[str, Policy] | None = None
) -> LoggedArms:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return logged_arms(
        list(HistoryContexts(table, 30).retries()),
        policies or arms(),
        "second",
        target,
        window_days,
        LAST,
        PriorScorer(),
        Economics.default().exchange,
        resamples=300,
        seed=1,
        tell=untold,
    )


def test_values_are_those_of_the_truth_that_made_the_logs_within_their_intervals() -> None:
    off = []
    for seed in range(3):
        found = told(a_log(seed, 1_300))
        second, fifth, third, nothing = found.arms
        assert (found.retried, found.usable) == (1_300, 1_300)
        for arm, truth in ((second, 0.25), (fifth, 0.45)):
            assert arm.whole
            assert arm.value is not None
            error = (arm.value.high - arm.value.low) / 3.92
            assert error < 0.06
            off.append((arm.value.value - truth) / error)
        assert fifth.change is not None
        assert fifth.change.low < 0.45 / 0.25 - 1 < fifth.change.high
        assert fifth.change.low > 0
        assert third.value is None
        assert (
            third.refusal == "the log holds an effective sample of 0 for it (0 of 1,300 match); at least 300 are needed"
        )
        assert nothing.value is not None
        assert nothing.value.value == 0.0
    assert max(map(abs, off)) < 3
    assert abs(sum(off)) < 3 * len(off) ** 0.5


def test_a_log_without_propensities_says_nothing_and_counts_what_was_retried() -> None:
    found = told(a_log(1, 40, stated=False))
    assert (found.retried, found.usable, found.arms) == (40, 0, ())


def test_payments_outside_the_target_or_whose_window_is_not_over_are_not_used() -> None:
    rows = a_log(2, 60)
    assert told(rows, Target(rails=(Rail.BANK_DEBIT,))).retried == 0
    starts = [row["attempted_at"] for row in rows[::2]]
    over = sum(start + timedelta(days=200) <= LAST for start in starts)  # type: ignore[operator]
    assert told(rows, window_days=200).retried == over < 60


@dataclass(frozen=True, slots=True)
class GivesUpFirst:
    """Stops at the first failure; asked again after a retry that it never made, it would retry once more."""

    name: str = "gives-up-first"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        again = Schedule("later", FixedDays((2, 12)), Rulebook(())).choices(contexts)
        return [
            one if retries_made(context) else Choice(Stop("not_worth_it"), 1.0)
            for context, one in zip(contexts, again, strict=True)
        ]


def with_second_retries(rows: list[Row]) -> list[Row]:
    """Every retry declined, and approved twelve days after the failure."""
    first, again = rows[::2], [row | {"outcome": "declined", "code": "51"} for row in rows[1::2]]
    later = [
        row
        | {"attempted_at": one["attempted_at"] + timedelta(days=12), "outcome": "approved", "code": None}  # type: ignore[operator]
        | {"attempt_id": f"c_{number}", "propensity": 1.0}
        for number, (one, row) in enumerate(zip(first, again, strict=True))
    ]
    return [row for three in zip(first, again, later, strict=True) for row in three]


def test_an_arm_that_gives_up_brings_nothing_back_however_the_log_went_on() -> None:
    rows = with_second_retries(a_log(5, 400))
    (arm,) = told(rows, policies={"second": GivesUpFirst()}).arms
    assert arm.whole
    assert arm.value == Estimate(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class HalfLater:
    """Retries every other payment on a day on which the log never did."""

    name: str = "half-later"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        second, third = (Schedule("", FixedDays((day,)), Rulebook(())).choices(contexts) for day in (2, 3))
        odd = [int(context.payment.payment_id.removeprefix("pay_")) % 2 for context in contexts]
        return [other if late else one for one, other, late in zip(second, third, odd, strict=True)]


def test_an_arm_that_does_in_part_what_the_log_never_did_is_refused() -> None:
    (arm,) = told(a_log(6, 1_400), policies={"second": HalfLater()}).arms
    assert arm.value is None
    assert "of what the target would do was never done in the log" in str(arm.refusal)


def test_amounts_weigh_every_estimator_as_sums_by_hand_do() -> None:
    rng = np.random.default_rng(3)
    n = 500
    logged, target = rng.uniform(0.2, 0.8, n), rng.integers(0, 2, n).astype(np.float64)
    reward, amount = rng.integers(0, 2, n).astype(np.float64), rng.uniform(1, 9, n)
    q, v = rng.uniform(0, 1, n), rng.uniform(0, 1, n)
    weighed = Weighed(Decisions(reward, logged, target, np.arange(n), q, v), amount)
    ips = snips_below = dr = owed = 0.0
    for i in range(n):
        w = target[i] / logged[i]
        ips += w * reward[i] * amount[i]
        snips_below += w * amount[i]
        dr += (v[i] + w * (reward[i] - q[i])) * amount[i]
        owed += amount[i]
    values = {name: above.sum() / below.sum() for name, (above, below) in weighed.ratios().items()}
    assert (values["ips"], values["snips"], values["dr"]) == pytest.approx((ips / owed, ips / snips_below, dr / owed))
    double = Weighed(Decisions(2 * reward, logged, target, np.arange(n), 2 * q, 2 * v), amount)
    draws = Resamples.draw(np.arange(n), 50, 1)
    change = relative(double, weighed, "dr", draws)
    assert change is not None
    assert (change.value, change.low, change.high) == pytest.approx((1.0, 1.0, 1.0))


def test_of_many_payments_some_are_drawn_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAYMENTS", 150)
    rows = a_log(3, 260)
    one, again = told(rows), told(rows)
    assert (one.usable, one.asked) == (260, 150)
    assert one == again
