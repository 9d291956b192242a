"""From a checked request to the `Context` that a decision is made in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from features.attempt import Attempt
from features.context import Context
from features.countries import country_or_market
from features.decline import Decline
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import FAILED, Credential, Funding, Initiator, Network, Precision
from serving.errors import FieldError, invalid_request
from serving.requests import nearest
from serving.schemas import AttemptIn, DecisionRequest, IssuerIn, MethodIn, PaymentIn

# Where the caller names no end: about the day a payment is written off or handed over (DESIGN: dunning ends at 60).
DEFAULT_HORIZON = timedelta(days=60)


def context_of(request: DecisionRequest, now: datetime) -> Context:
    """The context the request describes, cut at its `as_of` or, without one, at `now` (UTC).

    Raises:
        RequestError: The parts of the request contradict each other; names every field at fault.
    """
    as_of = (request.as_of or now).astimezone(UTC)
    faults = tuple(_contradictions(request, as_of))
    if faults:
        raise invalid_request(faults)
    payment = _payment(request.payment)
    methods = {method.method_id: _method(method) for method in request.methods}
    return Context(
        payment=payment,
        methods=tuple(methods.values()),
        attempts=tuple(_attempt(a, payment, methods[a.method_id]) for a in request.attempts),
        as_of=as_of,
        customer_since=request.customer_since,
        history_known=bool(request.history_known),
    )


def _contradictions(request: DecisionRequest, as_of: datetime) -> Iterator[FieldError]:
    yield from _repeated("methods", "method_id", [m.method_id for m in request.methods])
    yield from _repeated("attempts", "attempt_id", [a.attempt_id for a in request.attempts])
    payment = request.payment
    if payment.recover_by is not None and payment.recover_by <= payment.due_at:
        yield FieldError(
            "payment.recover_by", _text(payment.recover_by), f"an instant after due_at ({_text(payment.due_at)})"
        )
    if not any(_is_own(a, payment) for a in request.attempts):
        yield FieldError("attempts", f"a list of {len(request.attempts)}", "at least one attempt of this payment")
    known = tuple(m.method_id for m in request.methods)
    for index, attempt in enumerate(request.attempts):
        yield from _attempt_faults(f"attempts[{index}]", attempt, known, as_of)


def _attempt_faults(place: str, attempt: AttemptIn, known: tuple[str, ...], as_of: datetime) -> Iterator[FieldError]:
    if attempt.method_id not in known:
        expected = f"the method_id of a listed method ({', '.join(known)}){nearest(attempt.method_id, known)}"
        yield FieldError(f"{place}.method_id", attempt.method_id, expected)
    if attempt.attempted_at > as_of:
        expected = f"an instant not after as_of ({_text(as_of)}); attempts of the future are not known"
        yield FieldError(f"{place}.attempted_at", _text(attempt.attempted_at), expected)
    outcome_at = attempt.outcome_at
    if outcome_at is not None and outcome_at < attempt.attempted_at:
        yield FieldError(f"{place}.outcome_at", _text(outcome_at), "an instant not before attempted_at")
    elif outcome_at is not None and attempt.attempted_at <= as_of < outcome_at:
        expected = f"an instant not after as_of ({_text(as_of)}); send outcome unknown until it is known"
        yield FieldError(f"{place}.outcome_at", _text(outcome_at), expected)


def _repeated(place: str, field: str, values: list[str]) -> Iterator[FieldError]:
    for index, value in enumerate(values):
        if value in values[:index]:
            first = f"{place}[{values.index(value)}]"
            yield FieldError(f"{place}[{index}].{field}", value, f"an id of its own; {first} has the same")


def _is_own(attempt: AttemptIn, payment: PaymentIn) -> bool:
    return attempt.payment_id in (None, payment.payment_id)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _payment(given: PaymentIn) -> Payment:
    return Payment(
        payment_id=given.payment_id,
        merchant_id=given.merchant_id,
        customer_id=given.customer_id,
        amount=Money(given.amount_minor, given.currency),
        due_at=given.due_at,
        recover_by=given.recover_by or given.due_at + DEFAULT_HORIZON,
        market=given.market,
        merchant_country=given.merchant_country,
        purpose=given.purpose,
    )


def _method(given: MethodIn) -> Method:
    issuer = given.issuer or IssuerIn()
    return Method(
        method_id=given.method_id,
        rail=given.rail,
        network=given.network or Network.UNKNOWN,
        issuer=Issuer(issuer.issuer_id, issuer.country, issuer.time_zone, issuer.bin),
        funding=given.funding or Funding.UNKNOWN,
        credential=given.credential or Credential.UNKNOWN,
        expires_on=given.expires_on,
        mandate_id=given.mandate_id,
        consented=given.consented is not False,
        processors=given.processors or (),
    )


def _attempt(given: AttemptIn, payment: Payment, method: Method) -> Attempt:
    return Attempt(
        attempt_id=given.attempt_id,
        payment_id=given.payment_id or payment.payment_id,
        method_id=given.method_id,
        processor=given.processor,
        amount=Money(given.amount_minor or payment.amount.amount_minor, given.currency or payment.amount.currency),
        at=given.attempted_at,
        outcome=given.outcome,
        initiator=given.initiator or Initiator.MERCHANT,
        decline=_decline(given, method, payment.market),
        outcome_at=given.outcome_at,
        precision=given.precision or Precision.INSTANT,
        three_d_secure=given.three_d_secure,
        expires_on=given.expires_on,
        credential=given.credential,
        source="advised",
    )


def _decline(given: AttemptIn, method: Method, market: str | None) -> Decline | None:
    """Why it failed; None when it did not fail, or nobody knows yet."""
    if given.outcome not in FAILED:
        return None
    return classify(
        given.code,
        processor=given.processor,
        network=method.network,
        subcode=given.subcode,
        advice_code=given.advice_code,
        text=given.text,
        at=given.attempted_at,
        country=country_or_market(method.issuer.country, market),
    )
