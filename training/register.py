"""Writes a training run to MLflow, and registers its model when the gate lets it pass."""

import hashlib
import json
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Literal

import mlflow
import pandas as pd
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from model.artifact import CARD, to_text, write_artifact
from training.life import registry
from training.pipeline import TrainingResult
from training.plots import figures_of
from training.pyfunc import PRIOR_COLUMN
from training.report import evaluation_json, metrics, parameters, run_description, run_name
from training.revision import commit
from training.tracking import Tracking, connect, unreachable

ARTIFACT_FOLDER = "artifact"
_REQUIREMENTS = ("lightgbm", "numba", "numpy", "pandas", "pyarrow")
_EXAMPLE_ROWS = 5
_MOST_STEPS = 500  # points of the learning curve; a batch may hold 1,000 metrics
_NOTE = "mlflow.note.content"
_MODEL_DESCRIPTION = """\
P(approved) of a proposed retry of a failed payment, with a 90 % interval. The version with the alias `champion`
answers in the service. Each version's description is its model card; its source is a folder of text and JSON with
checksums. `mlflow.pyfunc.load_model("models:/recoup-retry@champion")` scores rows of the model's columns."""


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a run can be found.

    Args:
        registered: Number of the registered version, None if the model was not registered.
        place: What the version is now: `champion`, or `challenger` until it is promoted.
    """

    uri: str
    experiment_id: str
    run_id: str
    registered: str | None
    place: Literal["champion", "challenger"] | None = None


def log_run(result: TrainingResult, tracking: Tracking, *, register: bool = True) -> Logged:
    """Write the run: parameters, metrics, plots, dataset, card and model; register it if it passed the gate.

    A model that passed becomes a version of the registered model: its `champion` where there is none, else its
    `challenger`, which `recoup promote` may make the champion. One that did not pass, or with `register` False, is
    logged and goes no further.

    Raises:
        InputError: The tracking server or database cannot be used.
    """
    client, experiment_id = connect(tracking)
    try:
        with _own_run(result, experiment_id) as run_id:
            _log_figures(client, run_id, result)
            mlflow.log_input(_HistoryDataset(result), context="training")
            _log_files(client, run_id, result)
            model_uri = _log_model(result)
        wanted = register and result.verdict.passed
        registered = _register(client, run_id, model_uri, result, tracking.model_name) if wanted else None
        place = None if registered is None else registry(tracking).enter(registered, _columns_digest(result))
    except (MlflowException, OSError) as error:
        raise unreachable(tracking.uri, error) from None
    return Logged(tracking.uri, experiment_id, run_id, registered, place)


@contextmanager
def _own_run(result: TrainingResult, experiment_id: str) -> Iterator[str]:
    """A run of our own, ended as failed if anything in it fails."""
    tags = {
        _NOTE: run_description(result),
        "recoup.version": installed("recoup"),
        "recoup.model_version": result.version,
        "recoup.history_digest": result.history.digest,
        "recoup.gate": "passed" if result.verdict.passed else "refused",
        "recoup.gate_reasons": " | ".join(result.verdict.reasons) or "none",
    }
    revision = commit()
    if revision is not None:
        tags["mlflow.source.git.commit"] = revision
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notices of the tracker's own dependencies are not ours to act on
        with mlflow.start_run(experiment_id=experiment_id, run_name=run_name(result), tags=tags) as run:
            yield str(run.info.run_id)


def _log_figures(client: MlflowClient, run_id: str, result: TrainingResult) -> None:
    mlflow.log_params(parameters(result))
    mlflow.log_metrics(metrics(result))
    now = time.time_ns() // 1_000_000
    for name, curve in (("seen/log_loss", result.explored.seen_loss), ("unseen/log_loss", result.explored.unseen_loss)):
        every = max(1, -(-len(curve) // _MOST_STEPS))
        steps = range(every - 1, len(curve), every)
        client.log_batch(run_id, metrics=[Metric(name, float(curve[step]), now, step + 1) for step in steps])


class _HistoryDataset(MetaDataset):
    """The history as MLflow's dataset view shows it: what it is and how much of it taught."""

    def __init__(self, result: TrainingResult) -> None:
        # MLflow keeps at most 36 characters of a digest; the whole one is in the tag recoup.history_digest.
        path = result.history.path
        super().__init__(resolve_dataset_source(str(path)), name=path.name, digest=result.history.digest[:32])
        self._rows = {"attempts": result.dataset.read, "num_rows": len(result.dataset)} | dict(result.dataset.left_out)

    @property
    def profile(self) -> dict[str, int]:
        """Counts of attempts, rows, and what was left out."""
        return self._rows

    def to_dict(self) -> dict[str, str]:
        """As MLflow stores it, the counts included."""
        return super().to_dict() | {"profile": json.dumps(self._rows)}


def _log_files(client: MlflowClient, run_id: str, result: TrainingResult) -> None:
    client.log_text(run_id, result.artifact.card, CARD)
    client.log_text(run_id, to_text(evaluation_json(result.evaluation)), "evaluation.json")
    names = [str(column["name"]) for column in result.artifact.columns]
    for name, figure in figures_of(result.judged, result.explored, result.bag, names).items():
        client.log_figure(run_id, figure, f"plots/{name}.png", save_kwargs={"dpi": 110})


def _log_model(result: TrainingResult) -> str:
    names = [str(column["name"]) for column in result.artifact.columns]
    example = pd.DataFrame(result.dataset.matrix[:_EXAMPLE_ROWS], columns=names)
    inputs: list[ColSpec | TensorSpec] = [ColSpec(DataType.float, name) for name in names]
    if result.shrinkage.strength:
        example[PRIOR_COLUMN] = result.dataset.prior[:_EXAMPLE_ROWS]
        inputs.append(ColSpec(DataType.double, PRIOR_COLUMN))
    signature = ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema([ColSpec(DataType.double, name) for name in ("probability", "low", "high")]),
    )
    with tempfile.TemporaryDirectory() as folder:
        write_artifact(result.artifact, Path(folder) / ARTIFACT_FOLDER)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="training.pyfunc",
            data_path=str(Path(folder) / ARTIFACT_FOLDER),
            signature=signature,
            input_example=example,
            pip_requirements=[f"{name}=={installed(name)}" for name in _REQUIREMENTS],
            metadata={"recoup_model_version": result.version},
        )
    return str(logged.model_uri)


def _register(client: MlflowClient, run_id: str, model_uri: str, result: TrainingResult, name: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        _ensure_model(client, name)
        tags = {
            "recoup.model_version": result.version,
            "recoup.history_digest": result.history.digest,
            "recoup.gate": "passed",
            "recoup.columns": _columns_digest(result),
        }
        model_id = model_uri.rsplit("/", 1)[-1]
        made = client.create_model_version(
            name, model_uri, run_id=run_id, tags=tags, description=result.artifact.card, model_id=model_id
        )
    return str(made.version)


def _columns_digest(result: TrainingResult) -> str:
    """What tells whether another model reads the same columns."""
    listing = to_text([dict(column) for column in result.artifact.columns])
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def _ensure_model(client: MlflowClient, name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=_MODEL_DESCRIPTION)
