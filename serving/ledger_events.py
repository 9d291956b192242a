"""From what is told over HTTP to events of the ledger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from features.attempt import Attempt
from features.countries import country_or_market
from features.decline import Decline
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import FAILED, Credential, Initiator, Network, Precision
from model.caps.rule import FixKind
from serving.errors import FieldError, invalid_request
from serving.ledger.advice import AdviceEvent, Word
from serving.ledger.events import EventKind, LedgerEvent, Mended, Source, corrected, method_fixed, reported, sent_back
from serving.ledger.events import told as told_event
from serving.ledger.facts import Facts, facts_of
from serving.ledger.reservations import Reservation
from serving.ledger.store import number_of
from serving.ledger_schemas import (
    AttemptReport,
    PaymentEvent,
    PaymentEventKind,
    ReportedAttempt,
    Reporter,
    ReportKind,
    SettledAttempt,
)

CLOCKS_APART = timedelta(minutes=5)
"""How far the clock of whoever tells may be ahead of ours; refusing a true report would lose a count."""

ADVICE_WORDS = {PaymentEventKind.OPTED_OUT: Word.STOPPED, PaymentEventKind.OPTED_IN: Word.RESUMED}
"""What is told of whether retries of a payment are wanted."""

_UNSIGNED = (1 << 63) - 1
_WITH_ATTEMPT = frozenset({ReportKind.REPORTED, ReportKind.CORRECTED})
_ABOUT_METHODS = frozenset(
    {PaymentEventKind.CONSENT_WITHDRAWN, PaymentEventKind.CONSENT_GIVEN, PaymentEventKind.METHOD_FIXED}
)


def attempt_event(merchant_id: str, source: Source, facts: Facts) -> LedgerEvent:
    """An attempt told without an id of its own: what it says is its id, so that the same is told once.

    Raises:
        InvalidValueError: An id cannot be kept.
    """
    event = reported(merchant_id, source, facts.attempt_id, facts)
    return replace(event, source_event_id=f"{facts.attempt_id}/x{number_of(event.body) & _UNSIGNED:x}")


def event_of_report(report: AttemptReport, place: str, now: datetime) -> LedgerEvent:
    """The event that a report tells.

    Args:
        place: Where the report stands in the request, such as `[3].`; empty for a single one.
        now: Nothing later than shortly after it can be told.

    Raises:
        RequestError: Its parts contradict each other; names every field at fault.
    """
    kind, source = report.kind or ReportKind.REPORTED, _source(report.source)
    faults = tuple(_contradictions(report, kind, place, now))
    if faults:
        raise invalid_request(faults)
    merchant_id, event_id, at = report.merchant_id, report.event_id, report.told_at or now
    if report.attempt is not None:
        facts = _facts(report, report.attempt)
        if kind is ReportKind.CORRECTED:
            return corrected(merchant_id, source, event_id, facts, at)
        return reported(merchant_id, source, event_id, facts)
    if report.returned is not None:
        back = report.returned
        decline = classify(
            back.code, processor=back.processor, network=back.network, subcode=back.subcode, text=back.text, at=at
        )
        return sent_back(merchant_id, source, event_id, report.attempt_id, decline, at)
    return told_event(merchant_id, source, event_id, EventKind.WITHDRAWN, report.attempt_id, at)


def event_of_payment(event: PaymentEvent, payment_id: str, now: datetime) -> LedgerEvent:
    """The event about a payment or one of its methods.

    Raises:
        RequestError: The method or what was mended is missing, or named where it does not belong.
    """
    about_method = event.kind in _ABOUT_METHODS
    if about_method is not (event.method_id is not None):
        expected = "the method that it is about" if about_method else f"nothing, because {event.kind} is of the payment"
        raise invalid_request((FieldError("method_id", event.method_id, expected),))
    if event.happened_at > now + CLOCKS_APART:
        raise invalid_request((of_the_future("happened_at", event.happened_at, now),))
    if event.fix is not None and event.kind is not PaymentEventKind.METHOD_FIXED:
        raise invalid_request((FieldError("fix", event.fix.value, f"nothing, because the kind is {event.kind}"),))
    if event.reason is not None:
        raise invalid_request((FieldError("reason", event.reason, f"nothing, because the kind is {event.kind}"),))
    subject, kind = event.method_id or payment_id, EventKind(event.kind.value)
    if event.kind is PaymentEventKind.METHOD_FIXED:
        mended = _mended(event.fix, payment_id)
        source, at = _source(event.source), event.happened_at
        return method_fixed(event.merchant_id, source, event.event_id, subject, at, mended)
    return told_event(event.merchant_id, _source(event.source), event.event_id, kind, subject, event.happened_at)


def advice_of_payment(event: PaymentEvent, payment_id: str, word: Word, now: datetime) -> AdviceEvent:
    """The word on whether retries of a payment are wanted.

    Raises:
        RequestError: Something is named that is not of the payment, or it lies in the future.
    """
    for field, value in (("method_id", event.method_id), ("fix", event.fix)):
        if value is not None:
            raise invalid_request((FieldError(field, str(value), f"nothing, because the kind is {event.kind}"),))
    if event.happened_at > now + CLOCKS_APART:
        raise invalid_request((of_the_future("happened_at", event.happened_at, now),))
    reason, at = event.reason or "", event.happened_at.astimezone(UTC)
    return AdviceEvent(event.merchant_id, event.event_id, word, at, reason, payment_id)


def _mended(fix: FixKind | None, payment_id: str) -> Mended | None:
    """What is of the payment too; renewed details are the method's, whichever payment they were told with."""
    return None if fix is None or fix is FixKind.DETAILS else Mended(fix, payment_id)


