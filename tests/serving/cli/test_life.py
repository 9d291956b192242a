"""Which model answers is told and changed from the command line; what cannot be done is refused in a sentence."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from registered_versions import register
from training.life import Registry
from training.tracking import Tracking


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]

ignored = pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other


@pytest.mark.slow
@ignored
def test_a_first_model_answers_a_second_waits_is_refused_promoted_and_rolled_back(
    recoup: Recoup, tmp_path: Path
) -> None:
    assert "No champion: the shipped prior answers." in recoup("status").out
    tracking = Tracking(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", tmp_path / "home" / "mlartifacts")
    for hashed in ("old", "new"):
        Registry(tracking, datetime(2026, 11, 24, tzinfo=UTC)).enter(register(tracking, hashed), "same")
    status = recoup("status").out
    assert "Champion, since 2026-11-24 00:00 UTC: version 1, model old" in status
    assert "Challenger: version 2, model new" in status
    assert "slope 1.000 (0.950 to 1.050)" in status

    refused = recoup("promote", "2")
    assert refused.code == 3
    assert "no evaluation of its policy was given" in refused.out
    report = tmp_path / "evaluation.json"
    gain = {"value": 0.4, "low": 0.1, "high": 0.7}
    promotion = {
        "model_version": "new",
        "unit": "EUR a failed payment",
        "incumbent": {"name": "old", "net_value": gain},
        "best_baseline": {"name": "best-fixed", "net_value": gain},
        "breaches": 0,
        "slices": [{"by": "market", "word": "DE", "recovered": {"value": 0.0, "low": -0.02, "high": 0.02}}],
    }
    report.write_text(json.dumps({"promotion": promotion}))
    asked = recoup("promote", "2", "--evaluation", report)
    assert asked.code == 0, asked.out
    assert "✔ net value is 0.4 EUR a failed payment above the champion old" in asked.out
    assert "Version 2 is the champion" in asked.out
    assert "version 1 is the champion again" in recoup("rollback").out
    again = recoup("rollback")
    assert (again.code, again.err.count("\n")) == (2, 1)


@ignored
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "7", "--evaluation", "nowhere.json"), "nowhere.json: no such file"),
        (("monitor", "--history", "nowhere.parquet"), "there is no model to watch: no model yet"),
        (("monitor", "--history", "nowhere.parquet", "--since", "soon"), "--since"),
        (("tune", "--history", "nowhere.parquet", "--study", "a/b"), "--study: 'a/b'"),
        (("tune", "--history", "nowhere.parquet", "--trials", "0"), "--trials: 0"),
        (("tune", "--history", "nowhere.parquet", "--minutes", "0"), "--minutes: 0.0"),
        (("evaluate", "--history", "nowhere.parquet", "--version", "2"), "--version needs --world"),
        (("train", "--history", "nowhere.parquet", "--parameters", "nowhere.toml"), "nowhere.toml: no such file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    recoup: Recoup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = recoup(*arguments)
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
