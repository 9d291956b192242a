"""Where runs are kept: one quiet connection to an MLflow server or database, and the experiment in it."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError

EXPERIMENT = "recoup-retry"
_SQLITE = "sqlite:///"
_DESCRIPTION = """\
Models that predict whether a proposed retry of a failed payment is approved. One run is one `recoup train`.

Start with a run's description: it says what was learnt from, how good the model is and whether the gate let it
pass. Compare runs on `test/log_loss` (lower is better) and `gain/…/log_loss` (how much better than a baseline,
with the ends of the 95 % interval as `_low` and `_high`); `unseen/log_loss` is the learning curve by trees. A run's
artifacts hold the plots, the evaluation as JSON and the model card. Registered versions are under Models,
`recoup-retry`; the service answers with the one that carries the alias `champion`."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where to keep runs.

    Args:
        uri: An MLflow server or a database, `sqlite:///…` by default.
        artifacts: Folder for files, used only when the experiment is made in a local SQLite database.
        model_name: Name of the registered model.
    """

    uri: str
    artifacts: Path
    model_name: str = "recoup-retry"


def connect(tracking: Tracking) -> tuple[MlflowClient, str]:
    """A client of the tracking server and the id of the experiment, made if it is not there.

    Raises:
        InputError: The server or database cannot be reached or used.
    """
    _quiet()
    try:
        _make_folder(tracking.uri)
        mlflow.set_tracking_uri(tracking.uri)
        mlflow.set_registry_uri(tracking.uri)
        client = MlflowClient(tracking.uri, tracking.uri)
        found = client.get_experiment_by_name(EXPERIMENT)
        return client, found.experiment_id if found is not None else _make(client, tracking)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        # MLflow makes an empty database ready when it opens it, and says in SQLAlchemy's words what stands in the way.
        raise unreachable(tracking.uri, error) from None


def unreachable(uri: str, error: Exception) -> InputError:
    """The refusal for a tracking server that does not do as asked."""
    text = str(error).strip().splitlines()
    reason = text[0] if text else type(error).__name__
    return InputError(f"MLflow at {uri} cannot be used ({reason}); check MLFLOW_TRACKING_URI")


def _make(client: MlflowClient, tracking: Tracking) -> str:
    local = tracking.uri.startswith(_SQLITE)
    location = tracking.artifacts.resolve().as_uri() if local else None
    made = client.create_experiment(EXPERIMENT, artifact_location=location, tags={"mlflow.note.content": _DESCRIPTION})
    return str(made)


def _make_folder(uri: str) -> None:
    if uri.startswith(_SQLITE):
        Path(uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)


def _quiet() -> None:
    """Progress bars and notices of libraries would stand between ours."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