def attempt_of_settling(given: SettledAttempt, reservation: Reservation, now: datetime) -> Attempt:
    """The attempt that a reservation was held for.

    Raises:
        RequestError: Its instants are out of order.
    """
    faults = tuple(_instants("attempt.", given.attempted_at, given.outcome_at, now))
    if faults:
        raise invalid_request(faults)
    proposal = reservation.proposal
    method, processor = proposal.method, given.processor or proposal.processor
    failed = given.outcome in FAILED
    country = country_or_market(method.issuer.country, proposal.payment.market)
    return Attempt(
        attempt_id=given.attempt_id,
        payment_id=proposal.payment.payment_id,
        method_id=method.method_id,
        processor=processor,
        amount=proposal.payment.amount,
        at=given.attempted_at,
        outcome=given.outcome,
        initiator=proposal.initiator,
        decline=_decline(given, method.network, processor, country) if failed else None,
        outcome_at=given.outcome_at,
        source="advised",
    )


def attempt_of_report(report: AttemptReport, given: ReportedAttempt) -> Attempt:
    """The attempt that a report tells."""
    network = given.method.network or Network.UNKNOWN
    failed = given.outcome in FAILED
    country = country_or_market(given.method.issuer_country, given.market)
    return Attempt(
        attempt_id=report.attempt_id,
        payment_id=given.payment_id,
        method_id=given.method.method_id,
        processor=given.processor,
        amount=Money(given.amount_minor, given.currency),
        at=given.attempted_at,
        outcome=given.outcome,
        initiator=given.initiator or Initiator.MERCHANT,
        decline=_decline(given, network, given.processor, country) if failed else None,
        outcome_at=given.outcome_at,
        precision=given.precision or Precision.INSTANT,
        source="reported",
    )


def _facts(report: AttemptReport, given: ReportedAttempt) -> Facts:
    attempt, method = attempt_of_report(report, given), given.method
    payment = Payment(
        payment_id=given.payment_id,
        merchant_id=report.merchant_id,
        customer_id=given.customer_id,
        amount=attempt.amount,
        due_at=attempt.at,
        recover_by=attempt.at,
        market=given.market,
        merchant_country=given.merchant_country,
    )
    charged = Method(
        method_id=method.method_id,
        rail=method.rail,
        network=method.network or Network.UNKNOWN,
        issuer=Issuer(country=method.issuer_country),
        credential=method.credential or Credential.UNKNOWN,
        mandate_id=method.mandate_id,
    )
    return facts_of(attempt, charged, payment, report.reservation_id)


def _decline(given: ReportedAttempt | SettledAttempt, network: Network, processor: str, country: str | None) -> Decline:
    return classify(
        given.code,
        processor=processor,
        network=network,
        subcode=given.subcode,
        advice_code=given.advice_code,
        text=given.text,
        at=given.attempted_at,
        country=country,
    )


def _source(reporter: Reporter | None) -> Source:
    return Source((reporter or Reporter.REPORTED).value)


def _contradictions(report: AttemptReport, kind: ReportKind, place: str, now: datetime) -> Iterator[FieldError]:
    yield from _presence(f"{place}attempt", kind, wanted=kind in _WITH_ATTEMPT, given=report.attempt is not None)
    yield from _presence(
        f"{place}returned", kind, wanted=kind is ReportKind.REVERSED, given=report.returned is not None
    )
    if report.reservation_id is not None and kind is not ReportKind.REPORTED:
        yield FieldError(f"{place}reservation_id", report.reservation_id, f"nothing, because the kind is {kind}")
    yield from _told_at(f"{place}told_at", kind, report.told_at, now)
    if report.attempt is not None:
        given = report.attempt
        yield from _instants(f"{place}attempt.", given.attempted_at, given.outcome_at, now)


def _told_at(field: str, kind: ReportKind, told_at: datetime | None, now: datetime) -> Iterator[FieldError]:
    if kind is ReportKind.REPORTED:
        if told_at is not None:
            yield FieldError(field, _text(told_at), f"nothing, because the kind is {kind}: outcome_at says it")
    elif told_at is None:
        yield FieldError(field, None, f"an instant, because the kind is {kind}")
    elif told_at > now + CLOCKS_APART:
        yield of_the_future(field, told_at, now)


def _presence(field: str, kind: ReportKind, *, wanted: bool, given: bool) -> Iterator[FieldError]:
    if wanted and not given:
        yield FieldError(field, None, f"an object, because the kind is {kind}")
    elif given and not wanted:
        yield FieldError(field, "an object", f"nothing, because the kind is {kind}")


def _instants(place: str, attempted_at: datetime, outcome_at: datetime | None, now: datetime) -> Iterator[FieldError]:
    if attempted_at > now + CLOCKS_APART:
        yield of_the_future(f"{place}attempted_at", attempted_at, now)
    if outcome_at is not None and outcome_at < attempted_at:
        yield FieldError(f"{place}outcome_at", _text(outcome_at), "an instant not before attempted_at")
    elif outcome_at is not None and outcome_at > now + CLOCKS_APART >= attempted_at:
        yield of_the_future(f"{place}outcome_at", outcome_at, now)


def of_the_future(field: str, instant: datetime, now: datetime) -> FieldError:
    """The fault of an instant that lies ahead of ours by more than clocks may be apart."""
    return FieldError(field, _text(instant), f"an instant not after now ({_text(now)})")


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
