"""The shapes of the sandbox's addresses."""

from typing import Literal

from pydantic import AwareDatetime, Field

from features.vocabulary import Outcome
from serving.ledger_answers import CheckAnswer, SettledAnswer
from serving.ledger_schemas import Code, Id
from serving.payment_answers import PageShape
from serving.schemas import Instant, Shape

MOST_RULES = 100
MOST_ANSWERS = 100


class SandboxAnswer(Shape):
    """One answer of a processor."""

    outcome: Outcome = Field(description="what comes of the attempt")
    code: Code | None = Field(default=None, description="raw decline code, as the processor would send it")
    subcode: Code | None = Field(default=None, description="second raw code that comes with it")
    advice_code: Code | None = Field(default=None, description="Mastercard merchant advice code")


class SandboxRule(Shape):
    """Answers for the attempts that fit; a condition that is absent fits all."""

    answers: tuple[SandboxAnswer, ...] = Field(
        min_length=1,
        max_length=MOST_ANSWERS,
        description="to the payment's attempts in the sandbox in their order; the last one from there on",
    )
    payment_id: Id | None = Field(default=None, description="only attempts on this payment")
    method_id: Id | None = Field(default=None, description="only attempts with this method")
    processor: Id | None = Field(default=None, description="only attempts through this processor")
    not_before: Instant | None = Field(default=None, description="only attempts from this instant on")
    before: Instant | None = Field(default=None, description="only attempts before this instant")


class SandboxAnswers(Shape):
    """What processors answer from now on."""

    rules: tuple[SandboxRule, ...] = Field(
        max_length=MOST_RULES, description="the first that fits an attempt answers it; where none does, it is approved"
    )


class SandboxClock(Shape):
    """What time it is to be."""

    now: Instant = Field(description="not before what the clock shows, unless reset is true")
    reset: bool | None = Field(default=None, description="true wipes the sandbox first, so that any instant will do")


class SandboxAttempt(Shape):
    """Carry out what was advised."""

    advance: bool | None = Field(
        default=None, description="true moves the clock to the beginning of the advised window first, if it is earlier"
    )


class SandboxState(Shape):
    """How a sandbox stands."""

    merchant_id: str
    generation: int = Field(description="one higher each time it was wiped")
    now: AwareDatetime = Field(description="what time it is in there; it stands still until you move it")
    rules: tuple[SandboxRule, ...] = Field(description="what processors answer")


class SandboxMoved(SandboxState):
    """How a sandbox stands after its clock was moved."""

    holds_ended: int = Field(description="reservations whose time is over, and were ended")
    recoveries_ended: int = Field(description="recoveries whose time is over, and were ended")


class MadeAttempt(Shape):
    """The attempt that was made; append it to `attempts` of the next request for a decision."""

    attempt_id: str
    method_id: str
    processor: str
    attempted_at: AwareDatetime
    outcome: Outcome
    code: str | None
    subcode: str | None
    advice_code: str | None


class SandboxAttempted(Shape):
    """What became of the advised attempt."""

    now: AwareDatetime = Field(description="what time it is in the sandbox")
    check: CheckAnswer = Field(description="the check just before; with go false nothing was attempted")
    attempt: MadeAttempt | None = Field(description="the attempt; null where the check said no-go")
    settled: SettledAnswer | None = Field(description="what it did to its reservation; null where none was made")


class SandboxEvent(Shape):
    """One event as it is sent to the merchant's own systems."""

    event_id: str
    type: str
    timestamp: AwareDatetime = Field(description="when it happened, by the sandbox's clock")
    sandbox: Literal[True]
    data: dict[str, object] = Field(description="see the page on events out")


class SandboxEventsPage(PageShape):
    """The events of the sandbox, earliest first."""

    events: tuple[SandboxEvent, ...]
