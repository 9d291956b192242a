"""Policies beside each other: every figure with its interval, every difference paired, by resampling customers.

All policies were played on the same payments with the same luck, and all are judged on the same draws of customers, so
that what they have in common cancels in a difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.replay import End
from experiments.resamples import Estimate, Floats, Resamples, percentile_interval
from experiments.results import Results
from features.money import minor_digits

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a policy: a ratio of two sums over payments.

    Args:
        name: As it stands in tables, reports and MLflow.
        better: Whether a `lower` or a `higher` value is better.
        above, below: (results) → what each payment adds to the two sums, shape (n,).
    """

    name: str
    better: str
    meaning: str
    above: Callable[[Results], Floats]
    below: Callable[[Results], Floats]


def _each(results: Results) -> Floats:
    return np.ones(len(results))


def _major(minor: Floats, results: Results) -> Floats:
    return np.asarray(minor / 10.0 ** minor_digits(results.currency), dtype=np.float64)


def _number(values: NDArray[np.generic]) -> Floats:
    return values.astype(np.float64)


RECOVERED, NET = "recovered", "net"

FIGURES: tuple[Figure, ...] = (
    Figure(RECOVERED, "higher", "share of failed payments recovered by a retry", lambda r: _number(r.recovered), _each),
    Figure(
        "recovered_amount",
        "higher",
        "share of the failed amount recovered by a retry",
        lambda r: _number(r.recovered * r.amount),
        lambda r: r.amount,
    ),
    Figure(
        NET,
        "higher",
        "worth of what was recovered less all costs, per failed payment",
        lambda r: _major(r.net, r),
        _each,
    ),
    Figure(
        "net_with_hand",
        "higher",
        "the same with what customers paid by hand",
        lambda r: _major(r.net_with_hand, r),
        _each,
    ),
    Figure("attempts", "lower", "retries per failed payment", lambda r: _number(r.attempts), _each),
    Figure(
        "attempts_per_recovery",
        "lower",
        "retries per recovered payment",
        lambda r: _number(r.attempts),
        lambda r: _number(r.recovered),
    ),
    Figure("fees", "lower", "fees per failed payment", lambda r: _major(r.fees, r), _each),
    Figure("cost", "lower", "fees and harm per failed payment", lambda r: _major(r.cost, r), _each),
    Figure(
        "days_to_recovery",
        "lower",
        "days from failure to recovery, mean of the recovered",
        lambda r: _number(np.nan_to_num(r.days)),
        lambda r: _number(r.recovered),
    ),
    Figure(
        "stopped",
        "lower",
        "share of payments given up by choice: a retry was allowed and not made",
        lambda r: _number(r.stopped),
        _each,
    ),
)
BY_NAME: Mapping[str, Figure] = {figure.name: figure for figure in FIGURES}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One policy.

    Args:
        figures: By name; a figure without an answer is absent.
        median_days: To recovery; None where nothing was recovered.
        ends: How many payments ended how.
        breaches: Retries that a rule forbade; must be zero.
    """

    policy: str
    payments: int
    figures: Mapping[str, Estimate]
    median_days: float | None
    ends: Mapping[str, int]
    breaches: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One policy less another, paired by payment; by figure name."""

    policy: str
    against: str
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Stopping:
    """What giving up cost: how the baseline fared on the payments that the policy gave up.

    Args:
        payments: Payments given up.
        recovered: How many of them the baseline recovered later than the policy gave up.
        net: What that was worth to it less its costs on all of them, per payment given up, in major units.
        amount: Share of their amount that it recovered so.
    """

    policy: str
    against: str
    payments: int
    recovered: int
    amount: float
    net: float


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """Policy less baseline on some payments: share recovered and net value."""

    group: str
    word: str
    payments: int
    recovered: Estimate
    net: Estimate


@dataclass(frozen=True, slots=True)
class Costing:
    """Net value per failed payment if every attempt had cost so many times as much."""

    policy: str
    factor: float
    net: Estimate


