"""The exposures of an experiment joined with what the ledger knows of their payments: one outcome a payment."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.definition import Definition
from experiments.outcomes import Followed, PaymentOutcome, RecoveredBy, Try, Word, outcome_of
from features.instants import from_micros
from features.vocabulary import Initiator, Outcome
from serving.ledger.events import EventKind
from serving.ledger.exposures import Exposure, pages_of_exposures
from serving.ledger.store import Row, Store, Values

_WORDS = {
    EventKind.PAID.value: Word.PAID,
    EventKind.CANCELLED.value: Word.CANCELLED,
    EventKind.REOPENED.value: Word.REOPENED,
}
Payment = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExposedPayment:
    """A payment in an experiment with what became of it."""

    exposure: Exposure
    outcome: PaymentOutcome


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


def outcomes(store: Store, definition: Definition, as_of: datetime) -> Iterator[ExposedPayment]:
    """What became of every payment in an experiment, as known at an instant; testers are left out.

    Raises:
        InputError: The ledger cannot be reached.
    """
    for page in pages_of_exposures(store, definition.key):
        tries, words = _told(store, definition.key, page)
        for exposure in page:
            if exposure.assignment.tester or exposure.exposed_at > as_of:
                continue
            key = (exposure.merchant_id, exposure.payment_id)
            followed = Followed(exposure.failed_at, exposure.amount.amount_minor, tries[key], words[key])
            yield ExposedPayment(exposure, outcome_of(followed, definition.window_days, as_of))


def observed(store: Store, definition: Definition, as_of: datetime) -> Iterator[ObservedPayment]:
    """The same, as the analysis takes it.

    Raises:
        InputError: The ledger cannot be reached.
    """
    for one in outcomes(store, definition, as_of):
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


def _told(
    store: Store, experiment: str, page: Sequence[Exposure]
) -> tuple[Mapping[Payment, list[Try]], Mapping[Payment, list[tuple[datetime, Word]]]]:
    """Attempts and words of a page's payments, read in one look."""
    first, last = page[0], page[-1]
    where: Values = {
        "experiment": experiment,
        "merchant_id": first.merchant_id,
        "payment_id": first.payment_id,
        "last_merchant_id": last.merchant_id,
        "last_payment_id": last.payment_id,
    }
    with store.reading() as transaction:
        attempts, said = transaction.ask(("outcome_tries", where), ("outcome_words", where))
    tries: dict[Payment, list[Try]] = defaultdict(list)
    words: dict[Payment, list[tuple[datetime, Word]]] = defaultdict(list)
    for row in attempts:
        tries[str(row[0]), str(row[1])].append(_try(row))
    for merchant_id, payment_id, said_at, kind in said:
        words[str(merchant_id), str(payment_id)].append((from_micros(int(said_at or 0)), _WORDS[str(kind)]))
    return tries, words


def _try(row: Row) -> Try:
    _, _, at, outcome, initiator, amount_minor, reversed_at, processor = row
    return Try(
        at=from_micros(int(at or 0)),
        outcome=Outcome(str(outcome)),
        initiator=Initiator(str(initiator)),
        amount_minor=int(amount_minor or 0),
        reversed_at=None if reversed_at is None else from_micros(int(reversed_at)),
        processor=str(processor),
    )
