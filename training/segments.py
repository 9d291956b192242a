"""How a model did in each segment of its test window, kept in its artifact: where the service may rely upon it."""

from collections.abc import Iterator

import numpy as np

from experiments.resamples import Estimate, Resamples, mean_interval
from model.reliance import ATTEMPT, CATEGORY, ISSUER, MARKET, Segment
from training.dataset import Group
from training.evaluate import MODEL, PRIOR, Judged
from training.metrics import losses

MIN_ROWS = 100
"""In fewer rows an interval of the share approved is too wide to say anything of two points."""

_DIGITS = 6


def judged_segments(judged: Judged, issuer: Group, resamples: int, seed: int) -> dict[str, dict[str, object]]:
    """The figures of each segment with at least 100 rows, as JSON values by group and segment.

    Args:
        issuer: Of each test row, issuers told apart by country.
        resamples: Draws of customers behind the intervals.
    """
    groups = {name: judged.groups[name] for name in (CATEGORY, MARKET, ATTEMPT)} | {ISSUER: issuer}
    draws = Resamples.draw(judged.customer, resamples, seed)
    return {name: dict(_of_group(judged, group, draws)) for name, group in groups.items()}


def _of_group(judged: Judged, group: Group, draws: Resamples) -> Iterator[tuple[str, object]]:
    for code in np.unique(group.codes[group.codes >= 0]):
        rows = group.codes == code
        if rows.sum() < MIN_ROWS:
            continue
        y, model, prior, own = judged.y[rows], judged.p[MODEL][rows], judged.p[PRIOR][rows], draws.take(rows)
        gap = mean_interval(y - model, own)
        gain = mean_interval(losses(y, prior) - losses(y, model), own)
        yield group.words[code], Segment(len(y), _rounded(gap), _rounded(gain)).to_json()


def _rounded(figure: Estimate) -> tuple[float, float, float]:
    value, low, high = (round(number, _DIGITS) for number in (figure.value, figure.low, figure.high))
    return value, low, high
