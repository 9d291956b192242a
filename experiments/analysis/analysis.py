"""The analysis of one experiment at one instant: split first, then mature units only, then a verdict for each
variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.analysis.effect import Effect, effect
from experiments.analysis.guard_rails import Guarded, GuardRail, Watched, judge
from experiments.analysis.hold_out import Lift, hold_out_lift
from experiments.analysis.intervals import FEWEST, Tuning, check_alpha
from experiments.analysis.multiplicity import holm, shared
from experiments.analysis.readable import unreadable
from experiments.analysis.segments import Segments, by_segment
from experiments.analysis.split import Phase, SplitCheck, check_split
from experiments.analysis.verdict import Evidence, Verdict, verdict
from experiments.definition import Method
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.cohort import Cohort, Flags, Int64s, Units
from experiments.metrics.maturity import Window, mature
from experiments.metrics.spec import MetricSpec
from experiments.metrics.unit_rows import Covariate, UnitRows, first_mature, own_window, unit_rows
from features.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class PlannedWeights:
    """Weights of the variants from an instant on.

    Args:
        epoch: How often a bandit had changed them by then; a ramp changes the coverage alone.
    """

    since: np.datetime64
    weights: Mapping[str, float]
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What was agreed before the start; everything that could be chosen after seeing outcomes is here instead.

    Args:
        weights: In order of time, the first from the start.
        planned_units: Mature units of control and one variant at which the planned power is reached.
        covariates: By metric name; what reduces its variance.
        hold_out: The variant that gets nothing, if there is one; it is compared with all others.
        same_policy: An A/A test.
        unmeasured: Metrics whose facts nobody tells of: they are claims, and never have an answer.
        tuned_units: What the always-valid intervals are tuned for, where that is not the planned number.

    Raises:
        InvalidValueError: A metric or variant does not exist, alpha is not between 0 and 1, nobody is compared, or the
            primary metric is not measured.
    """

    control: str
    weights: Sequence[PlannedWeights]
    window: Window
    planned_units: int
    minimum_days: float
    primary: str = PRIMARY
    guard_rails: Sequence[GuardRail] = ()
    secondary: Sequence[str] = ()
    segments: Sequence[str] = ()
    covariates: Mapping[str, Covariate] | None = None
    alpha: float = 0.05
    method: Method = Method.SEQUENTIAL
    hold_out: str | None = None
    same_policy: bool = False
    unmeasured: frozenset[str] = frozenset()
    tuned_units: int | None = None

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        Tuning(self.planned_units, self.alpha)
        if self.primary in self.unmeasured:
            known = ", ".join(name for name in METRICS if name not in self.unmeasured)
            raise InvalidValueError("primary_metric", self.primary, f"one that is measured: {known}")
        for name in (self.primary, *self.secondary, *(rail.metric for rail in self.guard_rails)):
            metric(name)
        if not self.weights:
            raise InvalidValueError("weights", "none", "the planned weights of the variants")
        for name in filter(None, (self.control, self.hold_out)):
            if name not in self.variants:
                raise InvalidValueError("variant", name, f"one of {', '.join(self.variants)}")
        if not self.compared:
            raise InvalidValueError(
                "variants", ", ".join(self.variants), "at least one variant besides control and hold-out"
            )

    @property
    def variants(self) -> tuple[str, ...]:
        """All that ever had a weight, hold-out included."""
        return tuple(dict.fromkeys(name for phase in self.weights for name in phase.weights))

    @property
    def compared(self) -> tuple[str, ...]:
        """Those that a verdict is given on."""
        return tuple(name for name in self.variants if name not in {self.control, self.hold_out})


@dataclass(frozen=True, slots=True)
class Secondary:
    """A secondary metric with its p-values after Holm, by both methods."""

    effect: Effect
    fixed_p: float
    always_p: float


