"""Values of a target policy from logged decisions, one decision at a time.

With `w = π(a|x) / μ(a|x)` of the logged action, its reward `r`, a model's guess `q` of that reward and `v` of the
reward of what the target would do (`v = Σ_a π(a|x) q(x, a)`):

    IPS     Σ w r / n                              Horvitz & Thompson 1952; unbiased where π acts only where μ does
    SNIPS   Σ w r / Σ w                            Hájek; less variance, a bias that vanishes as 1/n
    DM      Σ v / n                                the model alone: no variance to speak of, all of its bias
    DR      Σ (v + w (r - q)) / n                  Dudík, Langford & Li 2011; unbiased if either part is right

Shrinking the large weights of DR (Su et al. 2020) was tried and left out: its intervals covered the truth of 443 of 500
logs, because they do not know of the bias that shrinking adds (docs/decisions/0091-what-a-log-can-say.md).

Each is a ratio of two sums over rows, so that one table of sums in every resample of customers gives all intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.off_policy.support import Support, support_of

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decisions:
    """Logged decisions and what a target policy and a model say of them; arrays have shape (n,).

    Args:
        reward: What the logged action brought.
        logged: Probability with which the logging policy chose it, above 0.
        target: Probability with which the target policy would have.
        q: The model's guess of the reward of the logged action; None without a model.
        v: The model's guess of the reward of what the target would do; None without a model.
        customer: Whose decision, as an integer.
    """

    reward: Floats
    logged: Floats
    target: Floats
    customer: Int64s
    q: Floats | None = None
    v: Floats | None = None

    @property
    def weight(self) -> Floats:
        """w = target / logged, shape (n,)."""
        return self.target / self.logged

    @property
    def support(self) -> Support:
        """How much of the log speaks for the target."""
        return support_of(self.weight, self.customer)

    def ratios(self) -> Mapping[str, tuple[Floats, Floats]]:
        """By estimator, what each row adds to the two sums, each of shape (n,)."""
        w, one = self.weight, np.ones(len(self.reward))
        found = {"ips": (w * self.reward, one), "snips": (w * self.reward, w)}
        if self.q is not None and self.v is not None:
            found |= {"dm": (self.v, one), "dr": (self.v + w * (self.reward - self.q), one)}
        return found

    def values(self) -> dict[str, float]:
        """The value by each estimator; one without an answer (no weight at all) is absent."""
        return {
            name: float(above.sum() / below.sum()) for name, (above, below) in self.ratios().items() if below.sum() > 0
        }
