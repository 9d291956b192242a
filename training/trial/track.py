"""Keeps a report in MLflow: a run with every figure, and the page and the facts as its files."""

import math
import time
import warnings
from importlib.metadata import version as installed

import mlflow
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from model.artifact import to_text
from training.revision import commit
from training.tracking import Tracking, connect, unreachable
from training.trial.document import Report, report_html

_NOTE = "mlflow.note.content"
_BATCH = 500


def log_report(report: Report, tracking: Tracking, parameters: dict[str, str], kind: str = "evaluation") -> str:
    """Write the run and return its id.

    Args:
        kind: What the run is of: an evaluation, or an experiment.

    Raises:
        InputError: The tracking server or database cannot be used.
    """
    client, experiment_id = connect(tracking)
    note = "\n\n".join((report.lead, *(f"- {sentence}" for sentence in report.findings)))
    tags = {_NOTE: note, "recoup.version": installed("recoup"), "recoup.kind": kind}
    revision = commit()
    if revision is not None:
        tags["mlflow.source.git.commit"] = revision
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in report.figures.items() if math.isfinite(value)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notices of the tracker's own dependencies are not ours to act on
            with mlflow.start_run(experiment_id=experiment_id, run_name=report.title, tags=tags) as run:
                run_id = str(run.info.run_id)
                mlflow.log_params(parameters)
                for start in range(0, len(metrics), _BATCH):
                    client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
                client.log_text(run_id, report_html(report), "report.html")
                client.log_text(run_id, to_text(dict(report.data)), "report.json")
    except (MlflowException, OSError) as error:
        raise unreachable(tracking.uri, error) from None
    return run_id
