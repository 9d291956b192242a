"""An empty MLflow registry, made once for all tests: making its database takes longer than what most do with it."""

import fcntl
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

MakeRegistry = Callable[[Path], str]


@pytest.fixture(scope="session")
def make_registry(tmp_path_factory: pytest.TempPathFactory) -> MakeRegistry:
    """Puts an empty registry, with the tables of the installed MLflow, at `mlflow.db` of a folder; its URI."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    template = shared / "empty" / "mlflow.db"

    def made(folder: Path) -> str:
        with shared.joinpath("empty.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                _make(template)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(template, folder / "mlflow.db")
        return f"sqlite:///{folder / 'mlflow.db'}"

    return made


def _make(template: Path) -> None:
    template.parent.mkdir(exist_ok=True)
    opened = template.with_name("opened.db")
    uri = f"sqlite:///{opened}"
    with warnings.catch_warnings():
        # MLflow's own dependencies deprecate each other; as an error it would break its tables for the whole process.
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient  # most runs of a few tests need no MLflow, which takes long to import

        MlflowClient(uri, uri).search_experiments()
    shutil.copy(opened, template)
