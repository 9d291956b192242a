"""Pictures of a model for people: calibration, when retries succeed, what matters, how learning went."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.resamples import Floats
from training.card import NAMES
from training.dataset import Group
from training.evaluate import MODEL, Judged
from training.fit import Bag
from training.metrics import auc, average_precision

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_MODEL_COLOUR, _OTHER_COLOUR = "#1b5e9b", "#9a9a9a"
_LINES: Mapping[str, str] = {MODEL: "-", "logistic_regression": "--", "code_by_attempt": "-.", "constant": ":"}
_PANELS = 9
_PANEL_ROWS = 100
_BINS = 10
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def figures_of(judged: Judged, explored: Bag, bag: Bag, columns: Sequence[str]) -> dict[str, Figure]:
    """Every picture by file stem.

    Args:
        explored: The bag whose growth chose the number of trees.
        bag: The bag of the artifact.
        columns: Names of the matrix's columns.
    """
    return {
        "reliability_by_category": reliability(judged, "category", "decline category"),
        "reliability_by_market": reliability(judged, "market", "market"),
        "approval_by_local_time": approval_by_local_time(judged),
        "gain_importance": gain_importance(bag, columns),
        "learning_curve": learning_curve(explored),
        "roc_and_precision_recall": ranking(judged),
        "score_histogram": score_histogram(judged),
    }


def reliability(judged: Judged, group: str, title: str) -> Figure:
    """Observed against predicted rate in tenths of the rows, all together and for the largest slices."""
    slices = [("all", np.ones(len(judged.y), dtype=np.bool_)), *_largest(judged.groups[group])]
    figure, panels = _panels(len(slices), width=3.4, height=3.2)
    for axes, (word, rows) in zip(panels, slices, strict=True):
        _reliability_panel(axes, judged.y[rows], judged.p[MODEL][rows])
        axes.set_title(f"{word} ({rows.sum():,})", fontsize=10)
    figure.suptitle(f"Do probabilities mean what they say? By {title}, test window")
    figure.supxlabel("predicted P(approved)", fontsize=10)
    figure.supylabel("observed share approved, 95 % interval", fontsize=10)
    return figure


def approval_by_local_time(judged: Judged) -> Figure:
    """Observed and predicted approval by the issuer's local hour and weekday; by weekday where only days are known."""
    known = ~np.isnan(judged.hour)
    if not known.any():
        return _by_weekday(judged)
    cell = judged.weekday[known] * 24 + np.floor(judged.hour[known]).astype(np.int64)
    rows = np.bincount(cell, minlength=168).reshape(7, 24)
    shares = {
        name: np.bincount(cell, weights=values[known], minlength=168).reshape(7, 24) / np.where(rows > 0, rows, np.nan)
        for name, values in (("observed", judged.y), ("predicted", judged.p[MODEL]))
    }
    top = float(np.nanquantile(np.concatenate(list(shares.values())), 0.99))
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    image = None
    for axes, (name, share) in zip(figure.subplots(2, 1, sharex=True), shares.items(), strict=True):
        image = axes.imshow(share, aspect="auto", cmap="viridis", vmin=0.0, vmax=max(top, 1e-3), origin="upper")
        axes.set_yticks(range(7), _WEEKDAYS)
        axes.set_ylabel(name)
    axes.set_xticks(range(0, 24, 2), [f"{hour:02d}" for hour in range(0, 24, 2)])
    axes.set_xlabel("local hour at the issuer")
    if image is not None:
        figure.colorbar(image, ax=figure.axes, label="share approved")
    figure.suptitle("When are attempts approved? Test window; blank: no attempts")
    return figure


def gain_importance(bag: Bag, columns: Sequence[str]) -> Figure:
    """Share of the trees' total gain by column, the 20 largest."""
    order = np.argsort(bag.gain)[::-1][:20][::-1]
    figure = Figure(figsize=(8, 6.4), layout="constrained")
    axes = figure.subplots()
    axes.barh([columns[i] for i in order], bag.gain[order], color=_MODEL_COLOUR)
    axes.set_xlabel("share of total gain, mean of the boosters")
    axes.set_title("What the trees split on")
    return figure


