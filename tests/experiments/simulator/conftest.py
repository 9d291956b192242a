"""One small world, made once, for every test of the simulator."""

from datetime import date

import pyarrow as pa
import pytest

from experiments.simulator.generate import Generated, generate
from experiments.simulator.history_table import history_table
from experiments.simulator.settings import Settings
from experiments.simulator.truth import read_truth, settings_json, truth_tables
from experiments.simulator.world import SimulatedWorld

SETTINGS = Settings(seed=11, start=date(2025, 1, 1), months=12, customers=6_000)


@pytest.fixture(scope="session")
def made() -> Generated:
    return generate(SETTINGS)


@pytest.fixture(scope="session")
def history(made: Generated) -> pa.Table:
    return history_table(made.hidden, made.journal)


@pytest.fixture(scope="session")
def world(made: Generated, history: pa.Table) -> SimulatedWorld:
    return SimulatedWorld(read_truth(settings_json(made.settings), truth_tables(made)), history)
