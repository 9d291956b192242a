"""A seeded story of customers whose payments fail, told to a real ledger, and what it comes to counted by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from cap_builders import NOW, an_attempt
from features.instants import to_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Initiator, Rail
from ledger_builders import MERCHANT, approved, told
from model.decision import Assignment
from serving.ledger.events import EventKind, LedgerEvent, Source
from serving.ledger.exposures import Exposure, put_exposure
from serving.ledger.ledger import Ledger

START = NOW - timedelta(days=80)
WINDOW = timedelta(days=30)
SHARES = {"fixed": 0.4, "plan": 0.4, "hold-out": 0.2}
CHANCES = {"fixed": 0.3, "plan": 0.65, "hold-out": 0.15}


@dataclass(frozen=True, slots=True)
class Told:
    """One payment; days after its failure, None for never.

    Args:
        coin: The variant it has in an A/A test.
    """

    customer: str
    payment: str
    variant: str
    coin: str
    failed_at: datetime
    exposed_at: datetime
    minor: int
    retried: Sequence[float]
    paid: float | None
    by_hand: bool
    reopened: float | None

    def after(self, days: float) -> datetime:
        return self.failed_at + timedelta(days=days)

    @property
    def recovered(self) -> bool:
        """Paid within thirty days of the failure and not owed again within them."""
        return self.paid is not None and self.paid <= 30 and not (self.reopened is not None and self.reopened <= 30)

    @property
    def tries(self) -> int:
        """Declined retries in time, and the one that paid for good."""
        until = min(self.paid, 30) if self.paid is not None and self.recovered else 30.0
        in_time = sum(day <= until for day in self.retried)
        return in_time + (self.paid is not None and self.paid <= 30 and not self.by_hand)


def a_story(seed: int, customers: int) -> list[Told]:
    """Customers of one or two payments over sixty days; some fail again ten days later."""
    rng = np.random.default_rng(seed)
    return [one for number in range(customers) for one in _of_customer(rng, number)]


def _of_customer(rng: np.random.Generator, number: int) -> Iterator[Told]:
    variant = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    coin = str(rng.choice(["fixed", "plan"]))
    first = START + timedelta(hours=int(rng.integers(0, 60 * 24)))
    fails = [first] + [first] * int(rng.random() < 0.3) + [first + timedelta(days=10)] * int(rng.random() < 0.1)
    for place, failed_at in enumerate(fails):
        by_hand = variant == "hold-out" or bool(rng.random() < 0.2)
        paid = float(rng.uniform(3, 36)) if rng.random() < CHANCES[variant] else None
        yield Told(
            customer=f"cus_{number}",
            payment=f"pay_{number}_{place}",
            variant=variant,
            coin=coin,
            failed_at=failed_at,
            exposed_at=failed_at + timedelta(hours=1 + place),
            minor=int(rng.integers(1_000, 9_000)),
            retried=() if variant == "hold-out" else (1.0, 2.0) if variant == "plan" else (1.0,),
            paid=paid,
            by_hand=by_hand,
            reopened=paid + 4 if paid is not None and rng.random() < 0.2 else None,
        )


def tell(ledger: Ledger, story: Sequence[Told], merchant_id: str = MERCHANT) -> None:
    """Exposures in both experiments, attempts, and what was said of payments, in one go."""
    with ledger.store.writing() as transaction:
        for one in story:
            for exposure in (
                _exposure(one, "first", one.variant, SHARES[one.variant]),
                _exposure(one, "same", one.coin, 0.5),
            ):
                put_exposure(transaction, replace(exposure, merchant_id=merchant_id))
    ledger.record([replace(event, merchant_id=merchant_id) for one in story for event in _events(one)], NOW)


def expose_unevenly(ledger: Ledger) -> None:
    """Four hundred customers in one half, two hundred in the other."""
    with ledger.store.writing() as transaction:
        for one in a_story(3, 600):
            variant = "fixed" if int(one.customer.removeprefix("cus_")) < 400 else "plan"
            put_exposure(transaction, _exposure(one, "uneven", variant, 0.5))


def _exposure(one: Told, experiment: str, variant: str, propensity: float) -> Exposure:
    return Exposure(
        merchant_id=MERCHANT,
        payment_id=one.payment,
        customer_id=one.customer,
        assignment=Assignment(experiment, variant, one.customer, propensity),
        exposed_at=one.exposed_at,
        failed_at=one.failed_at,
        amount=Money(one.minor, "EUR"),
        market="DE",
        rail=Rail.CARD,
        category=DeclineCategory.INSUFFICIENT_FUNDS,
    )


def _events(one: Told) -> Iterator[LedgerEvent]:
    amount = Money(one.minor, "EUR")
    for day in one.retried:
        made = an_attempt(0, payment_id=one.payment, amount=amount, before=one.after(day))
        yield told(replace(made, attempt_id=f"{one.payment} at {day}"))
    if one.paid is not None:
        initiator = Initiator.CUSTOMER if one.by_hand else Initiator.MERCHANT
        made = an_attempt(0, payment_id=one.payment, amount=amount, before=one.after(one.paid), initiator=initiator)
        yield told(replace(approved(made), attempt_id=f"{one.payment} paid"))
    if one.reopened is not None and one.after(one.reopened) <= NOW:
        at = to_micros(one.after(one.reopened))
        yield LedgerEvent(MERCHANT, Source.REPORTED, f"{one.payment} back", EventKind.REOPENED, one.payment, at)


@dataclass(frozen=True, slots=True)
class Arm:
    """What one variant comes to by hand, over customers whose window is over."""

    mature: int
    collecting: int
    recovered_value: float
    attempts_per_payment: float
    net_value: float


def by_hand(story: Sequence[Told], variant: str, as_of: datetime = NOW) -> Arm:
    """Ratios of sums; fees as the shipped economics have them: 5 cents, on approval 10 cents and 1.4 per cent."""
    first: dict[str, datetime] = {}
    for one in story:
        if one.variant == variant and one.exposed_at <= as_of:
            first[one.customer] = min(one.exposed_at, first.get(one.customer, one.exposed_at))
    mature = {customer for customer, at in first.items() if at + WINDOW <= as_of}
    counted = [one for one in story if one.customer in mature and one.failed_at <= first[one.customer]]
    failed = sum(one.minor for one in counted)
    back = sum(one.minor for one in counted if one.recovered)
    fees = 0.0
    for one in counted:
        approvals = one.paid is not None and one.paid <= 30 and not one.by_hand
        fees += 5.0 * (one.tries - approvals) + approvals * (10.0 + 0.014 * one.minor)
    tries = sum(one.tries for one in counted)
    return Arm(len(mature), len(first) - len(mature), back / failed, tries / len(counted), (back - fees) / failed)
