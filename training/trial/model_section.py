"""The model's part of a report: how good its probabilities were on retries it had not seen, overall and by slice."""

from collections.abc import Mapping

from training.card import interval
from training.evaluate import Evaluation, Slice
from training.metrics import METRICS
from training.plots import reliability
from training.report import evaluation_json
from training.trial.document import Section, Table
from training.trial.model_figures import Scored

_MOST_SLICES = 12
_BY = ("category", "issuer", "market", "attempt", "month")
_SLICE_FIGURES = ("log_loss", "ece", "auc", "slope")


def model_section(scored: Scored, evaluation: Evaluation) -> Section:
    """Figures, slices and calibration plots."""
    figures = tuple(
        (metric.name.replace("_", " "), interval(evaluation.model.get(metric.name), 3), metric.meaning)
        for metric in METRICS
        if metric.name in evaluation.model
    )
    slices = [table for name in _BY if (table := _slices(name, evaluation.slices)) is not None]
    return Section(
        "How good the probabilities are",
        notes=(_note(evaluation),),
        tables=(Table("Overall", ("figure", "value (95 % interval)", "meaning"), figures), *slices),
        plots=(reliability(scored.judged(), "category", "decline category"),),
    )


def _note(evaluation: Evaluation) -> str:
    return (
        f"{evaluation.rows:,} logged retries of {evaluation.customers:,} customers, {evaluation.approved:.1%} of them "
        "approved, each scored as of its decision. A slope of 1 and a calibration error near 0 mean that probabilities "
        "can be taken at their word."
    )


def model_json(evaluation: Evaluation) -> Mapping[str, object]:
    """The evaluation as JSON values."""
    return evaluation_json(evaluation)


def _slices(name: str, slices: tuple[Slice, ...]) -> Table | None:
    ours = [one for one in slices if one.group == name]
    if not ours:
        return None
    most = sorted(ours, key=lambda one: -one.rows)[:_MOST_SLICES]
    if name in {"attempt", "month"}:
        most.sort(key=lambda one: one.word)
    rows = tuple(
        (
            s.word,
            f"{s.rows:,}",
            f"{s.observed:.3f}",
            f"{s.predicted:.3f}",
            *(interval(s.figures.get(figure), 3) for figure in _SLICE_FIGURES),
        )
        for s in most
    )
    header = (name, "rows", "observed", "predicted", "log loss", "calibration error", "AUC", "slope")
    return Table(f"By {name}", header, rows)
