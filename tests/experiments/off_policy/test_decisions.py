"""Off-policy values equal what can be worked out by hand, and their intervals hold what they promise."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.off_policy.decisions import Decisions
from experiments.off_policy.verdict import contrasts, holm, valued
from experiments.resamples import Resamples

Floats = NDArray[np.float64]

REWARD = np.array([[0.1, 0.3, 0.5, 0.2], [0.6, 0.2, 0.1, 0.4]])  # by kind of customer and action
LOGGING = np.array([0.4, 0.3, 0.2, 0.1])
TARGET = np.array([0.1, 0.2, 0.4, 0.3])
ROWS_A_CUSTOMER = 2


def log_of(rng: np.random.Generator, customers: int, *, bias: float = 0.0, target: Floats = TARGET) -> Decisions:
    """Customers of two kinds, each with decisions that share the customer's luck; a model that is off by `bias`."""
    customer = np.repeat(np.arange(customers), ROWS_A_CUSTOMER)
    kind = rng.integers(0, 2, customers)[customer]
    action = rng.choice(4, size=customer.size, p=LOGGING)
    luck = rng.normal(0.0, 0.1, customers)[customer]
    reward = (rng.random(customer.size) < REWARD[kind, action] + luck).astype(np.float64)
    guess = REWARD[kind] + bias
    return Decisions(
        reward,
        LOGGING[action],
        target[action],
        customer,
        q=guess[np.arange(kind.size), action],
        v=guess @ target,
    )


def truth(target: Floats = TARGET) -> float:
    return float((REWARD @ target).mean())


def test_values_are_what_a_sheet_of_paper_says() -> None:
    log = Decisions(
        reward=np.array([1.0, 0.0, 1.0]),
        logged=np.array([0.5, 0.25, 0.5]),
        target=np.array([1.0, 0.0, 0.5]),
        customer=np.arange(3),
        q=np.array([0.5, 0.5, 0.25]),
        v=np.array([0.5, 0.25, 0.25]),
    )
    values = log.values()
    assert values["ips"] == pytest.approx((2 * 1 + 0 + 1 * 1) / 3)
    assert values["snips"] == pytest.approx(3 / 3)
    assert values["dm"] == pytest.approx(1 / 3)
    assert values["dr"] == pytest.approx(((0.5 + 2 * 0.5) + 0.25 + (0.25 + 0.75)) / 3)
    assert log.support.effective == pytest.approx(3**2 / 5)
    assert log.support.largest_share == pytest.approx(2 / 3)


def test_a_target_that_is_the_logging_policy_is_worth_what_the_log_brought() -> None:
    log = log_of(np.random.default_rng(1), 200, target=LOGGING)
    for estimator in ("ips", "snips"):
        assert log.values()[estimator] == pytest.approx(float(log.reward.mean()))
    assert log.support.effective == pytest.approx(400)


def test_the_doubly_robust_value_corrects_a_biased_model_and_the_direct_method_does_not() -> None:
    values = log_of(np.random.default_rng(2), 40_000, bias=0.2).values()
    assert values["dm"] == pytest.approx(truth() + 0.2, abs=0.01)
    assert values["dr"] == pytest.approx(truth(), abs=0.02)


def test_a_perfect_model_makes_the_doubly_robust_value_steadier() -> None:
    logs = [log_of(np.random.default_rng(seed), 300).values() for seed in range(200)]
    assert np.std([v["dr"] for v in logs]) < 0.9 * np.std([v["ips"] for v in logs])


def logs(count: int, customers: int) -> Iterator[Decisions]:
    for seed in range(count):
        yield log_of(np.random.default_rng(1_000 + seed), customers, bias=0.1)


def test_intervals_cover_the_truth_of_500_logs() -> None:
    customers = 400
    draws = Resamples.draw(np.repeat(np.arange(customers), ROWS_A_CUSTOMER), 400, seed=4)
    covered, refused = dict.fromkeys(("ips", "snips", "dr"), 0), 0
    for log in logs(500, customers):
        told = valued({"target": log}, draws)["target"]
        refused += told.refusal is not None
        for name in covered if told.refusal is None else ():
            covered[name] += told.values[name].low <= truth() <= told.values[name].high
    assert refused <= 20  # two standard errors are exceeded by chance in one of 44
    assert all(0.92 <= count / (500 - refused) <= 0.98 for count in covered.values()), covered


def test_a_paired_difference_is_narrower_than_two_values_apart() -> None:
    near = TARGET + np.array([0.02, 0.0, -0.02, 0.0])
    one, other = (log_of(np.random.default_rng(5), 1_000, target=target) for target in (TARGET, near))
    draws = Resamples.draw(one.customer, 500, seed=6)
    values = valued({"one": one, "other": other}, draws)
    (found,) = contrasts({"one": one, "other": other}, [("one", "other")], "dr", draws)
    assert found.difference is not None
    width = found.difference.high - found.difference.low
    assert width < 0.5 * (values["one"].values["dr"].high - values["one"].values["dr"].low)
    assert found.difference.value == pytest.approx(
        values["one"].values["dr"].value - values["other"].values["dr"].value
    )


def test_a_value_without_support_is_refused_with_its_reason() -> None:
    log = log_of(np.random.default_rng(7), 1_000)
    never = Decisions(log.reward, log.logged, np.where(log.logged == 0.1, log.target, 0.0), log.customer, log.q, log.v)
    elsewhere = np.where(log.customer % 10 < 3, 0.0, log.target)  # three customers in ten are served as none ever was
    apart = Decisions(log.reward, log.logged, elsewhere, log.customer, log.q, log.v)
    rare = Decisions(log.reward, np.where(np.arange(2_000) == 0, 1e-4, log.logged), log.target, log.customer)
    draws = Resamples.draw(log.customer, 50, seed=8)
    told = valued({"whole": log, "never": never, "apart": apart, "rare": rare}, draws)
    assert told["whole"].refusal is None
    assert "effective sample" in str(told["never"].refusal)
    assert "of what the target would do was never done in the log" in str(told["apart"].refusal)
    assert told["apart"].support.uncovered == pytest.approx(0.3, abs=0.1)
    assert told["rare"].refusal is not None
    assert told["never"].values == told["apart"].values == {}
    (found,) = contrasts({"whole": log, "never": never}, [("whole", "never")], "dr", draws)
    assert (found.difference, found.p) == (None, None)
    assert str(found.refusal).startswith("never: ")


def test_one_heavy_row_or_one_large_weight_is_refused() -> None:
    even = np.full(1_000, 0.5)
    customer = np.arange(1_000)
    heavy = Decisions(np.ones(1_000), np.where(customer == 0, 0.5 / 30, even), even, customer)
    large = Decisions(
        np.ones(5_000), np.where(np.arange(5_000) == 0, 0.5 / 60, 0.5), np.full(5_000, 0.5), np.arange(5_000)
    )
    assert "of the weight" in str(heavy.support.refusal)
    assert "largest weight is 60.0" in str(large.support.refusal)


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]) == [True, False, False]
    assert holm([0.001, 0.012, 0.02]) == [True, True, True]
    assert holm([]) == []
