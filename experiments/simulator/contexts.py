"""Failed payments as contexts: what the merchant's history told when the first failure became known."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.simulator import names
from experiments.simulator.answers import Hidden
from experiments.simulator.generate import Failures
from experiments.simulator.history_table import CREDENTIALS, FUNDINGS, PURPOSE
from experiments.simulator.landscape import NETWORKS
from experiments.simulator.markets import markets, processors
from experiments.simulator.methods import SLOTS, expiry_on_file
from features.attempt import Attempt
from features.calendars import to_date
from features.context import Context
from features.decline import Decline
from features.declines.taxonomy import classify
from features.errors import InputError
from features.history import SCHEMA
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR, from_micros, to_micros
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, Funding, Initiator, Network, Outcome, Rail

Int64s = NDArray[np.int64]

RECOVER_WITHIN = timedelta(days=28)
_USED = (
    "attempt_id",
    "payment_id",
    "method_id",
    "processor",
    "amount_minor",
    "currency",
    "attempted_at",
    "outcome",
    "outcome_at",
    "network",
    "issuer_country",
    "initiator",
    "code",
    "advice_code",
    "expires_on",
)


class Files:
    """The customers' files: their attempts as logged, cut at each first failure."""

    def __init__(self, hidden: Hidden, failures: Failures, history: pa.Table) -> None:
        if not history.schema.equals(SCHEMA):
            raise InputError("history.parquet: is not the history that belongs to this truth; simulate the world again")
        self._hidden = hidden
        self._failures = failures
        self._history = history.select(_USED)
        customer = history["customer_id"].combine_chunks()
        number = np.array(pc.utf8_slice_codeunits(customer, 4).cast(pa.int64()))
        self._order = np.argsort(number, kind="stable")
        self._starts = np.searchsorted(number[self._order], np.arange(hidden.people.number.size + 1))

    def contexts(self) -> Iterator[Context]:
        """One context a failed payment, by customer and month."""
        failures = self._failures
        for row in np.lexsort((failures.payment, failures.customer)):
            attempts = self._attempts(int(failures.customer[row]))
            yield self._context(int(row), self._payment(int(row)), attempts, int(failures.failed_at[row]))

    def logged(self, row: int) -> Iterator[tuple[Attempt, Context]]:
        """The merchant's attempts of a failed payment, each with what was known when it was made, oldest first."""
        payment = self._payment(row)
        attempts = self._attempts(int(self._failures.customer[row]))
        for attempt in attempts:
            if attempt.payment_id == payment.payment_id and attempt.initiator is Initiator.MERCHANT:
                others = [other for other in attempts if other is not attempt]
                yield attempt, self._context(row, payment, others, to_micros(attempt.at))

    def _context(self, row: int, payment: Payment, attempts: Sequence[Attempt], at: int) -> Context:
        customer, as_of = int(self._failures.customer[row]), from_micros(at)
        return Context(
            payment=payment,
            methods=self._methods(customer, at),
            attempts=tuple(attempt for attempt in attempts if attempt.known_at <= as_of),
            as_of=as_of,
            customer_since=to_date(int(self._hidden.people.joined_day[customer])),
        )

    def _payment(self, row: int) -> Payment:
        failures = self._failures
        customer, month = int(failures.customer[row]), failures.payment[row : row + 1]
        market = markets()[self._hidden.people.market[customer]]
        return Payment(
            payment_id=names.payment_ids(np.array([customer]), month)[0].as_py(),
            merchant_id=names.MERCHANT,
            customer_id=names.customer_ids(np.array([customer]))[0].as_py(),
            amount=Money(int(failures.amount[row]), market.currency),
            due_at=from_micros(int(failures.due_at[row])),
            recover_by=from_micros(int(failures.failed_at[row])) + RECOVER_WITHIN,
            market=market.country,
            merchant_country=market.country,
            purpose=PURPOSE,
        )

    def _methods(self, customer: int, at: int) -> tuple[Method, ...]:
        added = self._hidden.methods.added_hour[customer * SLOTS : (customer + 1) * SLOTS]
        return tuple(self._method(customer, int(slot), at) for slot in np.flatnonzero(added <= at // MICROS_PER_HOUR))

    def _method(self, customer: int, slot: int, at: int) -> Method:
        hidden, position = self._hidden, customer * SLOTS + slot
        land, them = hidden.land, hidden.methods
        issuer, network = int(them.issuer[position]), int(them.network[position])
        zone, market = land.issuers.zone[issuer], int(hidden.people.market[customer])
        method_id = str(names.method_ids(np.array([customer]), np.array([slot]))[0])
        debit, funding = bool(land.is_debit[network]), FUNDINGS[them.funding[position]]
        return Method(
            method_id=method_id,
            rail=Rail.BANK_DEBIT if debit else Rail.CARD,
            network=NETWORKS[network],
            issuer=Issuer(
                land.issuers.ids[issuer], markets()[land.issuers.market[issuer]].country, land.issuers.zones[zone]
            ),
            funding=Funding.UNKNOWN if funding is None else Funding(funding),
            credential=Credential(CREDENTIALS[them.credential[position]]),
            expires_on=None if debit else self._expiry(position, int(zone), at),
            mandate_id=method_id if debit else None,
            processors=tuple(p.name for p, c in zip(processors(), land.carries[:, market, network], strict=True) if c),
        )

    def _expiry(self, position: int, zone: int, at: int) -> date:
        day = self._hidden.land.local(np.array([zone]), np.array([at])) // MICROS_PER_DAY
        return to_date(int(expiry_on_file(self._hidden.methods, np.array([position]), day)[0]))

    def _attempts(self, customer: int) -> list[Attempt]:
        rows = self._history.take(self._order[self._starts[customer] : self._starts[customer + 1]])
        return [_attempt(*values) for values in zip(*(column.to_pylist() for column in rows.columns), strict=True)]


def _attempt(
    attempt_id: str,
    payment_id: str,
    method_id: str,
    processor: str,
    amount_minor: int,
    currency: str,
    attempted_at: datetime,
    outcome: str,
    outcome_at: datetime,
    network: str,
    country: str,
    initiator: str,
    code: str | None,
    advice_code: str | None,
    expires_on: date | None,
) -> Attempt:
    """One row of the history, its columns in the order of `_USED`."""
    failed = outcome != Outcome.APPROVED
    return Attempt(
        attempt_id=attempt_id,
        payment_id=payment_id,
        method_id=method_id,
        processor=processor,
        amount=Money(amount_minor, currency),
        at=attempted_at,
        outcome=Outcome(outcome),
        initiator=Initiator(initiator),
        decline=_decline(code, advice_code, processor, network, country, attempted_at) if failed else None,
        outcome_at=outcome_at,
        expires_on=expires_on,
    )


def _decline(
    code: str | None, advice_code: str | None, processor: str, network: str, country: str, at: datetime
) -> Decline:
    return classify(
        code, processor=processor, network=Network(network), advice_code=advice_code, at=at, country=country
    )
