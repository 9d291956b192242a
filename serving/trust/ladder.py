"""The ladder of policies: the model, the shipped prior, a fixed schedule. The first that may be relied upon answers.

    model      unless it is missing, stale, or outside its calibration for this payment; half of the time is its own
    prior      half of what is left then
    schedule   what is left: it only holds slots against the rules

Every limit holds on each of them. What `missing`, `stale` and `outside_calibration` say depends on the context and the
artifact alone; `slow`, `busy` and `failing` on the moment.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Protocol

from features.context import Context
from features.errors import InvalidValueError
from model.arms import DEFAULT, Arm
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.decision import Assignment, Decision, after_stepping_down, identified
from model.economics import Economics
from model.prior import PriorScorer
from model.record import Record
from model.reliance import TAKEN_AT_ITS_WORD, Reliance
from model.scheduled import decide_by_schedule
from model.scorer import Scorer, ScoreSource
from model.step_down import Distrust, StepDown
from model.wording import day_words
from serving.sizes import cost_of_context, is_large
from serving.trust.apart import BusyError, Runner, TooSlowError, at_once
from serving.trust.breaker import Breaker

NAMES = {"model": "the model", "prior": "the shipped prior", "schedule": "a fixed schedule"}
_NEXT = {"model": "prior", "prior": "schedule"}
_MISSING = "No trained model is loaded"
_CAUSES = {
    Distrust.SLOW: "{name} did not answer within its part of the time for this decision",
    Distrust.BUSY: "Other decisions were worked on, and the turn of {name} did not come within its part of the time",
    Distrust.FAILING: "{name} ended in an error on this decision",
}
_RESTING = {
    Distrust.SLOW: "{name} has been too slow several times in a row and is left alone for a while",
    Distrust.FAILING: "{name} has failed several times in a row and is left alone for a while",
}


class Failures(Protocol):
    """Where the error of a policy is told, inside of its handling."""

    def __call__(self, policy_source: ScoreSource) -> None:
        """The policy failed just now."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer is bound by.

    Args:
        seconds: For a decision; None for no bound.
        max_age_days: For how long a model may answer after the last decision it was judged on; None for ever.
        clock: Seconds that only rise.
        run: Where policies work out their answers.
        failed: Told of every error.
    """

    seconds: float | None = None
    max_age_days: int | None = None
    clock: Callable[[], float] = time.monotonic
    run: Runner = at_once
    failed: Failures = lambda policy_source: None  # noqa: ARG005 - nobody wants to know


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Ladder:
    """The policies of one snapshot of the service, and how the first two have done of late in this process."""

    scorer: Scorer
    rulebook: Rulebook
    economics: Economics
    reliance: Reliance = TAKEN_AT_ITS_WORD
    bounds: Bounds = UNBOUNDED
    model: Breaker = field(default_factory=Breaker, compare=False)
    prior: Breaker = field(default_factory=Breaker, compare=False)
    arm: Arm = DEFAULT
    assignment: Assignment | None = None

    def decide(self, context: Context, record: Record, until: float | None) -> Decision:
        """The decision of the first policy that may be relied upon; it says why those before it were not.

        Args:
            until: When it must be there, by the clock of the bounds; None for no bound.

        Raises:
            InvalidValueError: The payment has no attempt, or a currency has no rate in the economics.
        """
        steps: list[StepDown] = []
        doubt = self._doubt(context)
        if doubt is not None:
            steps.append(doubt)
        else:
            answer = self._asked("model", self.scorer, self.model, context, record, until)
            if isinstance(answer, Decision):
                return answer
            steps.append(answer)
        answer = self._asked("prior", self._prior(), self.prior, context, record, until)
        if isinstance(answer, StepDown):
            steps.append(answer)
            answer = by_schedule(context, record, self.rulebook, self.economics, self.arm, self.assignment)
        return after_stepping_down(answer, steps)

    def _doubt(self, context: Context) -> StepDown | None:
        """Why the model is not even asked, by what is known of it."""
        if self.scorer.source != "model":
            return _step("model", Distrust.MISSING, _MISSING)
        learnt, days = self.reliance.learnt_until, self.bounds.max_age_days
        if learnt is not None and days is not None and context.as_of > learnt + timedelta(days=days):
            cause = f"The model has learnt from nothing after {day_words(learnt)} and may answer for {days} days"
            return _step("model", Distrust.STALE, cause)
        doubt = self.reliance.doubt(context)
        return None if doubt is None else _step("model", Distrust.OUTSIDE_CALIBRATION, doubt)

    def _was_time_enough(self, seconds: float, *, large: bool) -> bool:
        """Whether slowness speaks against the policy.

        Neither a caller in a great hurry nor one who asks about very much shall take it from the others.
        """
        usual = self.bounds.seconds
        return usual is not None and seconds >= usual / 4.0 and not large

    def _prior(self) -> Scorer:
        return self.scorer if self.scorer.source == "prior" else _shipped()

    def _asked(
        self,
        source: ScoreSource,
        scorer: Scorer,
        breaker: Breaker,
        context: Context,
        record: Record,
        until: float | None,
    ) -> Decision | StepDown:
        """Its answer, or why there is none in time."""
        bounds, now = self.bounds, self.bounds.clock()
        resting = breaker.refuses(now)
        if resting is not None:
            return _step(source, resting, _RESTING[resting].format(name=NAMES[source]))
        own = None if until is None else now + (until - now) / 2.0
        large, begun = is_large(cost_of_context(context)), own

        def checkpoint() -> None:
            if own is not None and bounds.clock() > own:
                raise TooSlowError

        def work() -> Decision:
            nonlocal begun
            begun = bounds.clock()
            made = decide(
                context,
                scorer,
                self.rulebook,
                self.economics,
                record=record,
                arm=self.arm,
                assignment=self.assignment,
                checkpoint=checkpoint,
            )
            checkpoint()
            return made

        why = Distrust.FAILING
        try:
            merchant_id = context.payment.merchant_id
            decision = work() if own is None else bounds.run(work, own - now, merchant_id, large=large)
        except InvalidValueError:
            breaker.let_go()  # the request is at fault, not the policy
            raise
        except TooSlowError as error:
            why = Distrust.BUSY if isinstance(error, BusyError) else Distrust.SLOW
            had = 0.0 if own is None or begun is None else own - begun  # none where it was not begun
            if why is Distrust.BUSY or not self._was_time_enough(had, large=large):
                breaker.let_go()
                return _step(source, why, _CAUSES[why].format(name=NAMES[source]))
        except Exception:  # noqa: BLE001 - whatever a model does, the next policy answers
            bounds.failed(source)
        else:
            breaker.answered(bounds.clock())
            return decision
        breaker.troubled(why, bounds.clock())
        return _step(source, why, _CAUSES[why].format(name=NAMES[source]))


def by_schedule(
    context: Context,
    record: Record,
    rulebook: Rulebook,
    economics: Economics,
    arm: Arm,
    assignment: Assignment | None = None,
) -> Decision:
    """The last resort, which makes no retry where the arm would make none; the variant is named all the same."""
    halt = record.halt or arm.halt(context)
    answer = decide_by_schedule(context, rulebook, economics, record=replace(record, halt=halt))
    return answer if assignment is None else identified(replace(answer, assignment=assignment))


def _step(source: ScoreSource, why: Distrust, cause: str) -> StepDown:
    return StepDown(source, why, f"{cause[:1].upper()}{cause[1:]}; next in line is {NAMES[_NEXT[source]]}.")


@cache
def _shipped() -> PriorScorer:
    return PriorScorer()
