"""A world that stays the same raises no alarm; one that changes is told by what changed."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from experiments.resamples import Estimate
from features.errors import InputError
from model.artifact import Artifact
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.monitor import MIN_ROWS, Watched, alarms, watch
from training.monitor_log import log_watch, to_json, write_files
from training.pipeline import train
from training.tracking import Tracking, connect
from training_histories import START, write_history

QUICK = TreeSettings(max_trees=30, patience=10, learning_rate=0.15, threads=1)
CUT = START + timedelta(days=100)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("watched") / "whole.parquet", payments=3_000, days=140)


@pytest.fixture(scope="module")
def artifact(whole: Path) -> Artifact:
    table = pq.read_table(whole)
    early = whole.parent / "early.parquet"
    pq.write_table(table.filter(pc.less(table["attempted_at"], pa.scalar(CUT))), early)
    return train(TrainingConfig(early, trees=QUICK, resamples=100)).artifact


def look(artifact: Artifact, history: Path) -> Watched:
    return watch(artifact, TrainingConfig(history, resamples=100))


def changed(whole: Path, name: str, column: str, values: pa.ChunkedArray) -> Path:
    """The history with another column from the cut on."""
    table = pq.read_table(whole)
    late = pc.greater_equal(table["attempted_at"], pa.scalar(CUT))
    other = pc.if_else(late, values, table[column])
    path = whole.parent / f"{name}.parquet"
    pq.write_table(table.set_column(table.schema.get_field_index(column), table.schema.field(column), other), path)
    return path


def test_the_same_world_keeps_its_amounts_reasons_and_log_loss(artifact: Artifact, whole: Path) -> None:
    found = look(artifact, whole)
    assert found.rows > 500
    still = {drift.name for drift in found.columns if not drift.is_shift}
    assert {"amount", "decline_category", "currency", "attempts_before"} <= still
    assert not [alarm for alarm in found.alarms if alarm.startswith("log loss")]
    assert sum(week.rows for week in found.weeks) == found.rows
    assert found.gap is not None
    assert abs(found.gap.value) < 0.06


def test_other_amounts_are_told_as_a_moved_column(artifact: Artifact, whole: Path) -> None:
    tenfold = pc.multiply(pq.read_table(whole)["amount_minor"], 10)
    found = look(artifact, changed(whole, "amounts", "amount_minor", tenfold))
    assert any(alarm.startswith("amount has moved") for alarm in found.alarms)
    assert found.columns[0].index >= found.columns[-1].index


def test_approvals_that_stop_coming_are_told_as_lost_calibration_and_worse_log_loss(
    artifact: Artifact, whole: Path
) -> None:
    declined = pa.chunked_array([pa.array(["declined"] * pq.read_metadata(whole).num_rows)])
    found = look(artifact, changed(whole, "refused", "outcome", declined))
    assert any("fewer retries are approved than the model says" in alarm for alarm in found.alarms)


def test_a_handful_of_outcomes_raises_no_alarm(artifact: Artifact, whole: Path) -> None:
    found = look(artifact, whole)
    bad = Estimate(0.3, 0.25, 0.35)
    assert alarms(replace(found, gap=bad)) != ()
    assert alarms(replace(found, gap=bad, rows=MIN_ROWS - 1)) == ()


def test_one_bad_week_is_borne_and_two_in_a_row_are_not(artifact: Artifact, whole: Path) -> None:
    found = replace(look(artifact, whole), columns=(), score=None, gap=None, figures={})
    bad, rows = Estimate(9.0, 8.0, 10.0), 500
    good = [replace(week, rows=rows) for week in found.weeks[:2]]
    worse = [replace(week, log_loss=bad) for week in good]
    assert alarms(replace(found, weeks=(good[0], worse[1]))) == ()
    assert len(alarms(replace(found, weeks=(worse[0], worse[1])))) == 1


def test_a_history_that_does_not_go_on_is_refused(artifact: Artifact, whole: Path) -> None:
    with pytest.raises(InputError, match="must go on after"):
        look(artifact, whole.parent / "early.parquet")
    with pytest.raises(InputError, match="holds no reference"):
        look(replace(artifact, facts={k: v for k, v in artifact.facts.items() if k != "reference"}), whole)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other
def test_findings_are_written_as_json_and_plots_and_told_to_mlflow(
    artifact: Artifact, whole: Path, tmp_path: Path, shared_tracking: Tracking
) -> None:
    found = look(artifact, whole)
    write_files(found, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "monitor.json").read_text())
    assert written == json.loads(json.dumps(to_json(found)))
    assert written["rows"] == found.rows
    assert np.isclose(written["figures"]["log_loss"]["value"], found.figures["log_loss"].value)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"monitor.json", "drift.png", "weeks.png"}
    run = connect(shared_tracking)[0].get_run(log_watch(found, shared_tracking))
    assert run.data.metrics["live/rows"] == found.rows
    assert run.data.tags["recoup.model_version"] == artifact.version
