"""A registered version is judged beside the champion, on payments that taught neither."""

import csv
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from model.artifact import read_artifact, write_artifact
from model.caps.rulebook import Rulebook
from model.economics import Economics
from replay_builders import HORIZON, monthly_log
from serving.evaluation import Asked, evaluated
from serving.settings import Settings
from training.trial.lineup import wanted_policies
from training.trial.runs import Terms

TERMS = Terms(Rulebook(()), Economics.default(), (1,), HORIZON, wanted=wanted_policies(["best-fixed"]), resamples=100)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("recorded")
    table, outcomes = monthly_log(40, seed=3)
    pq.write_table(table, folder / "history.parquet")
    with (folder / "outcomes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("invoice", "would_clear"), *outcomes.items()])
    files = folder / "history.parquet", folder / "outcomes.csv"
    return Asked(*files, model=None, version="2", folds=None, windows=2, routing=False, slot_hours=3, payments=20)


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def test_a_version_is_played_beside_the_champion_and_the_champion_alone(
    asked: Asked, artifact: Path, settings: Settings, tmp_path: Path
) -> None:
    champion = replace(settings, model=artifact)
    other = tmp_path / "other"
    write_artifact(replace(read_artifact(artifact), card="# Another model\n"), other)
    found = {"1": artifact, "2": other}
    report = evaluated(asked, TERMS, champion, quiet, found.__getitem__)
    assert f"asks model {read_artifact(other).version}, beside the champion {read_artifact(artifact).version}." in (
        report.lead
    )
    assert report.figures["ahead/plan-of-champion/at_most_1/net"] == 0.0
    alone = evaluated(replace(asked, version="1"), TERMS, champion, quiet, found.__getitem__)
    assert "beside the champion" not in alone.lead
    assert not any("plan-of-champion" in name for name in alone.figures)


def test_a_version_is_judged_in_a_world_only(asked: Asked, artifact: Path, settings: Settings) -> None:
    for wrong in (replace(asked, world=None), replace(asked, model=artifact), replace(asked, folds=2)):
        with pytest.raises(InputError, match="--version needs --world"):
            evaluated(wrong, TERMS, settings, quiet, Path)