class Comparison:
    """Results of policies on the same payments.

    Args:
        results: One for each policy, all of the same payments in the same order.
        resamples: Draws of customers.
        seed: Of the draws.

    Raises:
        ValueError: The payments differ.
    """

    def __init__(self, results: Sequence[Results], resamples: int, seed: int) -> None:
        if any(one.payment_ids != results[0].payment_ids for one in results):
            raise ValueError("policies must be played on the same payments in the same order")
        self.results = {one.policy: one for one in results}
        codes = np.unique(np.array(results[0].customers, dtype=np.str_), return_inverse=True)[1]
        self._draws = Resamples.draw(codes.astype(np.int64), resamples, seed)

    @property
    def customers(self) -> int:
        """How many customers owe the payments."""
        return int(self._draws.counts.shape[1])

    def judged(self, policy: str) -> Judgement:
        """All figures of one policy."""
        results = self.results[policy]
        days = results.days[results.recovered]
        ends = {end.name.lower(): int(np.sum(results.end == end)) for end in End}
        return Judgement(
            policy=policy,
            payments=len(results),
            figures={f.name: e for f in FIGURES if (e := self._estimate(f, results)) is not None},
            median_days=float(np.median(days)) if days.size else None,
            ends={name: count for name, count in ends.items() if count},
            breaches=int(results.breaches.sum()),
        )

    def difference(self, policy: str, against: str) -> Difference:
        """How the policy differs from another in every figure."""
        ours, theirs = self.results[policy], self.results[against]
        found = {}
        for figure in FIGURES:
            a, b = self._ratios(figure, ours), self._ratios(figure, theirs)
            if a is not None and b is not None:
                found[figure.name] = percentile_interval(a[0] - b[0], a[1] - b[1])
        return Difference(policy, against, found)

    def stopping(self, policy: str, against: str) -> Stopping:
        """What the baseline recovered of the payments that the policy gave up, after it gave them up."""
        ours, theirs = self.results[policy], self.results[against]
        given_up = ours.stopped
        later = given_up & theirs.recovered & (np.nan_to_num(theirs.days) >= ours.ended_after)
        total = float(ours.amount[given_up].sum())
        net = np.where(later, theirs.gain, 0.0) - theirs.cost
        return Stopping(
            policy,
            against,
            payments=int(given_up.sum()),
            recovered=int(later.sum()),
            amount=float(theirs.amount[later].sum() / total) if total else 0.0,
            net=float(_major(net[given_up], theirs).mean()) if given_up.any() else 0.0,
        )

    def slices(
        self, policy: str, against: str, groups: Mapping[str, Sequence[str]], least: int
    ) -> list[SliceDifference]:
        """The policy less the baseline on every slice of at least so many payments, worst net value first."""
        ours, theirs = self.results[policy], self.results[against]
        found = []
        for name, words in groups.items():
            column = np.array(words, dtype=np.str_)
            for word in np.unique(column):
                rows = column == word
                if rows.sum() >= least:
                    recovered = self._paired(_number(ours.recovered) - _number(theirs.recovered), rows)
                    net = self._paired(_major(ours.net - theirs.net, ours), rows)
                    found.append(SliceDifference(name, str(word), int(rows.sum()), recovered, net))
        return sorted(found, key=lambda one: one.net.value)

    def costing(self, policy: str, factors: Sequence[float]) -> list[Costing]:
        """Net value of what the policy did under other costs of an attempt; the policy does not plan anew."""
        results = self.results[policy]
        every = np.ones(len(results), dtype=np.bool_)
        return [Costing(policy, f, self._paired(_major(results.costing(f), results), every)) for f in factors]

    def _estimate(self, figure: Figure, results: Results) -> Estimate | None:
        ratios = self._ratios(figure, results)
        return None if ratios is None else percentile_interval(*ratios)

    def _ratios(self, figure: Figure, results: Results) -> tuple[float, Floats] | None:
        """The figure and its resamples, shape (draws,); None where its denominator is zero."""
        above, below = figure.above(results), figure.below(results)
        if not below.sum():
            return None
        sums = self._draws.sums(np.stack([above, below], axis=1))
        resampled = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
        return float(above.sum() / below.sum()), resampled

    def _paired(self, values: Floats, rows: Flags) -> Estimate:
        """Mean of the values over some payments."""
        sums = self._draws.take(rows).sums(np.stack([values[rows], np.ones(int(rows.sum()))], axis=1))
        resampled = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
        return percentile_interval(float(values[rows].mean()), resampled)
