"""`recoup evaluate` writes a report and keeps a run, or refuses in one sentence."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
import pytest

from replay_builders import monthly_log


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]


def files(tmp_path: Path, payments: int) -> tuple[Path, Path]:
    """A log and its recorded outcomes."""
    table, outcomes = monthly_log(payments, seed=21)
    history, recorded = tmp_path / "history.parquet", tmp_path / "outcomes.csv"
    pq.write_table(table, history)
    with recorded.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["invoice", "would_clear"])
        writer.writerows(outcomes.items())
    return history, recorded


@pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other
def test_a_cross_fitted_evaluation_is_written_and_kept(recoup: Recoup, tmp_path: Path) -> None:
    history, recorded = files(tmp_path, 300)
    out = tmp_path / "reports" / "report.html"
    options = ("--crossfit", 2, "--windows", 0, "--max-retries", "1", "--resamples", 100, "--limits", "none")
    chosen = ("--policies", "best-fixed,no-retry")
    ran = recoup("evaluate", "--history", history, "--world", recorded, *options, *chosen, "--out", out)
    assert ran.code == 0, ran.err
    assert "With at most 1 retry, the plan recovers" in ran.out
    assert "MLflow run " in ran.out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    data = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    names = [one["policy"] for one in data["at_most"]["1"]["policies"]]
    assert names == ["plan", "best-fixed", "no-retry"]


@pytest.mark.filterwarnings("ignore")  # as above
def test_a_simulated_world_is_played_by_what_its_log_taught(recoup: Recoup, tmp_path: Path) -> None:
    world, model = tmp_path / "world", tmp_path / "model"
    assert recoup("simulate", "--out", world, "--customers", 1_200, "--months", 8, "--seed", 3).code == 0
    quick = ("--trees", 20, "--no-register", "--out", model, "--threads", 1)
    assert recoup("train", "--history", world / "history.parquet", *quick).code in {0, 3}
    played = ("--max-retries", "2", "--payments", 40, "--policies", "best-fixed,oracle", "--no-track")
    ran = recoup("evaluate", "--world", world, "--model", model, *played, "--resamples", 100)
    assert ran.code == 0, ran.err
    assert "No retry of the plan was made against a limit in force" in ran.out
    assert "the same planner is with the true probabilities" in ran.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "give --world to play policies in"),
        (("--world", "outcomes.csv"), "needs --history"),
        (("--history", "h.parquet", "--crossfit", 3), "--crossfit needs --world"),
        (("--history", "h.parquet", "--policies", "magic"), "--policies: 'magic' is not accepted"),
        (("--history", "h.parquet", "--max-retries", "1,many"), "--max-retries: '1,many' is not accepted"),
        (("--history", "h.parquet", "--routing"), "h.parquet: no such file"),
        (("--history", "h.parquet"), "no model to judge"),
    ],
)
def test_what_does_not_fit_together_is_refused(recoup: Recoup, options: tuple[str, ...], told: str) -> None:
    ran = recoup("evaluate", *options)
    assert ran.code == 2
    assert told in ran.err
    assert ran.err.count("\n") == 1
