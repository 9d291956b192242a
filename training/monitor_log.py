"""What a look at live outcomes found, as JSON, as pictures and as a run in MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from experiments.resamples import Estimate
from features.errors import InputError
from model.artifact import finite_or_none, to_text
from training.monitor import MAX_GAP, Watched, Week
from training.reference import SHIFTED, WORTH_A_LOOK, Drift
from training.tracking import Tracking, connect, unreachable

_SHOWN = 20
_COLOUR, _ALARM, _LINE = "#1b5e9b", "#b3261e", "#9a9a9a"


def to_json(found: Watched) -> dict[str, object]:
    """The whole finding as JSON values."""
    return {
        "model_version": found.model_version,
        "since": found.since,
        "until": found.until,
        "rows": found.rows,
        "left_out": dict(found.left_out),
        "alarms": list(found.alarms),
        "reference_log_loss": _three(found.reference),
        "figures": {name: _three(figure) for name, figure in found.figures.items()},
        "gap": None if found.gap is None else _three(found.gap),
        "score": None if found.score is None else _drift(found.score),
        "columns": [_drift(drift) for drift in found.columns],
        "weeks": [asdict(week) for week in found.weeks],
    }


def figures_of(found: Watched) -> dict[str, Figure]:
    """Every picture by file stem."""
    return {"drift": drift_figure(found), "weeks": weeks_figure(found.weeks, found.reference)}


def drift_figure(found: Watched) -> Figure:
    """The most moved columns and the score, with the lines that are worth a look and a shift."""
    drifts = [*([found.score] if found.score is not None else []), *found.columns[:_SHOWN]][::-1]
    figure = Figure(figsize=(8, 0.28 * len(drifts) + 1.4), layout="constrained")
    axes = figure.subplots()
    colours = [_ALARM if drift.is_shift else _COLOUR for drift in drifts]
    axes.barh([drift.name for drift in drifts], [drift.index for drift in drifts], color=colours)
    for line, style in ((WORTH_A_LOOK, ":"), (SHIFTED, "--")):
        axes.axvline(line, color=_LINE, linestyle=style)
    axes.set_xlabel(f"population stability index ({WORTH_A_LOOK} is worth a look, {SHIFTED} is a shift)")
    axes.set_title(f"What has moved since the test window of model {found.model_version}")
    return figure


def weeks_figure(weeks: Sequence[Week], reference: Estimate) -> Figure:
    """Log loss, and the share approved less the mean probability, week by week with 95 % intervals."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    days = np.array([week.start for week in weeks], dtype="datetime64[D]")
    _intervals(above, days, [week.log_loss for week in weeks])
    above.axhspan(reference.low, reference.high, color=_LINE, alpha=0.3)
    above.set_ylabel("log loss")
    above.set_title("By week of decision; grey: the model's own test window, and the difference that is borne")
    _intervals(below, days, [week.gap for week in weeks])
    below.axhspan(-MAX_GAP, MAX_GAP, color=_LINE, alpha=0.3)
    below.set_ylabel("approved less predicted")
    figure.autofmt_xdate()
    return figure


def write_files(found: Watched, folder: Path) -> None:
    """`monitor.json` and the pictures.

    Raises:
        InputError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "monitor.json").write_text(to_text(to_json(found)), encoding="utf-8")
        for name, figure in figures_of(found).items():
            figure.savefig(folder / f"{name}.png", dpi=110)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written to ({error.strerror})") from None


def log_watch(found: Watched, tracking: Tracking) -> str:
    """Write a run with figures, drifts and files; its id.

    Raises:
        InputError: The tracking server or database cannot be used.
    """
    client, experiment_id = connect(tracking)
    try:
        told = "\n".join(f"- {sentence}" for sentence in found.alarms or ("no alarm",))
        tags = {
            "mlflow.note.content": f"**Live outcomes of model {found.model_version}**\n\n{told}",
            "recoup.kind": "monitor",
            "recoup.model_version": found.model_version,
            "recoup.alarms": str(len(found.alarms)),
        }
        run = client.create_run(experiment_id, run_name=f"monitor {found.model_version}", tags=tags).info.run_id
        for name, value in _metrics(found).items():
            client.log_metric(run, name, value)
        for step, week in enumerate(found.weeks):
            client.log_metric(run, "live/week/log_loss", week.log_loss.value, step=step)
            client.log_metric(run, "live/week/gap", week.gap.value, step=step)
        client.log_text(run, to_text(to_json(found)), "monitor.json")
        for name, figure in figures_of(found).items():
            client.log_figure(run, figure, f"plots/{name}.png", save_kwargs={"dpi": 110})
        client.set_terminated(run)
    except (MlflowException, OSError) as error:
        raise unreachable(tracking.uri, error) from None
    return str(run)


def _metrics(found: Watched) -> Mapping[str, float]:
    metrics = {f"drift/{drift.name}": drift.index for drift in (*found.columns, found.score) if drift is not None}
    for name, figure in found.figures.items():
        metrics |= {f"live/{name}": figure.value, f"live/{name}_low": figure.low, f"live/{name}_high": figure.high}
    metrics |= {"live/rows": float(found.rows), "live/alarms": float(len(found.alarms))}
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _intervals(axes: Axes, days: NDArray[np.datetime64], figures: Sequence[Estimate]) -> None:
    # An interval of resamples need not hold the value itself where rows are very few.
    below = [max(0.0, figure.value - figure.low) for figure in figures]
    above = [max(0.0, figure.high - figure.value) for figure in figures]
    values = [figure.value for figure in figures]
    axes.errorbar(days, values, yerr=[below, above], fmt="o", color=_COLOUR, capsize=2, markersize=4)


def _three(figure: Estimate) -> dict[str, float | None]:
    return {name: finite_or_none(value) for name, value in asdict(figure).items()}


def _drift(drift: Drift) -> dict[str, object]:
    return {"name": drift.name, "index": drift.index, "noise": drift.noise, "shift": drift.is_shift}
