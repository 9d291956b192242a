"""A run in MLflow can be found, read and loaded by someone who knows only MLflow."""

from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from features.errors import InputError
from made_registry import MakeRegistry
from model.artifact import CHECKSUMS, read_artifact
from training.gate import Check, GateVerdict
from training.life import registry
from training.pipeline import TrainingResult
from training.register import log_run
from training.tracking import Tracking, connect

pytestmark = [
    pytest.mark.slow,
    # MLflow's own dependencies deprecate each other; that is not ours to fail on.
    pytest.mark.filterwarnings("ignore"),
]


def test_a_passed_model_is_the_champion_and_a_refused_one_is_only_a_run(
    result: TrainingResult, tmp_path: Path, make_registry: MakeRegistry
) -> None:
    tracking = Tracking(make_registry(tmp_path / "home"), tmp_path / "home" / "mlartifacts")
    logged = log_run(result, tracking)
    client = MlflowClient(tracking.uri, tracking.uri)

    champion = client.get_model_version_by_alias("recoup-retry", "champion")
    assert str(champion.version) == logged.registered == "1"
    assert champion.description == result.artifact.card
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri="models:/recoup-retry@champion"))
    (checksums,) = folder.rglob(CHECKSUMS)
    assert read_artifact(checksums.parent) == result.artifact
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]

    assert read_artifact(registry(tracking).artifact("1", tmp_path)).version == result.version
    with pytest.raises(InputError, match="version 9 of recoup-retry is not in the registry"):
        registry(tracking).artifact("9", tmp_path)

    run = client.get_run(logged.run_id)
    assert run.data.metrics["test/auc"] == result.evaluation.model["auc"].value
    assert run.data.params["calibration"] == result.calibration.kind
    assert run.data.tags["recoup.gate"] == "passed"
    assert run.data.tags["recoup.history_digest"] == result.history.digest
    assert "log loss" in run.data.tags["mlflow.note.content"]
    assert run.inputs is not None
    (dataset,) = run.inputs.dataset_inputs
    assert result.history.digest.startswith(dataset.dataset.digest)
    plots = {Path(file.path).stem for file in client.list_artifacts(logged.run_id, "plots")}
    assert {"reliability_by_category", "approval_by_local_time", "gain_importance", "learning_curve"} <= plots
    curve = client.get_metric_history(logged.run_id, "unseen/log_loss")
    assert [point.value for point in curve] == result.explored.unseen_loss.tolist()

    model = mlflow.pyfunc.load_model("models:/recoup-retry@champion")
    example = model.input_example
    assert isinstance(example, pd.DataFrame)
    scores = model.predict(example)
    assert list(scores.columns) == ["probability", "low", "high"]
    assert np.isfinite(scores.to_numpy()).all()

    later = log_run(result, tracking)
    assert (logged.place, later.place) == ("champion", "challenger")
    assert str(client.get_model_version_by_alias("recoup-retry", "champion").version) == "1"
    assert str(client.get_model_version_by_alias("recoup-retry", "challenger").version) == "2"

    refused = replace(result, verdict=GateVerdict((Check("enough rows", passed=False, sentence="too few"),)))
    again = log_run(refused, tracking)
    assert again.registered is None
    assert client.get_run(again.run_id).data.tags["recoup.gate_reasons"] == "too few"
    assert len(client.search_model_versions("name = 'recoup-retry'")) == 2


def test_a_tracking_server_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI"):
        connect(Tracking(f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}", tmp_path))
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI"):
        connect(Tracking("gopher://nowhere", tmp_path))
