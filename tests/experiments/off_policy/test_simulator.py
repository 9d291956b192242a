"""Off-policy intervals hold the simulator's own truth: its answers to every action, logged by drawing among them."""

from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.off_policy.decisions import Decisions
from experiments.off_policy.verdict import valued
from experiments.resamples import Resamples
from experiments.simulator.generate import generate
from experiments.simulator.history_table import history_table
from experiments.simulator.settings import Settings
from experiments.simulator.truth import read_truth, settings_json, truth_tables
from experiments.simulator.world import SimulatedWorld
from features.action import Retry, Slot
from features.vocabulary import Outcome

HOUR = timedelta(hours=1)
DAYS = (1, 2, 3, 5, 7, 10)
HOURS = (0, 6, 12)
LOGS = 500
DRAWN = 1_100  # payments of one log

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def truth() -> Floats:
    """Whether a retry of each payment clears on each day and hour, shape (payments, actions)."""
    made = generate(Settings(seed=5, start=date(2025, 1, 1), months=6, customers=1_800))
    history = history_table(made.hidden, made.journal)
    world = SimulatedWorld(read_truth(settings_json(made.settings), truth_tables(made)), history)
    proposals = [
        (context.payment.payment_id, Retry(Slot(start, start + HOUR), last.method_id, last.processor))
        for context in world.failures()
        for last in [context.own_attempts[-1]]
        for day in DAYS
        for hour in HOURS
        for start in [context.as_of + timedelta(days=day, hours=hour)]
    ]
    approved = [attempt.outcome is Outcome.APPROVED for attempt in world.submit_many(proposals)]
    return np.array(approved, dtype=np.float64).reshape(-1, len(DAYS) * len(HOURS))


def policies() -> tuple[Floats, Floats]:
    """(logging, target): early days most often; late days most often."""
    early = np.repeat(np.array([6, 5, 4, 3, 2, 1.0]), len(HOURS))
    late = np.repeat(np.array([1, 1, 2, 3, 4, 5.0]), len(HOURS))
    return early / early.sum(), late / late.sum()


def log_of(truth: Floats, rng: np.random.Generator) -> Decisions:
    logging, target = policies()
    payment = rng.integers(0, len(truth), DRAWN)  # a sample of the world's payments
    action = rng.choice(len(logging), DRAWN, p=logging)
    guess = truth.mean(axis=0) + 0.05  # a crude model: the rate of each action, and too hopeful
    return Decisions(
        truth[payment, action],
        logging[action],
        target[action],
        np.arange(DRAWN),
        q=guess[action],
        v=np.full(DRAWN, float(guess @ target)),
    )


def test_intervals_cover_the_simulators_truth_of_500_logs(truth: Floats) -> None:
    value = float((truth @ policies()[1]).mean())
    draws = Resamples.draw(np.arange(DRAWN), 300, seed=1)
    covered, refused = dict.fromkeys(("ips", "snips", "dr"), 0), 0
    for seed in range(LOGS):
        told = valued({"target": log_of(truth, np.random.default_rng(seed))}, draws)["target"]
        refused += told.refusal is not None
        for name in covered if told.refusal is None else ():
            covered[name] += told.values[name].low <= value <= told.values[name].high
    assert refused <= 0.04 * LOGS  # two standard errors are exceeded by chance in one of 44
    assert all(0.92 <= count / (LOGS - refused) <= 0.98 for count in covered.values()), covered


def test_the_value_differs_from_the_log_so_that_there_is_something_to_find(truth: Floats) -> None:
    logging, target = policies()
    assert (truth @ target).mean() > (truth @ logging).mean() + 0.01


def test_refusal_fires_when_support_is_removed(truth: Floats) -> None:
    log = log_of(truth, np.random.default_rng(2))
    last = np.equal(log.logged, log.logged.min())
    only_last = Decisions(log.reward, log.logged, np.where(last, 1 / len(HOURS), 0.0), log.customer, log.q, log.v)
    assert only_last.support.refusal is not None
