"""The exposures of an experiment joined with what the ledger knows of their payments: one outcome a payment."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.covariates import NO_PAST, Expectations, Past
from experiments.definition import Change, CovariateName, Definition
from experiments.metrics.cohort import Event
from experiments.outcomes import Back, Followed, PaymentOutcome, RecoveredBy, Try, Word, outcome_of
from experiments.payers import PayerEvent
from features.instants import MICROS_PER_DAY, from_micros, to_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Initiator, Outcome
from serving.ledger.customers import CustomerWord
from serving.ledger.events import EventKind
from serving.ledger.exposures import Exposure, pages_of_exposures
from serving.ledger.store import Row, Store, Values

_WORDS = {
    EventKind.PAID.value: Word.PAID,
    EventKind.CANCELLED.value: Word.CANCELLED,
    EventKind.REOPENED.value: Word.REOPENED,
}
_BEFELL = {
    CustomerWord.COMPLAINED: Event.COMPLAINT,
    CustomerWord.UNSUBSCRIBED: Event.UNSUBSCRIBE,
    CustomerWord.DISPUTED: Event.CHARGEBACK,
    CustomerWord.LOST: Event.ENDED_UNPAID,
    CustomerWord.LEFT: Event.ENDED_BY_CHOICE,
    CustomerWord.PAID: Event.PAID,
    CustomerWord.REFUNDED: Event.PAID,
}
_ASKED = ("outcome_tries", "outcome_words", "earlier_payments", "outcome_money_back", "outcome_customers")
Payment = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExposedPayment:
    """A payment in an experiment with what became of it, and what befell who owes it.

    Args:
        past: Of its payer, before it failed.
        befell: Its payer, as it was told.
    """

    exposure: Exposure
    outcome: PaymentOutcome
    past: Past
    befell: Sequence[PayerEvent] = ()


@dataclass(frozen=True, slots=True)
class VariantOutcomes:
    """What became of one variant's payments; only mature ones count as anything but collecting.

    Args:
        units: Customers, or payments where the unit is the payment, of all its payments.
        by: Mature payments by who brought the money.
        taken_back: Mature payments that were paid and taken back within the window.
    """

    variant: str
    units: int
    collecting: int
    mature: int
    by: Mapping[RecoveredBy, int]
    taken_back: int


def outcomes(
    store: Store, definition: Definition, as_of: datetime, merchant_id: str | None = None
) -> Iterator[ExposedPayment]:
    """What became of every payment in an experiment, of one merchant or of all, as known at an instant.

    Testers are left out.

    Raises:
        InputError: The ledger cannot be reached.
    """
    for page in pages_of_exposures(store, definition.key, merchant_id=merchant_id):
        told = _told(store, definition.key, page)
        for exposure in page:
            if exposure.assignment.tester or exposure.exposed_at > as_of:
                continue
            key = (exposure.merchant_id, exposure.payment_id)
            followed = Followed(exposure.failed_at, exposure.amount.amount_minor, told.tries[key], told.words[key])
            outcome = outcome_of(followed, definition.window_days, as_of)
            yield ExposedPayment(exposure, outcome, told.pasts.get(key, NO_PAST), told.befell[key])


def observed(
    store: Store, definition: Definition, as_of: datetime, merchant_id: str | None = None
) -> Iterator[ObservedPayment]:
    """The same, as the analysis takes it.

    Raises:
        InputError: The ledger cannot be reached.
    """
    expectations = _expectations(store, definition, merchant_id)
    for one in outcomes(store, definition, as_of, merchant_id):
        exposure, assignment = one.exposure, one.exposure.assignment
        labels = (exposure.market, exposure.rail.value, exposure.category.value)
        yield ObservedPayment(
            unit=(exposure.merchant_id, assignment.unit_id),
            variant=assignment.variant,
            propensity=assignment.propensity,
            exposed_at=exposure.exposed_at,
            failed_at=exposure.failed_at,
            amount=exposure.amount,
            segments=dict(zip(SEGMENTS, labels, strict=True)),
            outcome=one.outcome,
            attempts_allowed=exposure.attempts_allowed,
            befell=one.befell,
            expected=expectations.of(exposure.category, exposure.rail, one.past),
            divided_since=exposure.divided_since,
        )


def by_variant(found: Iterable[ExposedPayment]) -> tuple[VariantOutcomes, ...]:
    """How each variant stands, in the order of their names."""
    units: dict[str, set[Payment]] = defaultdict(set)
    by: dict[str, Counter[RecoveredBy]] = defaultdict(Counter)
    collecting: Counter[str] = Counter()
    taken_back: Counter[str] = Counter()
    for one in found:
        assignment, outcome = one.exposure.assignment, one.outcome
        units[assignment.variant].add((one.exposure.merchant_id, assignment.unit_id))
        if not outcome.mature:
            collecting[assignment.variant] += 1
            continue
        by[assignment.variant][outcome.by] += 1
        taken_back[assignment.variant] += outcome.taken_back_at is not None
    return tuple(
        VariantOutcomes(name, len(units[name]), collecting[name], by[name].total(), dict(by[name]), taken_back[name])
        for name in sorted(units)
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger was told of some payments.

    Args:
        pasts, befell: Of their payers, before the failure and since.
    """

    tries: dict[Payment, list[Try]] = field(default_factory=lambda: defaultdict(list))
    words: dict[Payment, list[tuple[datetime, Word]]] = field(default_factory=lambda: defaultdict(list))
    pasts: dict[Payment, Past] = field(default_factory=dict)
    befell: dict[Payment, list[PayerEvent]] = field(default_factory=lambda: defaultdict(list))


