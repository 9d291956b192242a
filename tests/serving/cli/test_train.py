"""`recoup train` tells what it learnt and where it went, and refuses in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from model.artifact import read_artifact
from training_histories import write_history


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other
def test_a_history_of_coin_tosses_is_kept_as_a_run_and_ends_with_code_3(recoup: Recoup, tmp_path: Path) -> None:
    history = write_history(tmp_path / "coins.parquet", payments=800, learnable=False)
    ran = recoup("train", "--history", history, "--trees", 20, "--out", tmp_path / "model")
    assert ran.code == 3, ran.err
    assert "Gate: refused" in ran.out
    assert "Not registered" in ran.out
    assert "95 % intervals" in ran.out
    assert "logistic regression" in ran.out
    assert read_artifact(tmp_path / "model").version in ran.out
    assert (tmp_path / "home" / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--history", "nowhere.parquet"), "nowhere.parquet: no such file"),
        (("--history", "empty.parquet"), "not a whole Parquet file"),
        (("--history", "few.parquet"), "at least 25"),
        (("--history", "few.parquet", "--test-days", "0"), "test_days: 0"),
        (("--history", "few.parquet", "--test-days", "99"), "leaves none to train in"),
        (("--history", "few.parquet", "--boosters", "1"), "boosters: 1"),
        (("--history", "few.parquet", "--learning-rate", "0"), "learning_rate: 0"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_sentence(
    recoup: Recoup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.parquet").touch()
    write_history(tmp_path / "few.parquet", payments=30, days=20)
    ran = recoup("train", *arguments)
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    assert not (tmp_path / "home").exists()
