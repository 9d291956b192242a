"""What an experiment is: the reviewed definition as frozen values, each field with what it may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, ConfigDict, Field

from experiments.arm_policies import STRICT, ArmPolicy
from features.vocabulary import DeclineCategory, Rail
from model.caps.rule import KeyPart

BUCKETS = 10_000
HOLD_OUT = "hold-out"
"""The variant of units that get no retry at all; no other variant may be called so."""

_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=_NAME, max_length=60)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Metric = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=80)]
Day = Annotated[int, Field(ge=1, le=400)]
Whole = Annotated[int | None, Field(ge=0, le=10_000_000)]


class Status(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"  # nobody is assigned
    RUNNING = "running"  # first failures are assigned
    STOPPED = "stopped"  # nobody new; who is in stays in
    CONCLUDED = "concluded"  # decided; nobody is answered by it any more


ANSWERING = frozenset({Status.RUNNING, Status.STOPPED})
"""Where variants answer: for whoever comes, or for whoever is in."""


class Unit(StrEnum):
    """What is assigned."""

    CUSTOMER = "customer"
    PAYMENT = "payment"


class Method(StrEnum):
    """How its intervals may be read."""

    FIXED = "fixed"  # once, at the planned end
    SEQUENTIAL = "sequential"  # at any time


class CovariateName(StrEnum):
    """What was known before the failure and takes noise off the comparison."""

    EXPECTED_RECOVERY = "expected_recovery"  # by the payer's own past and the decline category's
    NONE = "none"


class Change(StrEnum):
    """What was done to an experiment."""

    STARTED = "started"
    RAMPED = "ramped"
    REWEIGHTED = "reweighted"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


class Decided(StrEnum):
    """What an experiment was concluded with."""

    SHIP = "ship"
    KEEP = "keep"  # the control stays
    ABANDON = "abandon"  # the experiment says nothing


@dataclass(frozen=True, slots=True)
class Namespace:
    """Which part of a namespace's buckets is the experiment's; of one namespace a unit is in one experiment at most."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Annotated[Name, Field(description="lower-case words joined by hyphens, such as retries")] = "retries"
    first: Annotated[int, Field(ge=0, lt=BUCKETS, description="its first bucket: a whole number from 0 to 9999")] = 0
    end: Annotated[
        int, Field(ge=1, le=BUCKETS, description="the bucket after its last: a whole number from 1 to 10000")
    ] = BUCKETS


