"""How a policy answers for one payment, within every limit: the plan by default, another one in an experiment.

A policy of `model.policies` answers many contexts at once and says only what it does. An arm answers for one payment in
`decide`, which holds whatever it proposes against the rules, counts what is on record, and explains what is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np

from features.action import Retry
from features.context import Context
from model.candidates import candidates, is_expired, usable_processors
from model.caps.rulebook import Rulebook
from model.decision import StopReason
from model.exploring import ExploringPlan
from model.planner import POLICY, Case, Planned
from model.planning.referee import Referee
from model.policies import window_end
from model.record import Halt
from model.schedules import Timetable, upcoming

NO_RETRY_SENTENCE = "No retry is made: the policy that answers for this payment makes none."
OVER_SENTENCE = "The policy that answers for this payment makes no further retry."


@dataclass(frozen=True, slots=True)
class Taken:
    """What an arm does.

    Args:
        path: Positions of the options that it makes, each only if those before were declined; empty for a stop.
        propensity: P(the first of them) by the arm.
        sentence: Why, where the plan's own reasons do not say so.
    """

    path: tuple[int, ...]
    propensity: float = 1.0
    sentence: str | None = None


class Arm(Protocol):
    """A policy as it answers for one payment."""

    @property
    def name(self) -> str:
        """As it stands in decisions."""
        ...

    @property
    def max_retries(self) -> int | None:
        """At most so many retries of a payment."""
        ...

    @property
    def horizon_days(self) -> float | None:
        """Until so many days after the first failure."""
        ...

    def halt(self, context: Context) -> Halt | None:
        """Why it makes no retry at all."""
        ...

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:
        """The retries that it may make before `until`, in order of time, before the rules have their say."""
        ...

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:
        """What it does with those that the rules allow, given the best plan over them."""
        ...


@dataclass(frozen=True, slots=True)
class PlanArm:
    """The best plan; what answers outside of experiments."""

    max_retries: int | None = None
    horizon_days: float | None = None
    name: str = POLICY

    def halt(self, context: Context) -> Halt | None:
        """Only where its own time is over."""
        return _time_over(context, self.horizon_days)

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:
        """Every retry that can be made."""
        return candidates(context, _end(context, self.horizon_days, until))

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:  # noqa: ARG002 - other arms need them
        """The plan."""
        return Taken(planned.path)


DEFAULT = PlanArm()


@dataclass(frozen=True, slots=True)
class ExploringArm:
    """The plan with a little exploration; its propensity is that of `ExploringPlan`."""

    exploring: ExploringPlan

    @property
    def name(self) -> str:
        """As of the policy."""
        return self.exploring.name

    @property
    def max_retries(self) -> int | None:
        """As of the plan."""
        return self.exploring.plan.max_retries

    @property
    def horizon_days(self) -> float | None:
        """As of the plan."""
        return self.exploring.plan.horizon_days

    def halt(self, context: Context) -> Halt | None:
        """Only where its own time is over."""
        return _time_over(context, self.horizon_days)

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:
        """Every retry that can be made."""
        return candidates(context, _end(context, self.horizon_days, until))

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:  # noqa: ARG002 - other arms need them
        """The plan, or the retry that was drawn; what follows that is planned after it."""
        first, propensity = self.exploring.taken(case, planned)
        if first is None or first == planned.first:
            return Taken(planned.path, propensity)
        return Taken((first,), propensity, "This payment explores: another retry, worth nearly as much, was drawn.")


@dataclass(frozen=True, slots=True)
class GreedyArm:
    """The allowed retry that is best by itself; see `model.plan_policies.Greedy`."""

    by: Literal["net", "probability"] = "net"
    max_retries: int | None = None
    horizon_days: float | None = None

    @property
    def name(self) -> str:
        """`greedy-net` or `greedy-probability`."""
        return f"greedy-{self.by}"

    def halt(self, context: Context) -> Halt | None:
        """Only where its own time is over."""
        return _time_over(context, self.horizon_days)

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:
        """Every retry that can be made."""
        return candidates(context, _end(context, self.horizon_days, until))

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:  # noqa: ARG002 - other arms need them
        """The best, if it pays; ties go to the earlier."""
        net, chance = planned.values.net, case.options.scores.probability
        if not case.most or not (net > 0.0).any():
            return Taken(())
        best = int(np.argmax(net if self.by == "net" else np.where(net > 0.0, chance, -1.0)))
        what = "is worth most" if self.by == "net" else "is likeliest to be approved"
        sentence = f"Of the allowed retries this one {what} by itself; what follows is not weighed."
        return Taken((best,), sentence=sentence)


@dataclass(frozen=True, slots=True)
class ScheduleArm:
    """Retries by a timetable; a day on which a rule forbids the retry is passed over, as `model.schedules` does."""

    name: str
    timetable: Timetable
    max_retries: int | None = None
    horizon_days: float | None = None

    def halt(self, context: Context) -> Halt | None:
        """Where the timetable has no day left."""
        return None if upcoming(context, self.timetable) else Halt(StopReason.SCHEDULE_OVER, (OVER_SENTENCE,))

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:
        """The days that are left, where the method that failed last can still be charged."""
        end = _end(context, self.horizon_days, until)
        left = [retry for retry in upcoming(context, self.timetable) if retry.slot.start < end]
        return tuple(retry for retry in left if _can_be_made(context, retry))

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:  # noqa: ARG002 - other arms need it
        """Every day that is left, up to the first that a limit forbids after the declines before it."""
        path = tuple(range(min(len(case.options.retries), case.most)))
        breach = Referee(case.limits_by(rulebook)).first_breach([case.options.retries[i] for i in path])
        return Taken(path[:breach], sentence=f"The schedule {self.name} sets this retry, whatever it is worth.")


@dataclass(frozen=True, slots=True)
class NoRetryArm:
    """No retry at all."""

    name: str = "no-retry"
    max_retries: int | None = None
    horizon_days: float | None = None

    def halt(self, context: Context) -> Halt | None:  # noqa: ARG002 - other arms need it
        """Always."""
        return Halt(StopReason.NO_RETRY, (NO_RETRY_SENTENCE,))

    def proposed(self, context: Context, until: datetime) -> Sequence[Retry]:  # noqa: ARG002 - other arms need it
        """None."""
        return ()

    def taken(self, case: Case, planned: Planned, rulebook: Rulebook) -> Taken:  # noqa: ARG002 - other arms need them
        """Nothing."""
        return Taken(())


def _end(context: Context, horizon_days: float | None, until: datetime) -> datetime:
    return until if horizon_days is None else min(until, window_end(context, horizon_days))


def _time_over(context: Context, horizon_days: float | None) -> Halt | None:
    if horizon_days is None or window_end(context, horizon_days) > context.as_of:
        return None
    return Halt(StopReason.SCHEDULE_OVER, (OVER_SENTENCE,))


def _can_be_made(context: Context, retry: Retry) -> bool:
    method = next((method for method in context.methods if method.method_id == retry.method_id), None)
    if method is None or not method.consented or is_expired(context, method):
        return False
    return retry.processor in usable_processors(context, method)
