"""The learnt route finds the better processor, and the log says what it is worth."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.errors import InputError
from features.history import SCHEMA
from model.economics import Economics
from replay_builders import FIRST
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.trial.routing import APPROVED, AS_LOGGED, LEARNT, PROFIT, Routing, routing
from training.trial.routing_report import routing_report

CHANCE = {"north": 0.6, "south": 0.3}


def log_of(purchases: int, seed: int, processors: tuple[str, ...] = ("north", "south")) -> pa.Table:
    """Single attempts, two in three of them through the worse processor whatever the purchase."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(purchases):
        processor = str(rng.choice(processors, p=(1 / 3, 2 / 3) if len(processors) == 2 else None))
        row = {
            "attempt_id": f"a{number}",
            "payment_id": f"p{number}",
            "merchant_id": "m",
            "customer_id": f"c{number}",
            "method_id": f"pm{number}",
            "rail": "card",
            "network": "visa",
            "processor": processor,
            "amount_minor": 2_000,
            "currency": "EUR",
            "attempted_at": FIRST + timedelta(minutes=60 * number),
            "outcome": "approved" if rng.random() < CHANCE[processor] else "declined",
            "issuer_country": "DE",
        }
        rows.append({name: row.get(name) for name in SCHEMA.names})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def judged(log: pa.Table) -> Routing:
    trees = TreeSettings(max_trees=30, patience=10, learning_rate=0.15, threads=1)
    config = TrainingConfig(Path("unused"), trees=trees, resamples=50)
    return routing(
        log,
        config,
        Economics.default(),
        folds=2,
        windows=1,
        resamples=200,
        seed=1,
        tell=lambda _step, _done, _total: None,
    )


@pytest.fixture(scope="module")
def found() -> Routing:
    return judged(log_of(2_400, seed=1))


def test_the_better_processor_is_found_and_valued(found: Routing) -> None:
    assert found.shares["north"] > 0.95
    for name, chance in CHANCE.items():
        for estimator in ("snips", "dr"):
            value = found.values[APPROVED][name].values[estimator]
            assert value.low - 0.02 < chance < value.high + 0.02
    assert found.values[PROFIT][AS_LOGGED].values["dr"].value < found.values[PROFIT][LEARNT].values["dr"].value


def test_the_gain_over_the_worse_processor_is_certain(found: Routing) -> None:
    ahead = {one.against: one for one in found.ahead}
    assert ahead["south"].holds
    assert ahead["south"].difference is not None
    assert ahead["south"].difference.low > 0
    assert ahead["north"].difference is not None
    assert abs(ahead["north"].difference.value) < 1.0


def test_the_report_leads_with_the_learnt_route(found: Routing) -> None:
    report = routing_report("Routes", "a log", found)
    assert report.findings[0].startswith("The learnt route is worth ")
    assert report.figures["routing/approved/north/snips"] == pytest.approx(0.6, abs=0.06)


def test_one_processor_leaves_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="one processor only"):
        judged(log_of(50, seed=2, processors=("north",)))
