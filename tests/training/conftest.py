"""One small trained model that the tests of training share."""

from pathlib import Path

import pytest

from made_registry import MakeRegistry
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.pipeline import TrainingResult, train
from training.tracking import Tracking
from training_histories import write_history

QUICK = TreeSettings(max_trees=60, patience=15, learning_rate=0.15, threads=1)


@pytest.fixture(scope="session")
def history_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("history") / "learnable.parquet")


@pytest.fixture(scope="session")
def result(history_file: Path) -> TrainingResult:
    return train(TrainingConfig(history_file, trees=QUICK, resamples=100))


@pytest.fixture(scope="session")
def shared_tracking(tmp_path_factory: pytest.TempPathFactory, make_registry: MakeRegistry) -> Tracking:
    """One MLflow database for tests that keep apart by the names they use."""
    home = tmp_path_factory.mktemp("tracking")
    return Tracking(make_registry(home), home / "mlartifacts")
