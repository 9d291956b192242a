"""The shapes that the service answers with."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from model.decision import StopReason, Topic
from model.step_down import Distrust
from serving.schemas import Shape


class MoneyOut(Shape):
    """An amount in whole minor units."""

    amount_minor: int = Field(description="minor units: cents, pence, whole yen; negative for a loss")
    currency: str = Field(description="ISO 4217")


class Window(Shape):
    """When to make the attempt: from start until before end."""

    start: AwareDatetime = Field(description="UTC")
    end: AwareDatetime = Field(description="UTC")
    start_local: AwareDatetime = Field(description="start on the issuer's clock")
    end_local: AwareDatetime = Field(description="end on the issuer's clock")
    time_zone: str = Field(description="the issuer's IANA zone")


class Probability(Shape):
    """Calibrated probability of approval with its 90 % interval."""

    approved: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class RetryAction(Shape):
    """Make one attempt in the window, with the method, through the processor."""

    kind: Literal["retry"]
    window: Window
    method_id: str
    processor: str
    by_day: bool = Field(description="true where the history knows days only, so that the window stands for a day")
    propensity: float = Field(ge=0, le=1, description="probability with which the policy takes this action")


class StopAction(Shape):
    """Make no further attempt."""

    kind: Literal["stop"]
    reason: StopReason
    propensity: float = Field(ge=0, le=1, description="probability with which the policy takes this action")


class HoldAction(Shape):
    """Make no attempt for now; the recovery goes on when somebody lifts the stop. Ask again."""

    kind: Literal["hold"]
    reason: StopReason
    propensity: float = Field(ge=0, le=1, description="probability with which the policy takes this action")


class Limit(Shape):
    """One rule and where this payment stands under it."""

    rule_id: str
    allowed: bool
    used: int | None = Field(description="attempts counted so far; null where the rule does not count")
    limit: int | None = Field(description="attempts the rule allows")
    left: int | None = Field(description="attempts left before this one")
    frees_at: AwareDatetime | None = Field(description="when it allows the next; null with allowed false means never")
    fee: MoneyOut | None = Field(description="what the network charges for the attempt")
    sentence: str
    source: str
    confidence: str


class RemovedRetries(Shape):
    """What one rule took away from one method."""

    method_id: str
    proposed: int = Field(description="retries of the method that could have been made")
    removed: int = Field(description="how many of them the rule forbids")
    limit: Limit


class OtherRetry(Shape):
    """A retry that was allowed and not chosen."""

    window: Window
    method_id: str
    processor: str
    probability: Probability
    expected_net_value: MoneyOut
    plan_value: MoneyOut = Field(description="what the best plan that starts with it is worth; compare with plan.value")
    why_not: str


class PlannedRetry(Shape):
    """One attempt of the plan; it is made only if every attempt before it was declined."""

    window: Window
    method_id: str
    processor: str
    probability: Probability = Field(description="if every attempt before it was declined")
    reached: float = Field(ge=0, le=1, description="probability that it is made at all")
    expected_net_value: MoneyOut = Field(description="what it is worth by itself once it is made")


class PlanOut(Shape):
    """What is planned to the horizon, as things stand; ask again after every attempt and it is made anew."""

    attempts: tuple[PlannedRetry, ...] = Field(description="in order of time; empty for a stop")
    expected_attempts: float = Field(description="how many of them are made on average")
    recovery_probability: float = Field(ge=0, le=1, description="that one of them is approved")
    recovery_low: float = Field(ge=0, le=1, description="the same with every chance at the lower end of its interval")
    recovery_high: float = Field(ge=0, le=1, description="the same with every chance at the upper end of its interval")
    expected_recovered: MoneyOut
    expected_cost: MoneyOut
    expected_net_value: MoneyOut = Field(description="after costs; stopping now is worth nothing")
    break_even_cost: MoneyOut = Field(description="if every attempt cost this much, the plan would be worth nothing")
    value: MoneyOut = Field(description="the same with cautious chances, as plans are compared")


class CurveOut(Shape):
    """The chance of one route over the horizon at the best slot of each day; all lists have the same length."""

    method_id: str
    processor: str
    start: tuple[AwareDatetime, ...]
    approved: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    allowed: tuple[bool, ...]


class ReasonOut(Shape):
    """One sentence that moved the decision."""

    topic: Topic
    sentence: str


class VersionsOut(Shape):
    """What the decision was made with: the same versions and context give the same decision."""

    model: str
    rulebook: str
    economics: str
    code: str


class StepDownOut(Shape):
    """A policy that should have answered and did not."""

    policy_source: Literal["model", "prior"] = Field(description="whose answer it would have been")
    why: Distrust
    sentence: str


class AssignmentOut(Shape):
    """The variant of an experiment that answered."""

    key: str = Field(description="the experiment")
    variant: str
    propensity: float = Field(
        gt=0, le=1, description="probability of the variant; times action.propensity, that of the action"
    )
    tester: bool = Field(description="named in the definition; counts in no analysis")


class DecisionAnswer(Shape):
    """What to do about a failed payment, what it is worth, why, and under which limits."""

    decision_id: str = Field(description="hash of the content: the same content has the same id")
    payment_id: str
    as_of: AwareDatetime
    valid_until: AwareDatetime = Field(description="ask again then: the window is over or something has changed")
    action: Annotated[RetryAction | StopAction | HoldAction, Field(discriminator="kind")]
    probability: Probability | None = Field(description="null for a stop and where a schedule chose")
    expected_net_value: MoneyOut | None = Field(description="gain times probability, less all costs; null as above")
    expected_cost: MoneyOut | None = Field(description="fees and harm expected from the attempt; null as above")
    break_even_cost: MoneyOut | None = Field(description="an attempt that costs this much is worth nothing")
    plan: PlanOut
    alternatives: tuple[OtherRetry, ...] = Field(description="the next best to start with, best first")
    curves: tuple[CurveOut, ...] = Field(description="the chance over the horizon, one a route, at most four routes")
    limits: tuple[Limit, ...] = Field(
        description="every rule that applies to the action; for a stop, those that forbid"
    )
    removed: tuple[RemovedRetries, ...] = Field(description="what the rules took away")
    reasons: tuple[ReasonOut, ...]
    payer_could: tuple[str, ...] = Field(description="what the payer could do, most helpful first")
    notes: tuple[str, ...] = Field(description="what in the request was not understood and how it was taken")
    policy: str
    policy_source: Literal["model", "prior", "schedule"] = Field(
        description="whether a trained model or the shipped prior scored, or a fixed schedule chose without chances"
    )
    stepped_down: tuple[StepDownOut, ...] = Field(
        description="the policies that should have answered and did not, and why; empty where the first one answered"
    )
    versions: VersionsOut
    experiment: AssignmentOut | None = Field(description="the variant that answered; null outside of experiments")


class FieldProblem(Shape):
    """One field at fault."""

    field: str = Field(description="path as the caller wrote it")
    value: str | int | float | bool | None = Field(description="what stood there; null where it may not be repeated")
    expected: str


class Problem(Shape):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="one sentence")
    instance: str
    errors: tuple[FieldProblem, ...]


class Health(Shape):
    """The process is alive."""

    status: Literal["alive"]


class LedgerReadiness(Shape):
    """Where the ledger stands."""

    state: Literal["ready", "none", "unreachable", "not_answering", "unwritable", "other_version"] = Field(
        description="none: this service keeps no ledger; not_answering: it takes too long; unwritable: its disk is "
        "full or may only be read; other_version: a later Recoup has changed its database"
    )
    database: str | None = Field(description="sqlite or postgres; null where it is not known")
    version: int | None = Field(description="last migration applied; null where it is not known")


class Readiness(Shape):
    """What answers, whether the ledger can be asked, and whether the process is leaving."""

    status: Literal["ready", "not_ready", "draining"]
    policy_source: Literal["model", "prior"]
    refused: str | None = Field(description="why no model answers; null when one does")
    versions: VersionsOut
    ledger: LedgerReadiness


class NotTaken(Shape):
    """A registered version that was refused, so that the one before it goes on."""

    alias: str
    registered_version: str
    reason: str
    since: AwareDatetime = Field(description="when it was refused first")


class Challenger(Shape):
    """The model that is asked in shadow."""

    version: str = Field(description="content hash of the artifact")
    registered_version: str | None
    since: AwareDatetime
    prepared_seconds: float
    learnt_until: AwareDatetime | None


class RegistryOut(Shape):
    """Whether the aliases are followed."""

    followed: bool = Field(description="false where a folder was named, or the aliases were only looked at once")
    asked_at: AwareDatetime | None = Field(description="when it last answered")
    unreachable_since: AwareDatetime | None = Field(description="since when it could not be asked; null where it can")
    reason: str | None = Field(description="why it could not")


class Models(Shape):
    """Which model answers and how it came to."""

    name: str
    asked: str = Field(description="where a model was looked for")
    policy_source: Literal["model", "prior"]
    version: str = Field(description="content hash of the artifact, or the prior's version")
    registered_version: str | None = Field(description="its number in the registry, when it came from there")
    refused: str | None = Field(description="why no model answers; null when one does")
    since: AwareDatetime | None = Field(description="when this worker took it up; null while it starts")
    prepared_seconds: float = Field(description="how long it took to make it ready, off the path of requests")
    learnt_until: AwareDatetime | None = Field(description="the last decision that it was judged on")
    resting: Distrust | None = Field(description="why it is left alone for a while; null where it is asked as usual")
    not_taken: tuple[NotTaken, ...] = Field(description="registered versions that an alias names and that were refused")
    challenger: Challenger | None = Field(description="who is asked in shadow; null for nobody")
    registry: RegistryOut
