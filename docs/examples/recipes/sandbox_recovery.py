"""A whole recovery of up to 60 days in a sandbox, in about a second: see docs/sandbox.md.

API_URL=http://127.0.0.1:8080 API_KEY=recoup_… python docs/examples/recipes/sandbox_recovery.py
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recovering import variable

from serving.client import Recoup
from serving.client.shapes import (
    AttemptIn,
    DecisionRequest,
    IssuerIn,
    MadeAttempt,
    MethodIn,
    Network,
    Outcome,
    PaymentIn,
    Rail,
    RetryAction,
    SandboxAnswer,
    SandboxAnswers,
    SandboxAttempt,
    SandboxClock,
    SandboxRule,
)

FAILED_AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NO_FUNDS = SandboxAnswer(outcome=Outcome.DECLINED, code="51")


def recovery(recoup: Recoup, merchant_id: str, *, funded_after_days: int) -> Iterator[str]:
    """What happens to a payment whose payer has no money for so many days, a line for each step."""
    recoup.set_sandbox_clock(SandboxClock(now=FAILED_AT, reset=True))
    funded = FAILED_AT + timedelta(days=funded_after_days)
    approved = SandboxRule(not_before=funded, answers=(SandboxAnswer(outcome=Outcome.APPROVED),))
    recoup.set_sandbox_answers(SandboxAnswers(rules=(approved, SandboxRule(answers=(NO_FUNDS,)))))
    request = a_failure(merchant_id)
    while True:
        action = recoup.decide(request).action
        if not isinstance(action, RetryAction):
            yield f"{action.kind}: {action.reason}"
            break
        done = recoup.attempt_in_sandbox(request.payment.payment_id, SandboxAttempt(advance=True))
        if done.attempt is None:
            yield f"no-go: {done.check.reasons[0].sentence}"
            break
        yield f"{done.now:%d %b %H:%M} {done.attempt.outcome}"
        if done.attempt.outcome == Outcome.APPROVED:
            break
        request = replace(request, attempts=(*request.attempts, as_told(done.attempt)))
    for event in recoup.all_sandbox_events():
        yield f"{event.timestamp:%d %b %H:%M} {event.type}"


def a_failure(merchant_id: str) -> DecisionRequest:
    """A renewal that was declined for lack of funds."""
    return DecisionRequest(
        reserve=True,
        payment=PaymentIn(
            payment_id="inv_1",
            merchant_id=merchant_id,
            customer_id="cus_1",
            amount_minor=4_900,
            currency="USD",
            due_at=FAILED_AT,
        ),
        methods=(
            MethodIn(
                method_id="pm_1",
                rail=Rail.CARD,
                network=Network.VISA,
                issuer=IssuerIn(country="US"),
                processors=("stripe",),
            ),
        ),
        attempts=(
            AttemptIn(
                attempt_id="att_1",
                method_id="pm_1",
                processor="stripe",
                attempted_at=FAILED_AT,
                outcome=Outcome.DECLINED,
                code="51",
            ),
        ),
    )


def as_told(made: MadeAttempt) -> AttemptIn:
    """The attempt as the next request tells it."""
    return AttemptIn(
        attempt_id=made.attempt_id,
        method_id=made.method_id,
        processor=made.processor,
        attempted_at=made.attempted_at,
        outcome=Outcome(made.outcome),
        code=made.code,
    )


def main() -> None:
    """The recovery of a payer who has money after 25 days."""
    with Recoup(variable("API_URL"), variable("API_KEY")) as recoup:
        for line in recovery(recoup, os.environ.get("API_MERCHANT", "acme"), funded_after_days=25):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
