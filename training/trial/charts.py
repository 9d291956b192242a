"""Plots of policies: what they recover for how many attempts, how far the plan is ahead, what a dearer attempt does."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.comparison import Costing, Difference, Judgement
from experiments.resamples import Estimate
from training.trial.lineup import NO_RETRY, ORACLE, PLAN

_OURS, _OTHERS, _BOUND = "#1b5e9b", "#9a9a9a", "#c98a1b"


def recovered_by_attempts(judged: Mapping[int, Sequence[Judgement]]) -> Figure:
    """Share recovered against retries made per failed payment; one line a policy, one point a number allowed."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    axes = figure.subplots()
    names = [one.policy for one in next(iter(judged.values())) if one.policy != NO_RETRY]
    for name in names:
        points = [one for ones in judged.values() for one in ones if one.policy == name]
        spent = [one.figures["attempts"].value for one in points]
        share = [one.figures["recovered"] for one in points]
        colour, width = _colour(name)
        axes.plot(spent, [s.value for s in share], "o-", color=colour, linewidth=width, markersize=4, label=name)
        axes.annotate(name, (spent[-1], share[-1].value), xytext=(5, 0), textcoords="offset points", fontsize=8)
        if name == PLAN:
            axes.fill_between(spent, [s.low for s in share], [s.high for s in share], color=colour, alpha=0.15)
    axes.set(xlabel="retries made per failed payment", ylabel="share of failed payments recovered")
    axes.set_title("What each policy recovers for the retries it makes (band: 95 % interval of the plan)")
    axes.margins(x=0.14)
    return figure


def ahead(differences: Mapping[int, Sequence[Difference]], name: str, unit: str) -> Figure:
    """The plan less each other policy in one figure, with intervals; one panel a number of retries allowed."""
    figure = Figure(figsize=(3.1 * max(len(differences), 2) + 1.6, 4.6), layout="constrained")
    panels = figure.subplots(1, len(differences), sharey=True, squeeze=False)[0]
    for axes, (most, those) in zip(panels, differences.items(), strict=True):
        told = [(d.against, d.figures[name]) for d in those if name in d.figures and d.against != NO_RETRY]
        for row, (_, estimate) in enumerate(reversed(told)):
            axes.errorbar(estimate.value, row, xerr=_error(estimate), fmt="o", color=_OURS, markersize=4)
        axes.set_yticks(range(len(told)), [against for against, _ in reversed(told)], fontsize=8)
        axes.axvline(0.0, color="black", linewidth=0.7)
        axes.set_title(f"at most {most}", fontsize=10)
    figure.supxlabel(f"plan less the other, {unit}; right of the line the plan is ahead", fontsize=10)
    return figure


def by_cost(costings: Mapping[str, Sequence[Costing]], currency: str) -> Figure:
    """Net value per failed payment if every attempt had cost so many times as much."""
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    for name, those in costings.items():
        colour, width = _colour(name)
        axes.plot([c.factor for c in those], [c.net.value for c in those], "o-", color=colour, linewidth=width)
        axes.annotate(
            name, (those[-1].factor, those[-1].net.value), xytext=(5, 0), textcoords="offset points", fontsize=8
        )
    axes.set(xlabel="cost of every attempt, times as stated", ylabel=f"net value per failed payment, {currency}")
    axes.set_title("What dearer attempts leave")
    axes.margins(x=0.16)
    return figure


def values(rows: Sequence[tuple[str, Mapping[str, Estimate]]], title: str, unit: str) -> Figure:
    """Values of targets by several estimators, with intervals."""
    figure = Figure(figsize=(8.4, 0.55 * len(rows) * max(1, len(rows[0][1])) / 2 + 1.8), layout="constrained")
    axes = figure.subplots()
    estimators = list(dict.fromkeys(name for _, estimates in rows for name in estimates))
    colours = dict(zip(estimators, ("#9a9a9a", "#1b5e9b", "#c98a1b", "#2d7d46"), strict=False))
    for row, (_, estimates) in enumerate(reversed(rows)):
        for place, name in enumerate(estimators):
            if name in estimates:
                at = row + 0.16 * (place - (len(estimators) - 1) / 2)
                one = estimates[name]
                axes.errorbar(one.value, at, xerr=_error(one), fmt="o", color=colours[name], markersize=4)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    for name in estimators:
        axes.plot([], [], "o", color=colours[name], label=name)
    axes.legend(frameon=False, fontsize=9)
    axes.set(xlabel=unit, title=title)
    return figure


def _colour(name: str) -> tuple[str, float]:
    return (_OURS, 2.2) if name == PLAN else (_BOUND, 1.4) if name == ORACLE else (_OTHERS, 1.0)


def _error(estimate: Estimate) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]])
