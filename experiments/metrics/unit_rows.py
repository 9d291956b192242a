"""One row a unit: what it adds above and below the line of one metric, with its covariate and when it matured."""

from dataclasses import dataclass, replace

import numpy as np

from experiments.metrics.cohort import Cohort, Flags, Floats, Instants, Int64s
from experiments.metrics.followed import follow
from experiments.metrics.maturity import Window, matures_at
from experiments.metrics.spec import MetricSpec
from features.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Covariate:
    """What was known before the failure and goes along with the outcome: a column, or a ratio of two.

    Args:
        numerator, denominator: Names in `Units.covariates`; without a denominator the mean is used.
    """

    numerator: str
    denominator: str | None = None


@dataclass(frozen=True, slots=True)
class UnitRows:
    """Mature units only; arrays have shape (n,), `columns` (n, 4).

    Args:
        columns: Numerator, denominator, covariate numerator, covariate denominator; without a covariate 0 and 1.
        weight: One over the unit's propensity (Hájek's weights): where weights changed on the way, arms hold different
            shares of early and late units, and plain sums would compare times instead of variants. A constant cancels.
        unit: Position in the cohort's `Units`.
        covariate: What the third and fourth columns are; None where they stand for nothing.
        epoch: Under which of a bandit's sets of weights each unit was assigned; None where there was one set, or none
            that outcomes had a say in. Effects are then estimated within epochs (`analysis.epochs`).
    """

    spec: MetricSpec
    variants: tuple[str, ...]
    variant: Int64s
    columns: Floats
    weight: Floats
    matured_at: Instants
    unit: Int64s
    covariate: Covariate | None = None
    epoch: Int64s | None = None

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def weighted(self) -> Floats:
        """The columns times the weights; what becomes of a ratio of their sums is Hájek's estimate, and a ratio
        again."""
        found: Floats = self.columns * self.weight[:, None]
        return found

    def arm(self, variant: str) -> Flags:
        """Which rows are of a variant, shape (n,); none where it has no unit yet."""
        found: Flags = np.equal(self.variant, self.variants.index(variant) if variant in self.variants else -1)
        return found

    def unadjusted(self) -> "UnitRows":
        """The same without a covariate."""
        columns = self.columns.copy()
        columns[:, 2], columns[:, 3] = 0.0, 1.0
        return replace(self, columns=columns, covariate=None)

    def where(self, kept: Flags) -> "UnitRows":
        """Some of the rows; `kept` has shape (n,)."""
        return replace(
            self,
            variant=self.variant[kept],
            columns=self.columns[kept],
            weight=self.weight[kept],
            matured_at=self.matured_at[kept],
            unit=self.unit[kept],
            epoch=None if self.epoch is None else self.epoch[kept],
        )


def first_mature(rows: UnitRows, arms: tuple[str, str], count: int) -> UnitRows:
    """The rows there were when so many units of both arms together were mature; all where they are not that many yet.

    What is read once must not change with the day it is read on.
    """
    both = np.sort(rows.matured_at[rows.arm(arms[0]) | rows.arm(arms[1])])
    return rows if len(both) < count else rows.where(rows.matured_at <= both[count - 1])


def own_window(spec: MetricSpec, window: Window) -> Window:
    """The window of a metric: its own length where it has one."""
    return window if spec.days is None else replace(window, outcome_days=spec.days)


def unit_rows(
    spec: MetricSpec, cohort: Cohort, window: Window, as_of: np.datetime64, covariate: Covariate | None = None
) -> UnitRows:
    """Rows of the units whose window is over at `as_of`; the rest is collecting and left out.

    Raises:
        InvalidValueError: The covariate is not among those of the units.
    """
    rows = all_rows(spec, cohort, window, as_of, covariate)
    return rows.where(rows.matured_at <= as_of)


def all_rows(
    spec: MetricSpec, cohort: Cohort, window: Window, as_of: np.datetime64, covariate: Covariate | None = None
) -> UnitRows:
    """Rows of every exposed unit with what has happened so far: biased while units are collecting, never to report."""
    within = own_window(spec, window)
    followed = follow(cohort, within, as_of)
    known = covariate or Covariate("", None)
    columns = [
        spec.above(followed),
        spec.below(followed),
        _column(known.numerator, cohort, 0.0),
        _column(known.denominator or "", cohort, 1.0),
    ]
    exposed = cohort.units.exposed_at <= as_of
    rows = UnitRows(
        spec=spec,
        variants=cohort.units.variants,
        variant=cohort.units.variant,
        columns=np.stack(columns, axis=1),
        weight=1.0 / cohort.units.propensity,
        matured_at=matures_at(cohort.units.exposed_at, within),
        unit=np.arange(len(cohort.units)),
        covariate=covariate,
    )
    return rows.where(exposed)


def _column(name: str, cohort: Cohort, otherwise: float) -> Floats:
    if not name:
        return np.full(len(cohort.units), otherwise)
    if name not in cohort.units.covariates:
        known = ", ".join(sorted(cohort.units.covariates)) or "none are there"
        raise InvalidValueError("covariate", name, f"one of the units' covariates: {known}")
    return cohort.units.covariates[name]
