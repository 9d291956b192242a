"""A bandit's customers week by week, assigned as the service would, with what became of their payments."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from experiment_builders import START, a_definition, a_failure, running
from experiments.assignment import assigned
from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.definition import Change, Definition, Entry
from experiments.outcomes import PaymentOutcome, RecoveredBy
from experiments.weights import divided_since
from features.instants import to_micros
from features.money import Money
from model.decision import Assignment
from serving.ledger.events import EventKind, LedgerEvent, Source
from serving.ledger.exposures import Exposure, put_exposure
from serving.ledger.ledger import Ledger

WEEK = timedelta(days=7)
WINDOW = timedelta(days=14)


def a_bandit(*swaps: tuple[str, str]) -> Definition:
    """The sound definition as a running bandit with a window of two weeks."""
    bandit = "window_days = 14\nbandit = { floor = 0.1, every_days = 7 }"
    return running(a_definition(("window_days = 30", bandit), *swaps))


def reweighted(definition: Definition, weeks: int, **weights: float) -> Definition:
    """The same with new weights from so many weeks after the start on."""
    entry = Entry(START + weeks * WEEK, Change.REWEIGHTED, "Ann", weights=weights)
    return replace(definition, history=(*definition.history, entry))


@dataclass(frozen=True, slots=True)
class Fate:
    """A customer whose payment fails: when, what it owes, and by which policies it would be paid."""

    customer: str
    failed_at: datetime
    minor: int
    paid_by: frozenset[str]


def fates(seed: int, a_week: int, weeks: int, chances: dict[str, float], drift: float = 0.0) -> list[Fate]:
    """Customers of so many weeks, by so much more willing from week to week."""
    return list(_fates(seed, a_week, weeks, chances, drift))


def _fates(seed: int, a_week: int, weeks: int, chances: dict[str, float], drift: float) -> Iterator[Fate]:
    rng = np.random.default_rng(seed)
    for number in range(a_week * weeks):
        week = number // a_week
        luck = rng.random()
        paid_by = frozenset(name for name, chance in chances.items() if luck < chance + drift * week)
        failed_at = START + week * WEEK + timedelta(seconds=int(rng.integers(0, 7 * 86_400)))
        yield Fate(f"cus_{seed}_{number}", failed_at, int(rng.integers(1_000, 9_000)), paid_by)


def tell_fates(ledger: Ledger, definition: Definition, customers: list[Fate], began: datetime) -> None:
    """The same customers in a ledger, moved to an experiment that began at another instant."""
    moved = [replace(one, failed_at=began + (one.failed_at - START)) for one in customers]
    seen = {one.unit[1]: one for one in observed(definition, moved, began + 52 * WEEK)}
    with ledger.store.writing() as transaction:
        for one in seen.values():
            drawn = Assignment(definition.key, one.variant, one.unit[1], one.propensity)
            failure = a_failure(one.unit[1], failed_at=one.failed_at)
            written = Exposure(
                "acme",
                one.unit[1],
                one.unit[1],
                drawn,
                one.exposed_at,
                one.failed_at,
                one.amount,
                "DE",
                failure.rail,
                failure.category,
                divided_since=one.divided_since,
            )
            put_exposure(transaction, written)
    paid = [one for one in seen.values() if one.outcome.recovered]
    said = [
        LedgerEvent("acme", Source.REPORTED, f"{one.unit[1]} paid", EventKind.PAID, one.unit[1], to_micros(at))
        for one in paid
        if (at := one.outcome.paid_at) is not None
    ]
    ledger.record(said, began + 5 * WEEK)


def observed(definition: Definition, customers: list[Fate], as_of: datetime) -> list[ObservedPayment]:
    """Who has been exposed by an instant, an hour after the failure; the money comes on the fifth day."""
    found = []
    for one in customers:
        exposed_at = one.failed_at + timedelta(hours=1)
        since = divided_since(definition, one.failed_at)
        drawn = assigned(definition, a_failure(one.customer, payment_id=one.customer, failed_at=one.failed_at))
        if drawn is None or exposed_at > as_of:
            continue
        paid_at = one.failed_at + timedelta(days=5) if drawn.variant in one.paid_by else None
        paid = paid_at is not None and paid_at <= as_of
        by = RecoveredBy.RETRY if paid else RecoveredBy.NOBODY
        mature = one.failed_at + WINDOW <= as_of
        outcome = PaymentOutcome(mature, by, paid_at if paid else None, None, one.minor if paid else 0, (), None)
        found.append(
            ObservedPayment(
                unit=("acme", one.customer),
                variant=drawn.variant,
                propensity=drawn.propensity,
                exposed_at=exposed_at,
                failed_at=one.failed_at,
                amount=Money(one.minor, "EUR"),
                segments=dict.fromkeys(SEGMENTS, "all"),
                outcome=outcome,
                divided_since=since,
            )
        )
    return found
