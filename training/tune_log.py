"""A study in MLflow: one parent run, one child a trial, and its plots."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as pictures

from training.tracking import Tracking, connect, unreachable
from training.tune import Tuned

_PARENT = "mlflow_run"
_KILLED = {TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}


@dataclass(frozen=True, slots=True)
class StudyLog:
    """Where a study's runs go.

    Args:
        parent: Id of the study's own run.
    """

    client: MlflowClient
    uri: str
    experiment_id: str
    parent: str
    name: str

    @classmethod
    def of(cls, study: optuna.Study, tracking: Tracking) -> "StudyLog":
        """The study's run, begun or taken up again.

        Raises:
            InputError: The tracking server or database cannot be used.
        """
        client, experiment_id = connect(tracking)
        name = study.study_name
        try:
            parent = study.user_attrs.get(_PARENT)
            if parent is None or not _is_there(client, str(parent)):
                tags = {f"recoup.{key}": str(value) for key, value in study.user_attrs.items()}
                parent = client.create_run(experiment_id, run_name=f"tune {name}", tags=tags).info.run_id
                study.set_user_attr(_PARENT, parent)
            client.update_run(str(parent), status=RunStatus.to_string(RunStatus.RUNNING))
        except MlflowException as error:
            raise unreachable(tracking.uri, error) from None
        return cls(client, tracking.uri, experiment_id, str(parent), name)

    def trial(self, trial: FrozenTrial) -> None:
        """Write a trial that ended as a child run."""
        tags = {"mlflow.parentRunId": self.parent, "recoup.trial": trial.state.name.lower()}
        run = self.client.create_run(self.experiment_id, run_name=f"trial {trial.number}", tags=tags).info.run_id
        for name, value in trial.params.items():
            self.client.log_param(run, name, value)
        for step, value in trial.intermediate_values.items():
            self.client.log_metric(run, "folds/log_loss", -value, step=step)
        for name in ("log_loss", "policy_value", "standard_error"):
            if name in trial.user_attrs:
                self.client.log_metric(run, name, float(trial.user_attrs[name]))
        self.client.set_terminated(run, _KILLED.get(trial.state, "FINISHED"))

    def end(self, tuned: Tuned, parameters: str) -> None:
        """Write the best trial, the parameter file and the plots to the study's run, and end it."""
        for name, value in tuned.best.user_attrs.items():
            if isinstance(value, float):
                self.client.log_metric(self.parent, f"best/{name}", value, step=len(tuned.study.trials))
        self.client.set_tag(self.parent, "recoup.best_trial", str(tuned.best.number))
        self.client.log_text(self.parent, parameters, "parameters.toml")
        for name, figure in plots(tuned.study).items():
            self.client.log_figure(self.parent, figure, f"plots/{name}.png", save_kwargs={"dpi": 110})
        self.client.set_terminated(self.parent)


def plots(study: optuna.Study) -> dict[str, Figure]:
    """Pictures of a study by file stem; importances need a few trials of different worth."""
    drawn: dict[str, Callable[[optuna.Study], Axes]] = {
        "history": pictures.plot_optimization_history,
        "importances": pictures.plot_param_importances,
        "parallel_coordinate": pictures.plot_parallel_coordinate,
    }
    figures: dict[str, Figure] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its matplotlib pictures experimental
        for name, draw in drawn.items():
            try:
                figure = draw(study).get_figure()
            except (RuntimeError, ValueError):
                continue
            if isinstance(figure, Figure):
                figures[name] = figure
                plt.close(figure)
    return figures


def _is_there(client: MlflowClient, run_id: str) -> bool:
    try:
        return client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException:
        return False
