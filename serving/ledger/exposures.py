"""Exposures: which payment was first answered by which variant, kept for good with the answer that made it so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from features.instants import from_micros, to_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Outcome, Rail
from model.decision import Assignment
from serving.ledger.store import Row, Store, Transaction, Values

_PPM = 1_000_000
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Exposure:
    """A payment that a variant answers for.

    Args:
        customer_id: Who owes it; the unit may be the payment itself.
        exposed_at: When it was first answered so (UTC).
        failed_at: When it first failed (UTC), with what was known of it then.
        attempts_allowed: How many retries the tightest limit allowed then; None where nobody looked.
        divided_since: Since when the buckets had been divided as they were when its unit got the variant; None where
            that is not known.
    """

    merchant_id: str
    payment_id: str
    customer_id: str
    assignment: Assignment
    exposed_at: datetime
    failed_at: datetime
    amount: Money
    market: str
    rail: Rail
    category: DeclineCategory
    attempts_allowed: int | None = None
    divided_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """How a customer was exposed before, for another payment perhaps."""

    assignment: Assignment
    divided_since: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a payment that settles its variant.

    Args:
        before: The variants that have answered for it.
        of_customer: The variants that have answered for the customer as a unit, for whichever payment, the first first.
        failed_at: When it first failed (UTC), by whomever it was told; None where nothing was told.
        rail, category, market: Of that failure.
    """

    before: tuple[Assignment, ...]
    failed_at: datetime | None = None
    rail: Rail = Rail.UNKNOWN
    category: DeclineCategory = DeclineCategory.UNKNOWN
    market: str | None = None
    of_customer: tuple[Earlier, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantCount:
    """How many were answered by one variant.

    Args:
        tester: Whether these are testers, who count in no analysis.
        first_at, last_at: When the first and the last of them was exposed.
    """

    variant: str
    tester: bool
    payments: int
    units: int
    first_at: datetime
    last_at: datetime


def put_exposure(transaction: Transaction, exposure: Exposure) -> None:
    """Write an exposure; a payment that was exposed before stays as it was."""
    transaction.put("insert_exposure", _values(exposure))


def known_of(transaction: Transaction, merchant_id: str, payment_id: str, customer_id: str) -> Known:
    """The variants that a payment was answered by, those of its customer, and its first failure."""
    where = {"merchant_id": merchant_id, "payment_id": payment_id}
    owner = {"merchant_id": merchant_id, "customer_id": customer_id}
    rows, units, first = transaction.ask(
        ("exposures_of_payment", where), ("exposures_of_unit", owner), ("first_failure_of_payment", where)
    )
    before = tuple(_assignment(*row) for row in rows)
    of_customer = tuple(Earlier(_assignment(*row), _instant(since)) for *row, since in units)
    if not first:
        return Known(before, of_customer=of_customer)
    at, rail, category, market, outcome = first[0]
    technical = outcome == Outcome.ERROR and category in {None, DeclineCategory.UNKNOWN}
    return Known(
        before=before,
        failed_at=from_micros(int(at or 0)),
        rail=Rail(str(rail)),
        category=DeclineCategory.PROCESSING_ERROR if technical else DeclineCategory(str(category or "unknown")),
        market=str(market) if market else None,
        of_customer=of_customer,
    )


def exposure_counts(store: Store, experiment: str, merchant_id: str | None = None) -> tuple[VariantCount, ...]:
    """How many each variant has answered for, of one merchant or of all."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("exposure_counts", {"experiment": experiment, "merchant_id": merchant_id or ""}))
    return tuple(_count(*row) for row in rows)


def exposures(store: Store, experiment: str) -> Iterator[Exposure]:
    """Every exposure of an experiment, in the order of merchants and payments."""
    for page in pages_of_exposures(store, experiment):
        yield from page


def pages_of_exposures(
    store: Store, experiment: str, most: int = _AT_ONCE, *, merchant_id: str | None = None
) -> Iterator[tuple[Exposure, ...]]:
    """The same, so many at a time, of one merchant or of all; no page is empty."""
    statement, after = "exposures_after", ("", "")
    if merchant_id is not None:
        statement, after = "exposures_of_merchant_after", (merchant_id, "")
    while True:
        where: Values = {
            "experiment": experiment, "merchant_id": after[0], "payment_id": after[1], "most": most,
        }  # fmt: skip
        with store.reading() as transaction:
            (rows,) = transaction.ask((statement, where))
        if rows:
            yield tuple(map(_exposure, rows))
        if len(rows) < most:
            return
        after = (str(rows[-1][0]), str(rows[-1][2]))


def _values(exposure: Exposure) -> Values:
    assignment = exposure.assignment
    return {
        "merchant_id": exposure.merchant_id,
        "experiment": assignment.experiment,
        "payment_id": exposure.payment_id,
        "unit_id": assignment.unit_id,
        "customer_id": exposure.customer_id,
        "variant": assignment.variant,
        "propensity_ppm": round(assignment.propensity * _PPM),
        "tester": int(assignment.tester),
        "divided_since": None if exposure.divided_since is None else to_micros(exposure.divided_since),
        "exposed_at": to_micros(exposure.exposed_at),
        "failed_at": to_micros(exposure.failed_at),
        "amount_minor": exposure.amount.amount_minor,
        "currency": exposure.amount.currency,
        "market": exposure.market,
        "rail": exposure.rail.value,
        "category": exposure.category.value,
        "attempts_allowed": exposure.attempts_allowed,
    }


def _exposure(row: Row) -> Exposure:
    merchant_id, experiment, payment_id, unit_id, customer_id, variant, ppm, tester, since, *facts = row
    exposed_at, failed_at, amount_minor, currency, market, rail, category, allowed = facts
    return Exposure(
        merchant_id=str(merchant_id),
        payment_id=str(payment_id),
        customer_id=str(customer_id),
        assignment=_assignment(experiment, variant, unit_id, ppm, tester),
        exposed_at=from_micros(int(exposed_at or 0)),
        failed_at=from_micros(int(failed_at or 0)),
        amount=Money(int(amount_minor or 0), str(currency)),
        market=str(market),
        rail=Rail(str(rail)),
        category=DeclineCategory(str(category)),
        attempts_allowed=None if allowed is None else int(allowed),
        divided_since=_instant(since),
    )


def _assignment(
    experiment: object, variant: object, unit_id: object, propensity_ppm: object, tester: object
) -> Assignment:
    return Assignment(str(experiment), str(variant), str(unit_id), int(str(propensity_ppm)) / _PPM, bool(tester))


def _instant(micros: object) -> datetime | None:
    return None if micros is None else from_micros(int(str(micros)))


def _count(
    variant: object, tester: object, payments: object, units: object, first_at: object, last_at: object
) -> VariantCount:
    first, last = from_micros(int(str(first_at))), from_micros(int(str(last_at)))
    return VariantCount(str(variant), bool(tester), int(str(payments)), int(str(units)), first, last)
