"""Experiments as the HTTP interface tells them: what is asked, where it stands, and whom each variant answered for."""

from collections.abc import Sequence

from pydantic import AwareDatetime, Field

from experiments.allocation import allocation, propensities
from experiments.definition import HOLD_OUT, Change, Decided, Definition, Entry, Method, Status, Unit
from serving.ledger.exposures import VariantCount
from serving.schemas import Shape


class VariantOut(Shape):
    """One variant."""

    name: str
    control: bool = Field(description="the variant that the others are compared with")
    policy: str = Field(description="the kind of policy that it answers with")
    share: float = Field(ge=0, le=1, description="probability of the variant for a unit that takes part")
    first_bucket: int = Field(description="its first bucket of 10,000")
    end_bucket: int = Field(description="the bucket after its last")
    payments: int = Field(description="of the merchant, answered by it so far; testers left out")
    units: int = Field(description="customers, or payments where the unit is the payment")


class HistoryOut(Shape):
    """One thing that was done to an experiment."""

    at: AwareDatetime
    what: Change
    by: str
    coverage: float | None
    decision: Decided | None
    variant: str | None = Field(description="the variant that the decision is about")
    note: str | None
    weights: dict[str, float] | None = Field(description="of all variants from then on, where a bandit changed them")


class ExperimentOut(Shape):
    """One experiment, with the exposures of one merchant."""

    key: str
    hypothesis: str
    owner: str
    status: Status
    unit: Unit
    namespace: str
    coverage: float
    hold_out: float
    primary_metric: str
    guardrails: tuple[str, ...]
    secondary_metrics: tuple[str, ...]
    window_days: int
    min_run_days: int
    method: Method
    variants: tuple[VariantOut, ...] = Field(description="the hold-out first, then in the order of their names")
    testers: int = Field(description="payments of testers, who count in no analysis")
    history: tuple[HistoryOut, ...] = Field(description="oldest first")


class ExperimentsAnswer(Shape):
    """Every experiment that may be about the merchant."""

    experiments: tuple[ExperimentOut, ...]


def experiment_out(definition: Definition, counts: Sequence[VariantCount]) -> ExperimentOut:
    """A definition with what was counted of its variants."""
    return ExperimentOut(
        key=definition.key,
        hypothesis=definition.hypothesis,
        owner=definition.owner,
        status=definition.status,
        unit=definition.unit,
        namespace=definition.namespace.name,
        coverage=definition.coverage,
        hold_out=definition.hold_out,
        primary_metric=definition.primary_metric,
        guardrails=tuple(definition.guardrails),
        secondary_metrics=definition.secondary_metrics,
        window_days=definition.window_days,
        min_run_days=definition.min_run_days,
        method=definition.method,
        variants=_variants(definition, counts),
        testers=sum(count.payments for count in counts if count.tester),
        history=tuple(_entry(entry) for entry in definition.history),
    )


def about(definition: Definition, merchant_id: str) -> bool:
    """Whether an experiment may be about a merchant."""
    return not definition.target.merchants or merchant_id in definition.target.merchants


def _variants(definition: Definition, counts: Sequence[VariantCount]) -> tuple[VariantOut, ...]:
    shares = allocation(definition)
    chance = propensities(shares)
    seen = {count.variant: count for count in counts if not count.tester}
    return tuple(
        VariantOut(
            name=share.variant,
            control=share.variant == definition.control,
            policy="no_retry" if share.variant == HOLD_OUT else definition.variants[share.variant].policy.kind,
            share=chance.get(share.variant, 0.0),
            first_bucket=share.first,
            end_bucket=share.end,
            payments=seen[share.variant].payments if share.variant in seen else 0,
            units=seen[share.variant].units if share.variant in seen else 0,
        )
        for share in shares
    )


def _entry(entry: Entry) -> HistoryOut:
    return HistoryOut(
        at=entry.at,
        what=entry.what,
        by=entry.by,
        coverage=entry.coverage,
        decision=entry.decision,
        variant=entry.variant,
        note=entry.note,
        weights=None if entry.weights is None else dict(entry.weights),
    )
