"""Rows of an attempt history as the nouns of a decision: attempt, method, payment."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from features.attempt import Attempt
from features.countries import country_or_market
from features.decline import Decline
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import FAILED, Credential, Funding, Initiator, Network, Outcome, Precision, Rail

_T = TypeVar("_T")


class Row:
    """One row of a history file with typed access to its columns."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A required text."""
        return str(self._values[name])

    def maybe(self, name: str, kind: type[_T]) -> _T | None:
        """An optional value of that type."""
        value = self._values[name]
        return value if isinstance(value, kind) else None

    @property
    def amount(self) -> Money:
        """The attempt's amount."""
        return Money(self.maybe("amount_minor", int) or 0, self.text("currency"))


def attempt_of(row: Row) -> Attempt:
    """The attempt of the row with everything the file knows of it."""
    at, outcome = row.maybe("attempted_at", datetime), Outcome(row.text("outcome"))
    if at is None:
        raise ValueError("attempted_at is required in a history")
    credential = row.maybe("credential", str)
    return Attempt(
        attempt_id=row.text("attempt_id"),
        payment_id=row.text("payment_id"),
        method_id=row.text("method_id"),
        processor=row.text("processor"),
        amount=row.amount,
        at=at,
        outcome=outcome,
        initiator=Initiator(row.maybe("initiator", str) or Initiator.MERCHANT),
        decline=_decline(row, at) if outcome in FAILED else None,
        outcome_at=row.maybe("outcome_at", datetime),
        precision=Precision(row.maybe("precision", str) or Precision.INSTANT),
        three_d_secure=row.maybe("three_d_secure", bool),
        expires_on=row.maybe("expires_on", date),
        credential=Credential(credential) if credential else None,
    )


def method_of(row: Row, processors: tuple[str, ...]) -> Method:
    """The stored instrument as the row describes it."""
    return Method(
        method_id=row.text("method_id"),
        rail=Rail(row.text("rail")),
        network=_network(row),
        issuer=Issuer(
            row.maybe("issuer_id", str),
            row.maybe("issuer_country", str),
            row.maybe("issuer_time_zone", str),
            row.maybe("issuer_bin", str),
        ),
        funding=Funding(row.maybe("funding", str) or Funding.UNKNOWN),
        credential=Credential(row.maybe("credential", str) or Credential.UNKNOWN),
        expires_on=row.maybe("expires_on", date),
        mandate_id=row.maybe("mandate_id", str),
        processors=processors,
    )


def payment_of(first: Row, first_at: datetime, recover_within: timedelta) -> Payment:
    """The obligation as the first row of its attempts describes it; due then where no due time is known."""
    due_at = first.maybe("due_at", datetime) or first_at
    return Payment(
        payment_id=first.text("payment_id"),
        merchant_id=first.text("merchant_id"),
        customer_id=first.text("customer_id"),
        amount=first.amount,
        due_at=due_at,
        recover_by=max(due_at, first_at) + recover_within,
        market=first.maybe("market", str),
        purpose=first.maybe("purpose", str),
    )


def _network(row: Row) -> Network:
    return Network(row.maybe("network", str) or Network.UNKNOWN)


def _decline(row: Row, at: datetime) -> Decline:
    return classify(
        row.maybe("code", str),
        processor=row.text("processor"),
        network=_network(row),
        subcode=row.maybe("subcode", str),
        advice_code=row.maybe("advice_code", str),
        at=at,
        country=country_or_market(row.maybe("issuer_country", str), row.maybe("market", str)),
    )