@dataclass(frozen=True, slots=True)
class VariantAnalysis:
    """One variant against control."""

    variant: str
    verdict: Verdict
    primary: Effect | None
    guarded: tuple[Guarded, ...]
    secondary: tuple[Secondary, ...]
    segments: tuple[Segments, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known at an instant.

    Args:
        mature, collecting: Units exposed, by variant, by whether the primary metric's window is over.
        days_run: Since the first exposure.
        withheld: Whether the split is broken; then no effect is computed at all.
    """

    as_of: np.datetime64
    days_run: float
    mature: Mapping[str, int]
    collecting: Mapping[str, int]
    split: SplitCheck
    variants: tuple[VariantAnalysis, ...]
    lift: Lift | None
    withheld: bool


def metric(name: str) -> MetricSpec:
    """A metric of the catalogue.

    Raises:
        InvalidValueError: There is none of that name.
    """
    if name not in METRICS:
        raise InvalidValueError("metric", name, f"one of {', '.join(METRICS)}")
    return METRICS[name]


def analyse(cohort: Cohort, plan: AnalysisPlan, as_of: np.datetime64) -> Analysis:
    """Everything that may be shown at `as_of`.

    Raises:
        InvalidValueError: The units have a variant that the plan does not know, or lack a covariate or a segment of it.
    """
    for name in cohort.units.variants:
        if name not in plan.variants:
            raise InvalidValueError("variant", name, f"one of the planned: {', '.join(plan.variants)}")
    units = cohort.units
    split = check_split(phases(units, plan.weights, as_of))
    exposed = units.exposed_at <= as_of
    done = exposed & mature(units.exposed_at, own_window(metric(plan.primary), plan.window), as_of)
    first = units.exposed_at[exposed].min() if exposed.any() else as_of
    days_run = float((as_of - first) / np.timedelta64(1, "D"))
    rows = _Rows(plan, cohort.units, _all_rows(cohort, plan, as_of) if split.healthy else {})
    return Analysis(
        as_of=as_of,
        days_run=days_run,
        mature=_counts(units, done),
        collecting=_counts(units, exposed & ~done),
        split=split,
        variants=tuple(_variant(name, rows, split, days_run) for name in plan.compared),
        lift=_lift(rows) if split.healthy else None,
        withheld=not split.healthy,
    )


def phases(units: Units, weights: Sequence[PlannedWeights], as_of: np.datetime64) -> list[Phase]:
    """Counts of exposed units by the weights that they were assigned by."""
    phase, exposed = _phase(units, weights), units.exposed_at <= as_of
    nobody = dict.fromkeys(units.variants, 0.0)
    return [Phase({**nobody, **one.weights}, _counts(units, exposed & (phase == i))) for i, one in enumerate(weights)]


def in_epochs(rows: UnitRows, units: Units, weights: Sequence[PlannedWeights]) -> UnitRows:
    """The rows with the epoch of each, where a bandit changed the weights; else as they are."""
    epochs = np.array([one.epoch for one in weights], dtype=np.int64)
    return replace(rows, epoch=epochs[_phase(units, weights)][rows.unit]) if len(np.unique(epochs)) > 1 else rows


def _phase(units: Units, weights: Sequence[PlannedWeights]) -> Int64s:
    """By which weights each unit was assigned, shape (n,)."""
    starts = np.array([one.since for one in weights], dtype="datetime64[us]")
    found: Int64s = np.maximum(np.searchsorted(starts, units.assigned_under, side="right") - 1, 0)
    return found


def _counts(units: Units, chosen: Flags) -> dict[str, int]:
    counted = np.bincount(units.variant[chosen], minlength=len(units.variants))
    return {name: int(count) for name, count in zip(units.variants, counted, strict=True)}


def _all_rows(cohort: Cohort, plan: AnalysisPlan, as_of: np.datetime64) -> dict[str, UnitRows]:
    names = {plan.primary, *plan.secondary, *(rail.metric for rail in plan.guard_rails)} - plan.unmeasured
    known = plan.covariates or {}
    found = {name: unit_rows(metric(name), cohort, plan.window, as_of, known.get(name)) for name in sorted(names)}
    return {name: in_epochs(rows, cohort.units, plan.weights) for name, rows in found.items()}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Mature rows of every metric of the plan, and effects on them; no rows on a broken split."""

    plan: AnalysisPlan
    units: Units
    mature: Mapping[str, UnitRows]

    def effect(self, name: str, variant: str, alpha: float) -> Effect | None:
        """Among all mature units."""
        if name in self.plan.unmeasured:
            return None
        return effect(self.concurrent(name, variant), variant, self.plan.control, self.tuning, alpha)

    def read(self, name: str, variant: str, alpha: float) -> Effect | None:
        """Among those that the method reads: by the fixed one the first of the planned number, whatever the day."""
        if name in self.plan.unmeasured:
            return None
        return effect(self.read_rows(name, variant), variant, self.plan.control, self.tuning, alpha)

    def planned(self, name: str, variant: str, alpha: float) -> Effect | None:
        """The same; by the fixed method None until the metric has the planned number of mature units itself.

        A metric with days of its own has fewer than the primary one, and a fixed interval may be looked at but once.
        """
        found = self.read(name, variant, alpha)
        if found is None or self.plan.method is Method.SEQUENTIAL:
            return found
        return found if sum(found.units) >= self.plan.planned_units else None

    def concurrent(self, name: str, variant: str) -> UnitRows:
        """Units exposed while both the variant and its control could be assigned; others have no counterpart."""
        both = [
            i
            for i, one in enumerate(self.plan.weights)
            if one.weights.get(variant, 0.0) > 0 and one.weights.get(self.plan.control, 0.0) > 0
        ]
        rows = self.mature[name]
        if len(both) == len(self.plan.weights):
            return rows
        return rows.where(np.isin(_phase(self.units, self.plan.weights)[rows.unit], both))

    def read_rows(self, name: str, variant: str) -> UnitRows:
        rows = self.concurrent(name, variant)
        if self.plan.method is Method.SEQUENTIAL:
            return rows
        return first_mature(rows, (variant, self.plan.control), self.plan.planned_units)

    @property
    def tuning(self) -> Tuning:
        return Tuning(self.plan.tuned_units or self.plan.planned_units, self.plan.alpha)


def _variant(name: str, rows: _Rows, split: SplitCheck, days_run: float) -> VariantAnalysis:
    plan, healthy = rows.plan, split.healthy
    # Several variants against one control are several claims to win.
    alpha = shared(plan.alpha, len(plan.compared))
    primary = rows.read(plan.primary, name, alpha) if healthy else None
    guarded = _guarded(name, rows, alpha) if healthy else ()
    evidence = Evidence(
        split=split,
        effect=primary,
        direction=metric(plan.primary).direction,
        guarded=guarded,
        days_run=days_run,
        minimum_days=plan.minimum_days,
        planned_units=plan.planned_units,
        method=plan.method,
        same_policy=plan.same_policy,
        unreadable=_unreadable(name, rows) if healthy and primary is None else None,
    )
    return VariantAnalysis(
        variant=name,
        verdict=verdict(evidence),
        primary=primary,
        guarded=guarded,
        secondary=_secondary(name, rows, alpha) if healthy else (),
        segments=_by_segment(name, rows) if healthy else (),
    )


def _unreadable(name: str, rows: _Rows) -> str | None:
    """Why there is no effect on the primary metric though its arms have enough units."""
    read, arms = rows.read_rows(rows.plan.primary, name), (name, rows.plan.control)
    return unreadable(read, *arms) if min(int(read.arm(arm).sum()) for arm in arms) >= FEWEST else None


def _guarded(name: str, rows: _Rows, alpha: float) -> tuple[Guarded, ...]:
    plan = rows.plan
    rails = [
        Watched(
            rail,
            metric(rail.metric).direction,
            now=rows.effect(rail.metric, name, alpha),
            planned=rows.planned(rail.metric, name, alpha),
        )
        for rail in plan.guard_rails
    ]
    return judge(rails, rows.tuning, alpha, sequential=plan.method is Method.SEQUENTIAL)


def _secondary(name: str, rows: _Rows, alpha: float) -> tuple[Secondary, ...]:
    share = shared(alpha, len(rows.plan.secondary))
    found = {key: rows.read(key, name, share) for key in rows.plan.secondary}
    # Metrics without an answer yet are claims all the same.
    fixed = holm({key: 1.0 if one is None else one.fixed_p for key, one in found.items()})
    always = holm({key: 1.0 if one is None else one.always_p for key, one in found.items()})
    return tuple(Secondary(one, fixed[key], always[key]) for key, one in found.items() if one is not None)


def _by_segment(name: str, rows: _Rows) -> tuple[Segments, ...]:
    plan, known = rows.plan, rows.units.segments
    for label in plan.segments:
        if label not in known:
            raise InvalidValueError(
                "segments", label, f"one of {', '.join(sorted(known)) or 'none, the units have none'}"
            )
    labels = {label: known[label] for label in plan.segments}
    return by_segment(rows.read_rows(plan.primary, name), labels, name, plan.control, rows.tuning, plan.alpha)


def _lift(rows: _Rows) -> Lift | None:
    if rows.plan.hold_out is None:
        return None
    return hold_out_lift(rows.mature[rows.plan.primary], rows.plan.hold_out, rows.tuning, rows.plan.alpha)
