"""A small world in which everybody's fate is stated, so that what a schedule comes to can be counted by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from context_builders import card, failed
from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.money import Money
from features.payment import Payment
from features.vocabulary import Outcome
from model.failures import failures

WINDOW = 30
RECOVER_BY = 28
FIRST = datetime.fromisoformat("2026-11-01T06:00:00+00:00")


@dataclass(frozen=True)
class Fate:
    """What will be of a failed payment, in days from its failure; None for never.

    Args:
        clears: From when on a retry is approved.
        by_hand: When the customer pays, unless it is paid by then.
        leaves: When the customer is gone, unless it is paid by then.
        known_after: How long the outcome of a retry takes to be known.
    """

    minor: int
    clears: float | None
    by_hand: float | None = None
    leaves: float | None = None
    known_after: float = 0.0
    currency: str = "EUR"


class StatedWorld:
    """A payment of a customer each, failing seven hours after the last."""

    def __init__(self, fates: Sequence[Fate], merchant_id: str = "acme") -> None:
        self.fates = {f"inv_{number:04}": fate for number, fate in enumerate(fates)}
        self.contexts = {
            name: _failure(name, number, fate, merchant_id) for number, (name, fate) in enumerate(self.fates.items())
        }

    def failures(self) -> Iterator[Context]:
        yield from self.contexts.values()

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        fate, context, at = self.fates[payment_id], self.contexts[payment_id], action.slot.start
        day = (at - context.as_of) / timedelta(days=1)
        settled = fate.by_hand is not None and fate.by_hand <= day
        approved = fate.clears is not None and fate.clears <= day and not settled
        return Attempt(
            attempt_id=f"{payment_id} at {at:%Y%m%dT%H%M%S}",
            payment_id=payment_id,
            method_id=action.method_id,
            processor=action.processor,
            amount=context.payment.amount,
            at=at,
            outcome=Outcome.APPROVED if approved else Outcome.DECLINED,
            decline=None if approved else failures(context)[0].decline,
            outcome_at=at + timedelta(days=fate.known_after),
        )

    def settled_at(self, payment_id: str) -> datetime | None:
        return self._after(payment_id, self.fates[payment_id].by_hand)

    def left_at(self, payment_id: str) -> datetime | None:
        return self._after(payment_id, self.fates[payment_id].leaves)

    def _after(self, payment_id: str, days: float | None) -> datetime | None:
        return None if days is None else self.contexts[payment_id].as_of + timedelta(days=days)


def _failure(name: str, number: int, fate: Fate, merchant_id: str) -> Context:
    at = FIRST + timedelta(hours=7 * number)
    customer, method, amount = f"cus_{number}", card(f"pm_{number}"), Money(fate.minor, fate.currency)
    payment = Payment(
        payment_id=name,
        merchant_id=merchant_id,
        customer_id=customer,
        amount=amount,
        due_at=at,
        recover_by=at + timedelta(days=RECOVER_BY),
        market="DE",
    )
    first = failed(method, payment_id=name, now=at, ago=timedelta(0), amount=amount)
    return Context(payment=payment, methods=(method,), attempts=(first,), as_of=at)


@dataclass(frozen=True)
class Came:
    """What a schedule of days came to, by hand.

    Args:
        paid: On which day it was paid; None where it was not.
        retries: How many were made.
    """

    paid: float | None
    retries: int


def by_hand(fate: Fate, days: Sequence[int]) -> Came:
    """Days further apart than outcomes take; nothing is done after somebody has paid or gone."""
    retries = 0
    until = min((end for end in (fate.by_hand, fate.leaves) if end is not None), default=float(WINDOW))
    for day in days:
        if day >= until:
            break
        retries += 1
        if fate.clears is not None and fate.clears <= day:
            return Came(float(day), retries)
    paid = fate.by_hand is not None and fate.by_hand <= WINDOW and until == fate.by_hand
    return Came(fate.by_hand if paid else None, retries)


TEXT = """
key = "early-and-late"
hypothesis = "Retries in the second week find more money than those of the first days."
owner = "payments"
status = "draft"
salt = "early-and-late-1"
hold_out = 0.2
control = "early"
window_days = 30
min_run_days = 1
smallest_effect = 0.1
primary_metric = "recovered_value"
secondary_metrics = ["attempts_per_payment", "rate_closed_only"]

[variants.early]
weight = 0.5
policy = { kind = "fixed_days", days = [1, 4] }

[variants.late]
weight = 0.5
policy = { kind = "fixed_days", days = [8, 12] }
"""

FATES = (
    Fate(1_000, clears=None),
    Fate(2_000, clears=1),
    Fate(3_000, clears=5),
    Fate(4_000, clears=5, by_hand=2.5),
    Fate(5_000, clears=10, known_after=2),
    Fate(6_000, clears=None, by_hand=20),
    Fate(7_000, clears=None, leaves=6),
    Fate(8_000, clears=9, leaves=10, currency="USD"),
    Fate(9_000, clears=8, by_hand=9, known_after=2),  # pays by hand only if the debit under way is not approved
    Fate(1_500, clears=12, by_hand=9, known_after=2),
    Fate(2_500, clears=3, known_after=1),
    Fate(3_500, clears=None, by_hand=29),
)
