"""Values of a target policy from logged episodes: several decisions each, until the payment is recovered or given up.

With the weights of the decisions so far multiplied up, `ρ_t = w_1 … w_t` and `ρ_0 = 1`, the value of an episode is

    per-decision IS   Σ_t ρ_t r_t                                   Precup, Sutton & Singh 2000
    self-normalised   Σ_t r_t ρ_t / mean of ρ_t over the episodes   (consistent; less variance)
    sequential DR     Σ_t ρ_(t-1) v_t + ρ_t (r_t - q_t)             Jiang & Li 2016

where `q_t` is the model's guess of the reward from the logged action *and everything after it* under the target, and
`v_t` the same of what the target would do. Products of weights die within a few steps, so that beyond four decisions an
episode's value is seldom supported; the support is that of the last weights, `ρ` at each episode's end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.off_policy.support import Support, support_of

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Logged decisions of episodes, ordered by episode and step; arrays by decision have shape (m,).

    Args:
        episode: Which episode, 0 to n - 1, never falling.
        reward: What the logged action brought at once.
        logged, target: Probabilities of the logged action under the two policies.
        customer: Whose episode, as an integer, shape (n,).
        q, v: As above, shape (m,); None without a model.
    """

    episode: Int64s
    reward: Floats
    logged: Floats
    target: Floats
    customer: Int64s
    q: Floats | None = None
    v: Floats | None = None

    @property
    def rho(self) -> Floats:
        """ρ_t of each decision, shape (m,)."""
        running = np.empty(len(self.episode))
        weight, product, before = self.target / self.logged, 1.0, -1
        for row, (episode, w) in enumerate(zip(self.episode.tolist(), weight.tolist(), strict=True)):
            product = w if episode != before else product * w
            running[row], before = product, episode
        return running

    @property
    def step(self) -> Int64s:
        """Number of each decision within its episode, from 0, shape (m,)."""
        first = np.searchsorted(self.episode, self.episode, side="left")
        return np.arange(len(self.episode), dtype=np.int64) - first

    @property
    def support(self) -> Support:
        """Of the weights at the end of the episodes."""
        last = np.append(self.episode[1:] != self.episode[:-1], True)
        return support_of(self.rho[last], self.customer)

    def ratios(self) -> Mapping[str, tuple[Floats, Floats]]:
        """By estimator, what each episode adds to the two sums, each of shape (n,)."""
        one, rho = np.ones(len(self.customer)), self.rho
        found = {
            "ips": (self._sum(rho * self.reward), one),
            "snips": (self._sum(self._normalised(rho) * self.reward), one),
        }
        if self.q is not None and self.v is not None:
            before = np.where(self.step == 0, 1.0, np.append(1.0, rho[:-1]))
            found["dm"] = (self._sum(np.where(self.step == 0, self.v, 0.0)), one)
            found["dr"] = (self._sum(before * self.v + rho * (self.reward - self.q)), one)
        return found

    def values(self) -> dict[str, float]:
        """The mean value of an episode by each estimator."""
        return {name: float(above.sum() / below.sum()) for name, (above, below) in self.ratios().items()}

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.episode, weights=values, minlength=len(self.customer)).astype(np.float64)

    def _normalised(self, rho: Floats) -> Floats:
        """ρ_t over its mean at step t; an episode that has ended keeps its last weight in that mean."""
        episodes, steps = len(self.customer), int(self.step.max(initial=0)) + 1
        table = np.full((episodes, steps), np.nan)
        table[self.episode, self.step] = rho
        for column in range(1, steps):
            ended = np.isnan(table[:, column])
            table[ended, column] = table[ended, column - 1]
        mean = np.nan_to_num(table).mean(axis=0)
        found: Floats = np.divide(rho, mean[self.step], out=np.zeros_like(rho), where=mean[self.step] > 0)
        return found
