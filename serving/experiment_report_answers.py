"""The report of an experiment as the HTTP interface tells it: the facts that the command writes, for one merchant."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from experiments.definition import Definition, Method, Status, Unit
from serving.kept_reports import Standing, age_seconds
from serving.schemas import Shape

State = Literal["computing", "current", "old"]


class IntervalOut(Shape):
    """From low to high, in the metric's unit."""

    low: float
    high: float


class PlainOut(Shape):
    """An effect without its covariate."""

    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut
    p: float


class EffectUnitsOut(Shape):
    """Mature units that an effect rests on."""

    control: int
    variant: int


class EffectOut(Shape):
    """A variant less its control on one metric, from mature units; with a covariate, adjusted by it."""

    metric: str
    control: float
    variant: float
    difference: float
    standard_error: float
    interval: IntervalOut = Field(description="of the difference, by the experiment's method at `level`")
    level: float = Field(description="chance that the interval holds the truth")
    p: float
    relative: float | None = Field(description="the difference as a share of the control")
    relative_interval: IntervalOut | None
    units: EffectUnitsOut
    reduction: float = Field(description="share of the variance that the covariate took off")
    unadjusted: PlainOut | None = Field(description="the same without the covariate; null where there is none")


class GuardrailOut(Shape):
    """A guard-rail; its interval is always-valid."""

    metric: str
    margin: float
    better: str = Field(description="higher or lower")
    state: str = Field(description="held, open or breached")
    effect: EffectOut | None


class SecondaryOut(EffectOut):
    """A secondary metric."""

    corrected_p: float = Field(description="corrected for the number of secondary metrics (Holm)")


class SegmentOut(EffectOut):
    """The effect in one segment."""

    segment: str
    shrunken: float = Field(description="the difference drawn towards the common one")


class SegmentsOut(Shape):
    """The effect by the values of one label; exploratory."""

    by: str
    differ_p: float = Field(description="p of segments with one common effect differing so much")
    common: float
    left_out_units: int = Field(description="units of segments too small to show")
    segments: tuple[SegmentOut, ...]


class VariantReportOut(Shape):
    """One variant against the control."""

    variant: str
    verdict: str = Field(
        description="collecting, unhealthy, no difference shown, wins, loses, guard-rail breached or ready to ship"
    )
    sentence: str = Field(description="why")
    primary: EffectOut | None
    guardrails: tuple[GuardrailOut, ...]
    secondary: tuple[SecondaryOut, ...]
    segments_exploratory: tuple[SegmentsOut, ...]


class ArmOut(Shape):
    """How many units a variant has."""

    variant: str
    expected: float
    exposed: int
    mature: int = Field(description="units whose window is over")
    collecting: int


class SplitOut(Shape):
    """Whether units arrived as planned."""

    healthy: bool
    anytime_p: float = Field(description="may be read every day")
    chi_square_p: float
    arms: tuple[ArmOut, ...]


class HoldOutOut(Shape):
    """Everybody treated against the hold-out."""

    effect: EffectOut
    brought: float = Field(description="what the retries brought, in minor units of the report's currency")
    brought_interval: IntervalOut


class ReportOut(Shape):
    """What may be read of an experiment on that day, as `recoup experiment report --json` writes it."""

    key: str
    hypothesis: str
    owner: str
    status: Status
    merchant_id: str | None = Field(description="whose payments it is about")
    as_of: AwareDatetime = Field(description="what was known then")
    currency: str = Field(description="of all money in it, in minor units")
    unit: Unit
    control: str
    method: Method
    alpha: float
    window_days: int
    min_run_days: int
    days_run: float
    planned_units: int | None
    planned_units_stated: bool
    covariate: str | None = Field(description="what is known before the failure and takes noise off every effect")
    split: SplitOut
    withheld: bool = Field(description="the split is broken, so no outcome is shown")
    unmeasured: tuple[str, ...] = Field(description="metrics whose facts nobody tells of")
    variants: tuple[VariantReportOut, ...]
    hold_out: HoldOutOut | None


class ReportAnswer(Shape):
    """The last report of an experiment on one merchant's payments, and how old it is."""

    key: str
    merchant_id: str
    about: str = Field(description="whose payments the figures are of")
    state: State = Field(
        description="computing: there is none yet, ask again; current; old: a newer one is being computed"
    )
    computed_at: AwareDatetime | None
    age_seconds: int | None
    problem: str | None = Field(description="why the last try to compute it anew failed")
    report: ReportOut | None


def report_answer(definition: Definition, merchant_id: str, standing: Standing, now: datetime) -> ReportAnswer:
    """What there is of a report.

    Raises:
        ValidationError: What is kept was written by another version.
    """
    kept = standing.kept
    facts = kept.facts if kept else None
    state: State = "computing" if facts is None else "old" if standing.waiting else "current"
    return ReportAnswer(
        key=definition.key,
        merchant_id=merchant_id,
        about=(
            f"Every figure is of payments of {merchant_id} alone, analysed by themselves: "
            "nothing of another merchant's exposures or payments is in any of them."
        ),
        state=state,
        computed_at=kept.computed_at if kept else None,
        age_seconds=int(age_seconds(kept, now)) if kept and facts is not None else None,
        problem=kept.failed if kept else None,
        report=ReportOut.model_validate_json(facts) if facts is not None else None,
    )