def _told(store: Store, experiment: str, page: Sequence[Exposure]) -> _Told:
    """What is told of a page's payments, read in one look."""
    first, last = page[0], page[-1]
    where: Values = {
        "experiment": experiment,
        "merchant_id": first.merchant_id,
        "payment_id": first.payment_id,
        "last_merchant_id": last.merchant_id,
        "last_payment_id": last.payment_id,
    }
    with store.reading() as transaction:
        attempts, said, earlier, went_back, of_customers = transaction.ask(*((name, where) for name in _ASKED))
    back: dict[tuple[str, str], list[Back]] = defaultdict(list)
    for merchant_id, attempt_id, at, minor in went_back:
        gone = Back(from_micros(int(at or 0)), None if minor is None else int(minor))
        back[str(merchant_id), str(attempt_id)].append(gone)
    told = _Told()
    for row in attempts:
        told.tries[str(row[0]), str(row[1])].append(_try(row, back.get((str(row[0]), str(row[-1])), ())))
    for merchant_id, payment_id, said_at, kind in said:
        told.words[str(merchant_id), str(payment_id)].append((from_micros(int(said_at or 0)), _WORDS[str(kind)]))
    for row in earlier:
        told.pasts[str(row[0]), str(row[1])] = Past(int(row[2] or 0), int(row[3] or 0))
    for row in of_customers:
        told.befell[str(row[0]), str(row[1])].append(_payer_event(row))
    return told


def _payer_event(row: Row) -> PayerEvent:
    _, _, event_id, kind, said_at, amount_minor, currency = row
    word = CustomerWord(str(kind))
    return PayerEvent(
        event_id=str(event_id),
        kind=_BEFELL[word],
        at=from_micros(int(said_at or 0)),
        amount=None if amount_minor is None else Money(int(amount_minor), str(currency)),
        given_back=word is CustomerWord.REFUNDED,
    )


def _expectations(store: Store, definition: Definition, merchant_id: str | None) -> Expectations:
    """What was to be expected by decline category, from payments whose window was over before the start."""
    began = next((entry.at for entry in definition.history if entry.what is Change.STARTED), None)
    if began is None or definition.covariate is CovariateName.NONE:
        return Expectations()
    where: Values = {
        "merchant_id": merchant_id or "",
        "until": to_micros(began - timedelta(days=definition.window_days)),
        "window": definition.window_days * MICROS_PER_DAY,
    }
    with store.reading() as transaction:
        (rows,) = transaction.ask(("recovered_by_category", where))
    return Expectations({DeclineCategory(str(row[0])): Past(int(row[1] or 0), int(row[2] or 0)) for row in rows})


def _try(row: Row, back: Sequence[Back]) -> Try:
    _, _, at, outcome, initiator, amount_minor, reversed_at, processor, _ = row
    return Try(
        at=from_micros(int(at or 0)),
        outcome=Outcome(str(outcome)),
        initiator=Initiator(str(initiator)),
        amount_minor=int(amount_minor or 0),
        reversed_at=None if reversed_at is None else from_micros(int(reversed_at)),
        processor=str(processor),
        back=tuple(back),
    )