@dataclass(frozen=True, slots=True)
class Target:
    """Which payments it is about, all seen at the first failure; an empty list stands for all.

    Args:
        currency: Of the amounts; needed where there are bounds.
        min_minor, max_minor: Both inclusive.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    merchants: Annotated[tuple[Text, ...], Field(description='a list of merchant ids, such as ["acme"]')] = ()
    markets: Annotated[tuple[Text, ...], Field(description='a list of markets, such as ["DE", "AT"]')] = ()
    rails: Annotated[tuple[Rail, ...], Field(description=f"a list of rails: {', '.join(Rail)}")] = ()
    decline_categories: Annotated[
        tuple[DeclineCategory, ...], Field(description=f"a list of categories: {', '.join(DeclineCategory)}")
    ] = ()
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Z]{3}$", description="an ISO 4217 code in capitals, such as EUR")
    ] = None
    min_minor: Annotated[Whole, Field(description="the least amount, in whole minor units")] = None
    max_minor: Annotated[Whole, Field(description="the highest amount, in whole minor units")] = None


@dataclass(frozen=True, slots=True)
class Tighter:
    """A variant's stricter figures for one rule of the rulebook."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    limit: Annotated[Whole, Field(description="a whole number, at most the rule's own limit")] = None
    window_hours: Annotated[Whole, Field(description="whole hours, at least the rule's own window")] = None
    wait_hours: Annotated[Whole, Field(description="whole hours, at least the rule's own wait")] = None
    key: Annotated[
        tuple[KeyPart, ...] | None, Field(description=f"parts of the rule's own key, of {', '.join(KeyPart)}")
    ] = None
    length: Annotated[Whole, Field(description="a whole number, at least the length of the rule's own span")] = None
    share_bps: Annotated[Whole, Field(description="basis points, at most the rule's own share")] = None
    above_minor: Annotated[Whole, Field(description="whole minor units, at most the rule's own amount")] = None
    binding: Annotated[bool, Field(description="true, which makes advice a limit; or left out")] = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm.

    Args:
        weight: Share of the units that are not held out, from the start on.
        tighten: Stricter limits by rule.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    weight: Annotated[
        float, Field(gt=0, le=1, description="a share above 0 and at most 1; the weights of all variants add up to 1")
    ]
    policy: Annotated[
        ArmPolicy, Field(discriminator="kind", description='a table such as { kind = "fixed_days", days = [1, 3, 5] }')
    ]
    tighten: Annotated[
        Mapping[str, Tighter], Field(description="stricter figures by rule, such as { some-rule = { limit = 3 } }")
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """How much worse than the control a metric may be shown to be."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    margin: Annotated[
        float, Field(gt=0, le=1_000_000, description="what may be lost of it, in the metric's own unit: above 0")
    ]


@dataclass(frozen=True, slots=True)
class Bandit:
    """Weights that follow matured outcomes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    floor: Annotated[float, Field(gt=0, le=0.5, description="the least weight of a variant: above 0, at most 0.5")] = (
        0.1
    )
    every_days: Annotated[Day, Field(description="days between new weights: 1 to 400")] = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an experiment's history.

    Args:
        coverage: From then on, where that changed.
        weights: Of all variants from then on, where a bandit changed them.
        decision: What it was concluded with; `ship` is about a variant.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    at: Annotated[AwareDatetime, Field(description="an instant such as 2026-11-24T10:00:00Z")]
    what: Annotated[Change, Field(description=f"one of {', '.join(Change)}")]
    by: Annotated[Text, Field(description="who did it")]
    coverage: Annotated[float | None, Field(ge=0, le=1, description="the coverage from then on: 0 to 1")] = None
    decision: Annotated[Decided | None, Field(description=f"one of {', '.join(Decided)}")] = None
    variant: Annotated[Name | None, Field(description="the variant that the decision is about")] = None
    note: Annotated[Text | None, Field(description="why, in a sentence")] = None
    weights: Annotated[
        Mapping[Name, Annotated[float, Field(gt=0, le=1)]] | None,
        Field(description="the weights from then on, such as { fixed = 0.2, plan = 0.8 }"),
    ] = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One experiment, as its file states it.

    Args:
        coverage: Share of the units of its namespace range and target that take part.
        hold_out: Share of them that gets no retry at all.
        planned_units: Of control and one variant, at which the planned power is reached.
        covariate: What every figure is adjusted by; the unadjusted one is shown beside it.
        overrides: Variants of testers by merchant and unit; they count in no analysis.
        history: What was done to it, oldest first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    key: Annotated[Name, Field(description="lower-case words joined by hyphens, such as plan-against-fixed")]
    hypothesis: Annotated[Text, Field(description="what is expected and why, in a sentence")]
    owner: Annotated[Text, Field(description="who answers for it")]
    status: Annotated[Status, Field(description=f"one of {', '.join(Status)}")]
    salt: Annotated[
        str,
        Field(
            pattern=r"^[!-~]+$", min_length=8, max_length=100, description="8 to 100 characters of its own, no spaces"
        ),
    ]
    control: Annotated[Name, Field(description="the variant that the others are compared with")]
    variants: Annotated[
        Mapping[Name, Variant], Field(min_length=1, description="a table a variant, such as [variants.plan]")
    ]
    primary_metric: Annotated[Metric, Field(description="the name of a metric")]
    window_days: Annotated[Day, Field(description="days after the first failure in which outcomes count: 1 to 400")]
    min_run_days: Annotated[Day, Field(description="days that it runs at least: 1 to 400")]
    smallest_effect: Annotated[
        float, Field(gt=0, le=10, description="the smallest change worth finding, as a share of the control's value")
    ]
    unit: Annotated[Unit, Field(description=f"one of {', '.join(Unit)}")] = Unit.CUSTOMER
    unit_reason: Annotated[
        Text | None, Field(description="why payments of one customer may be treated differently, in a sentence")
    ] = None
    namespace: Annotated[
        Namespace, Field(description='a table such as { name = "retries", first = 0, end = 5000 }')
    ] = Namespace()
    coverage: Annotated[float, Field(ge=0, le=1, description="a share from 0 to 1")] = 1.0
    hold_out: Annotated[float, Field(ge=0, le=0.5, description="a share from 0 to 0.5")] = 0.0
    target: Annotated[Target, Field(description='a table such as { markets = ["DE"] }')] = Target()
    secondary_metrics: Annotated[tuple[Metric, ...], Field(description="a list of metrics")] = ()
    guardrails: Annotated[
        Mapping[str, Guardrail], Field(description="a table a metric, such as { chargebacks = { margin = 0.001 } }")
    ] = field(default_factory=dict)
    alpha: Annotated[float, Field(gt=0, le=0.2, description="the rate of false alarms: above 0, at most 0.2")] = 0.05
    power: Annotated[
        float, Field(ge=0.5, lt=1, description="the chance to find the smallest effect: 0.5 to below 1")
    ] = 0.8
    method: Annotated[Method, Field(description=f"one of {', '.join(Method)}")] = Method.SEQUENTIAL
    planned_units: Annotated[
        int | None,
        Field(ge=200, le=1_000_000_000, description="whole units of control and one variant together: 200 or more"),
    ] = None
    covariate: Annotated[CovariateName, Field(description=f"one of {', '.join(CovariateName)}")] = (
        CovariateName.EXPECTED_RECOVERY
    )
    bandit: Annotated[Bandit | None, Field(description="a table such as { floor = 0.1, every_days = 7 }")] = None
    overrides: Annotated[
        Mapping[str, Mapping[str, str]], Field(description='a table a merchant of variants by id: cus_test = "plan"')
    ] = field(default_factory=dict)
    history: Annotated[tuple[Entry, ...], Field(description="a list of [[history]] tables, oldest first")] = ()
