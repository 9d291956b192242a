"""The plan with a little exploration, so that what it would never try is learnt about, at a known price.

A payment explores or not by a salted hash of its id, and an exploring payment does so at exactly one of its first
retries, named by the same hash: asked again it answers the same, and its path stays a sensible one. At that retry it
draws among the retries whose plan is worth nearly as much as the best (inverse-gap weighting; Foster & Rakhlin 2020),
each with at least the floor. It never explores where a limit has one attempt left, nor where advice asks to wait.

The logged propensity is that of the action over all hashes: the plan's share if it is the plan's own choice, plus the
exploring share times the draw's. It is exact for the first retry; for later ones it leaves out that payments which have
explored do not explore again, which changes it by no more than the share itself.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.context import Context
from features.errors import InvalidValueError
from model.decision import Choice
from model.failures import failures
from model.plan_policies import PlanPolicy, first_action
from model.planner import Case, Planned
from model.retries import retries_made

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

MOST_CHOICES = 50


@dataclass(frozen=True, slots=True)
class ExploringPlan:
    """The plan's choice, and for a small share of payments at one retry a draw among those nearly as good.

    Args:
        salt: Any text; another one makes other payments explore.
        share: Of payments that explore, in [0, 0.2].
        within: A retry is drawn only if its plan is worth at least this share less than the best, in [0, 1].
        floor: Least probability of each in the draw.
        spread: How fast the draw's weight falls with what is given up; 0 draws evenly.
        at_first: Exploring payments do so at one of their first so many retries.

    Raises:
        InvalidValueError: A share is out of its range.
    """

    plan: PlanPolicy
    salt: str
    share: float = 0.03
    within: float = 0.1
    floor: float = 0.005
    spread: float = 10.0
    at_first: int = 3

    def __post_init__(self) -> None:
        for field, value, most in (
            ("share", self.share, 0.2),
            ("within", self.within, 1.0),
            ("floor", self.floor, 0.02),
        ):
            if not 0.0 <= value <= most:
                raise InvalidValueError(field, value, f"a number between 0 and {most:g}")

    @property
    def name(self) -> str:
        """As it stands in histories and reports."""
        return f"{self.plan.name}-exploring"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The action of each context with its propensity over the full set of actions.

        Raises:
            InvalidValueError: A currency has no rate in the economics.
        """
        return [self._choice(case, planned) for case, planned in self.plan.plans(contexts)]

    def distribution(self, case: Case, planned: Planned) -> tuple[Int64s, Floats]:
        """(positions, probabilities) of every retry that may be taken in a context; empty for a stop."""
        if planned.first is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        best = np.array([planned.first], dtype=np.int64)
        if not may_explore(case, planned.first) or retries_made(case.context) >= self.at_first:
            return best, np.ones(1)
        drawn, weight = self._draw(case, planned)
        explores = self.share / self.at_first
        probability = explores * weight
        probability[drawn == planned.first] += 1.0 - explores
        return drawn, probability

    def _choice(self, case: Case, planned: Planned) -> Choice:
        first, propensity = self.taken(case, planned)
        return Choice(first_action(case, planned) if first is None else case.options.retries[first], propensity)

    def taken(self, case: Case, planned: Planned) -> tuple[int | None, float]:
        """(position of the retry that is made, its propensity); None and 1 for a stop."""
        places, probability = self.distribution(case, planned)
        if not places.size:
            return None, 1.0
        taken = int(np.flatnonzero(places == planned.first)[0])
        if places.size > 1 and self._explores_now(case.context):
            drawn, weight = self._draw(case, planned)
            taken = min(int(np.searchsorted(np.cumsum(weight), self._uniform(case.context, "draw"))), drawn.size - 1)
        return int(places[taken]), float(probability[taken])

    def _draw(self, case: Case, planned: Planned) -> tuple[Int64s, Floats]:
        """The retries to draw from, in order of time, with their probabilities; the plan's own is among them."""
        best = float(planned.worth.max())
        near = np.flatnonzero(planned.worth >= (1.0 - self.within) * best)
        near = np.array([i for i in near.tolist() if may_explore(case, i)], dtype=np.int64)
        near = np.sort(near[np.argsort(-planned.worth[near], kind="stable")][:MOST_CHOICES])
        weight = 1.0 / (1.0 + self.spread * (best - planned.worth[near]) / best)
        floor = min(self.floor, 1.0 / near.size)
        return near, floor + (1.0 - floor * near.size) * weight / weight.sum()

    def _explores_now(self, context: Context) -> bool:
        """Whether this payment explores, and at this retry."""
        slice_ = self._uniform(context, "payment") * self.at_first / self.share if self.share else np.inf
        return int(min(slice_, self.at_first)) == retries_made(context)

    def _uniform(self, context: Context, what: str) -> float:
        """A number in [0, 1) that the payment and the salt always give."""
        payment = context.payment
        text = f"{self.salt}\x1f{what}\x1f{payment.merchant_id}\x1f{payment.customer_id}\x1f{payment.payment_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2.0**56


def may_explore(case: Case, option: int) -> bool:
    """Whether no limit has only this attempt left and no advice asks to wait."""
    last = failures(case.context)[-1:]
    waits = any(a.decline is not None and a.decline.min_wait_hours is not None for a in last)
    counted = [v.limit - v.used for v in case.options.verdicts[option] if v.limit is not None and v.used is not None]
    return not waits and all(left > 1 for left in counted)
