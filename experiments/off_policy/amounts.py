"""Values per amount instead of per row: every estimator's two sums, each row weighed by what was owed.

With rewards as chances (was it approved), a row's part of both sums times its amount makes the share of the amount that
comes back: for IPS sum w r a / sum a, and likewise for the others. It is a ratio of two sums again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.off_policy.decisions import Decisions
from experiments.off_policy.episodes import Episodes
from experiments.off_policy.support import Support
from experiments.resamples import Estimate, Floats, Resamples, percentile_interval


@dataclass(frozen=True, slots=True)
class Weighed:
    """A log whose rows count by their amount.

    Args:
        amount: Owed on each decision or, for episodes, on each episode, in one currency, shape (n,).
    """

    log: Decisions | Episodes
    amount: Floats

    @property
    def support(self) -> Support:
        """That of the log: amounts lend no support."""
        return self.log.support

    def ratios(self) -> Mapping[str, tuple[Floats, Floats]]:
        """By estimator, what each row adds to the two sums, each of shape (n,)."""
        return {name: (above * self.amount, below * self.amount) for name, (above, below) in self.log.ratios().items()}


def relative(ours: Weighed, theirs: Weighed, estimator: str, draws: Resamples) -> Estimate | None:
    """Our value as a share of theirs, less 1, by the same draws of customers; None where theirs is not above zero."""
    (a, b), (c, d) = ours.ratios()[estimator], theirs.ratios()[estimator]
    if not (b.sum() > 0 and d.sum() > 0 and c.sum() > 0):
        return None
    sums = draws.sums(np.stack([a, b, c, d], axis=1))
    whole = (sums[:, 1] > 0) & (sums[:, 2] > 0) & (sums[:, 3] > 0)
    changed = np.divide(sums[:, 0] * sums[:, 3], sums[:, 1] * sums[:, 2], out=np.full(len(sums), np.nan), where=whole)
    value = float(a.sum() / b.sum() / (c.sum() / d.sum()))
    return percentile_interval(value - 1.0, changed - 1.0)