def learning_curve(bag: Bag) -> Figure:
    """Log loss on seen and on unseen customers of the train window as trees are added."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    trees = np.arange(1, len(bag.seen_loss) + 1)
    axes.plot(trees, bag.seen_loss, color=_OTHER_COLOUR, label="customers it was fitted on")
    axes.plot(trees, bag.unseen_loss, color=_MODEL_COLOUR, label="customers it never saw")
    axes.axvline(bag.trees, color="black", linewidth=0.8, linestyle=":", label=f"chosen: {bag.trees} trees")
    axes.set_xlabel("trees a booster")
    axes.set_ylabel("log loss, mean of the boosters")
    axes.set_title("How learning went")
    axes.legend(frameon=False)
    return figure


def ranking(judged: Judged) -> Figure:
    """ROC and precision-recall curves of the model and the baselines."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    approved, declined = judged.y.sum(), len(judged.y) - judged.y.sum()
    for name, p in judged.p.items():
        hits, misses = _above(judged.y, p)
        style = {"color": _MODEL_COLOUR if name == MODEL else _OTHER_COLOUR, "linestyle": _LINES.get(name, "-")}
        label = NAMES.get(name, name).strip("*")
        left.plot(misses / declined, hits / approved, **style, label=f"{label}, AUC {auc(judged.y, p):.3f}")
        precision = hits[1:] / (hits + misses)[1:]
        right.plot(hits[1:] / approved, precision, **style, label=f"{label}, {average_precision(judged.y, p):.3f}")
    left.plot([0, 1], [0, 1], color="black", linewidth=0.5)
    left.set(xlabel="share of declined attempts above the cut", ylabel="share of approved attempts above the cut")
    right.axhline(approved / len(judged.y), color="black", linewidth=0.5)
    right.set(xlabel="share of approved attempts found", ylabel="share approved above the cut", ylim=(0, 1))
    for axes, title in ((left, "ROC"), (right, "Precision and recall (average precision)")):
        axes.set_title(title)
        axes.legend(frameon=False, fontsize=9)
    return figure


def score_histogram(judged: Judged) -> Figure:
    """How probabilities are spread, for attempts that were approved and declined."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    edges = np.linspace(0, 1, 41).tolist()
    for outcome, colour, label in ((0, _OTHER_COLOUR, "declined"), (1, _MODEL_COLOUR, "approved")):
        p = judged.p[MODEL][judged.y == outcome]
        axes.hist(p, bins=edges, density=True, alpha=0.6, color=colour, label=f"{label} ({len(p):,})")
    axes.set(xlabel="predicted P(approved)", ylabel="density", title="How the test window's scores are spread")
    axes.legend(frameon=False)
    return figure


def _largest(group: Group) -> list[tuple[str, Flags]]:
    codes, rows = np.unique(group.codes[group.codes >= 0], return_counts=True)
    order = np.argsort(-rows, kind="stable")[: _PANELS - 1]
    return [(group.words[codes[i]], group.codes == codes[i]) for i in order if rows[i] >= _PANEL_ROWS]


def _panels(number: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    across = min(3, number)
    down = -(-number // across)
    figure = Figure(figsize=(width * across + 0.6, height * down + 0.8), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = [axes for line in grid for axes in line]
    for axes in panels[number:]:
        axes.set_visible(False)
    return figure, panels[:number]


def _reliability_panel(axes: Axes, y: Floats, p: Floats) -> None:
    bins = np.empty(len(p), dtype=np.int64)
    bins[np.argsort(p, kind="stable")] = np.arange(len(p)) * min(_BINS, len(p)) // len(p)
    rows = np.bincount(bins).astype(np.float64)
    predicted, observed = np.bincount(bins, weights=p) / rows, np.bincount(bins, weights=y) / rows
    low, high = _wilson(observed, rows)
    top = float(min(1.0, max(predicted.max(), high.max()) * 1.05))
    axes.plot([0, top], [0, top], color="black", linewidth=0.6)
    errors = np.stack([np.maximum(observed - low, 0), np.maximum(high - observed, 0)])
    axes.errorbar(predicted, observed, yerr=errors, fmt="o", markersize=4, linewidth=1, color=_MODEL_COLOUR)


def _wilson(share: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """95 % score interval of a share (Wilson 1927)."""
    z2 = 1.959963984540054**2
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = np.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    return middle - half, middle + half


def _by_weekday(judged: Judged) -> Figure:
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    rows = np.bincount(judged.weekday, minlength=7).astype(np.float64)
    some = np.where(rows > 0, rows, np.nan)
    observed, predicted = (
        np.bincount(judged.weekday, weights=values, minlength=7) / some for values in (judged.y, judged.p[MODEL])
    )
    low, high = _wilson(observed, some)
    errors = np.stack([observed - low, high - observed]).clip(min=0)
    axes.errorbar(range(7), observed, yerr=errors, fmt="o", color=_OTHER_COLOUR, label="observed, 95 % interval")
    axes.plot(range(7), predicted, "-", color=_MODEL_COLOUR, label="predicted")
    axes.set_xticks(range(7), _WEEKDAYS)
    axes.set(ylabel="share approved", title="When are attempts approved? By weekday (the history knows no hours)")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def _above(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Approved and declined rows at or above each distinct probability, from none to all."""
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    hits = np.cumsum(y[order])[ends]
    return np.concatenate([[0.0], hits]), np.concatenate([[0.0], ends + 1 - hits])
