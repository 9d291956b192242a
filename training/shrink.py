"""How much the shipped prior is worth to a history: chosen by log loss on customers the model has not seen.

A history of a few thousand retries teaches a model less than the prior already knows of some declines. The answer is
then a blend on the logit scale in which the model has the weight n / (n + strength); `model.blend` applies it exactly
as it is judged here (docs/decisions/0054-small-histories.md).
"""

from dataclasses import dataclass

import numpy as np

from experiments.resamples import Floats
from model.blend import Blend
from training.metrics import log_loss, probability

SMALL_ROWS = 20_000
"""From so many fitted retries on the model answers alone."""

STRENGTHS = (0.0, 30.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 20_000.0, 100_000.0)
_USUAL, _SPREAD = 500.0, 1.5  # of ln(strength), before any evidence


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """The strength chosen, and why.

    Args:
        strength: How many retries the prior is worth; 0 is the model alone.
        log_loss: Mean log loss of each strength tried on unseen customers; empty for a large history.
    """

    strength: float
    log_loss: dict[float, float]


def choose_strength(y: Floats, logits: Floats, prior: Floats, fitted: int) -> Shrinkage:
    """The strength of least log loss, drawn towards the usual one where rows are too few to tell.

    The choice is the most likely one a posteriori under a wide normal for ln(strength) around 500, so that a few
    lucky rows do not decide and some hundred do.

    Args:
        y: Outcomes of rows that the boosters have not seen, shape (n,).
        logits: The bag's mean logits of those rows, shape (n,).
        prior: The prior's logits of those rows, shape (n,).
        fitted: Rows the bag was fitted on.
    """
    if fitted >= SMALL_ROWS:
        return Shrinkage(0.0, {})
    tried = {strength: log_loss(y, probability(Blend(fitted, strength).apply(logits, prior))) for strength in STRENGTHS}
    chosen = min(STRENGTHS, key=lambda strength: tried[strength] * len(y) + _surprise(strength))
    return Shrinkage(chosen, tried)


def _surprise(strength: float) -> float:
    """Minus the log density of the strength before any evidence, up to a constant, in nats."""
    return float((np.log(max(strength, 10.0) / _USUAL) / _SPREAD) ** 2 / 2.0)
