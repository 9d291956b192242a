"""How a variant answers, as a definition states it: one table a kind of policy, with the bounds of each figure."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid", strict=True)

MostRetries = Annotated[
    int | None, Field(ge=0, le=1000, description="at most so many retries of a payment: a whole number from 0 to 1000")
]
HorizonDays = Annotated[
    int | None, Field(ge=1, le=60, description="retries until so many days after the first failure: 1 to 60")
]


@dataclass(frozen=True, slots=True)
class NoRetry:
    """No retry at all: what recovers by itself."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["no_retry"] = "no_retry"


@dataclass(frozen=True, slots=True)
class FixedDays:
    """Retries so many days after the first failure, with the method and processor that failed last."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["fixed_days"]
    days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=60)], ...],
        Field(min_length=1, description="days after the first failure, rising, each 1 to 60, such as [1, 3, 5, 7]"),
    ]


@dataclass(frozen=True, slots=True)
class MonthDays:
    """Retries on certain days of the month; the 31st is the last day of a shorter month."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["month_days"]
    days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=31)], ...],
        Field(min_length=1, description="days of the month, rising, each 1 to 31, such as [1, 15]"),
    ]
    within_days: Annotated[
        int, Field(ge=1, le=60, description="not later than so many days after the failure: 1 to 60")
    ] = 31


@dataclass(frozen=True, slots=True)
class Greedy:
    """The allowed retry that is best by itself, as if there were no other."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["greedy"]
    by: Annotated[Literal["net", "probability"], Field(description="net or probability")] = "net"
    max_retries: MostRetries = None
    horizon_days: HorizonDays = None


@dataclass(frozen=True, slots=True)
class BestPlan:
    """The best contingent plan, as Recoup decides without an experiment."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["plan"]
    max_retries: MostRetries = None
    horizon_days: HorizonDays = None


@dataclass(frozen=True, slots=True)
class ExploringPlan:
    """The plan, and for a small share of payments a draw among retries that are nearly as good."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["exploring_plan"]
    share: Annotated[float, Field(gt=0, le=0.2, description="share of payments that explore: above 0, at most 0.2")] = (
        0.03
    )
    within: Annotated[
        float, Field(ge=0, le=1, description="what may be given up of the best plan's worth: a share from 0 to 1")
    ] = 0.1
    max_retries: MostRetries = None
    horizon_days: HorizonDays = None


@dataclass(frozen=True, slots=True)
class LearntSchedule:
    """The fixed schedule learnt from a log; only a replay learns it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["learnt_schedule"]


@dataclass(frozen=True, slots=True)
class Oracle:
    """The plan that knows a simulated world's true chances."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: Literal["oracle"]


ArmPolicy = NoRetry | FixedDays | MonthDays | Greedy | BestPlan | ExploringPlan | LearntSchedule | Oracle

NOT_LIVE = {
    "learnt_schedule": "a kind that can answer live; write the days that the replay learnt as fixed_days",
    "oracle": "a kind that can answer live; an oracle knows the future and answers in a simulator only",
}
"""Why a kind cannot answer a request, and what to state in its place."""


def live_remedy(policy: ArmPolicy) -> str | None:
    """What to state in place of a policy that cannot answer a request; None where it can."""
    return NOT_LIVE.get(policy.kind)
