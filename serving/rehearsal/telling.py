"""A context and an attempt of a world in the shapes of the HTTP client, as a billing system would send them."""

from features.attempt import Attempt
from features.context import Context
from features.method import Method
from features.payment import Payment
from features.vocabulary import Outcome
from serving.client import shapes


def request_of(context: Context) -> shapes.DecisionRequest:
    """The request for a decision with a place held, about everything that is known."""
    return shapes.DecisionRequest(
        payment=_payment(context.payment),
        methods=tuple(_method(method) for method in context.methods),
        attempts=tuple(_attempt(attempt) for attempt in context.attempts),
        customer_since=context.customer_since,
        history_known=context.history_known,
        reserve=True,
    )


def settling(merchant_id: str, attempt: Attempt, *, known: bool) -> shapes.SettleRequest:
    """The attempt that a reservation was held for; while its outcome is not known it is pending."""
    decline = attempt.decline if known else None
    outcome = attempt.outcome if known else Outcome.UNKNOWN
    return shapes.SettleRequest(
        merchant_id=merchant_id,
        attempt=shapes.SettledAttempt(
            attempt_id=attempt.attempt_id,
            attempted_at=attempt.at,
            outcome=shapes.Outcome(outcome.value),
            outcome_at=attempt.outcome_at if known else None,
            processor=attempt.processor,
            code=decline.code if decline else None,
            subcode=decline.subcode if decline else None,
            advice_code=decline.advice_code if decline else None,
        ),
    )


def _payment(payment: Payment) -> shapes.PaymentIn:
    return shapes.PaymentIn(
        payment_id=payment.payment_id,
        merchant_id=payment.merchant_id,
        customer_id=payment.customer_id,
        amount_minor=payment.amount.amount_minor,
        currency=payment.amount.currency,
        due_at=payment.due_at,
        recover_by=payment.recover_by,
        market=payment.market,
        merchant_country=payment.merchant_country,
        purpose=payment.purpose,
    )


def _method(method: Method) -> shapes.MethodIn:
    issuer = method.issuer
    return shapes.MethodIn(
        method_id=method.method_id,
        rail=shapes.Rail(method.rail.value),
        network=shapes.Network(method.network.value),
        issuer=shapes.IssuerIn(
            issuer_id=issuer.issuer_id, country=issuer.country, time_zone=issuer.time_zone, bin=issuer.bin
        ),
        funding=shapes.Funding(method.funding.value),
        credential=shapes.Credential(method.credential.value),
        expires_on=method.expires_on,
        mandate_id=method.mandate_id,
        consented=method.consented,
        processors=method.processors or None,
    )


def _attempt(attempt: Attempt) -> shapes.AttemptIn:
    decline = attempt.decline
    return shapes.AttemptIn(
        attempt_id=attempt.attempt_id,
        method_id=attempt.method_id,
        processor=attempt.processor,
        attempted_at=attempt.at,
        outcome=shapes.Outcome(attempt.outcome.value),
        outcome_at=attempt.outcome_at,
        payment_id=attempt.payment_id,
        amount_minor=attempt.amount.amount_minor,
        currency=attempt.amount.currency,
        initiator=shapes.Initiator(attempt.initiator.value),
        precision=shapes.Precision(attempt.precision.value),
        three_d_secure=attempt.three_d_secure,
        expires_on=attempt.expires_on,
        credential=shapes.Credential(attempt.credential.value) if attempt.credential else None,
        code=decline.code if decline else None,
        subcode=decline.subcode if decline else None,
        advice_code=decline.advice_code if decline else None,
    )
