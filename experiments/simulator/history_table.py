"""The journal as an attempt history: what a merchant knew of each attempt, in the ordinary format and nothing more."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.simulator import names
from experiments.simulator.answers import Hidden
from experiments.simulator.causes import Cause
from experiments.simulator.codes import codebook
from experiments.simulator.journal import NO_POLICY, Journal
from experiments.simulator.landscape import NETWORKS
from experiments.simulator.logging_policy import POLICIES
from experiments.simulator.markets import markets, processors
from experiments.simulator.methods import SLOTS, expiry_on_file
from features.history import SCHEMA
from features.instants import MICROS_PER_DAY
from features.vocabulary import Credential, Funding, Initiator, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

_INSTANT = pa.timestamp("us", tz="UTC")
FUNDINGS = (Funding.DEBIT.value, Funding.CREDIT.value, None)
CREDENTIALS = (Credential.PAN.value, Credential.NETWORK_TOKEN.value, Credential.ACCOUNT.value)
PURPOSE = "subscription"
_ROWS = 262_144


def history_table(hidden: Hidden, journal: Journal) -> pa.Table:
    """The history of the journal's attempts, exactly `features.history.SCHEMA`, in the journal's order."""
    starts = range(0, max(len(journal), 1), _ROWS)
    parts = [journal.take(np.arange(start, min(start + _ROWS, len(journal)))) for start in starts]
    return pa.Table.from_batches([_batch(hidden, part) for part in parts], schema=SCHEMA)


def attempt_fee(hidden: Hidden, journal: Journal) -> Int64s:
    """What each attempt cost in minor units: a fee for asking, and for approved ones a fixed and a relative part."""
    cents = np.array([m.cents for m in markets()])[hidden.people.market[journal.customer]]
    asked, success, share = (
        np.array([getattr(p, name) for p in processors()])[journal.processor]
        for name in ("attempt_cents", "success_cents", "success_bps")
    )
    approved = journal.cause == Cause.APPROVED
    fee = cents * (asked + approved * success) + approved * share / 10_000 * journal.amount
    result: Int64s = np.rint(fee).astype(np.int64)
    return result


def _batch(hidden: Hidden, journal: Journal) -> pa.RecordBatch:
    columns = _who(hidden, journal) | _what(hidden, journal) | _with_what(hidden, journal) | _why(journal)
    nothing = {name: pa.nulls(len(journal), SCHEMA.field(name).type) for name in SCHEMA.names if name not in columns}
    known = columns | nothing
    return pa.RecordBatch.from_arrays([known[name] for name in SCHEMA.names], schema=SCHEMA)


def _who(hidden: Hidden, journal: Journal) -> dict[str, pa.Array]:
    people, customer = hidden.people, journal.customer
    return {
        "attempt_id": names.attempt_ids(customer, journal.payment, journal.order),
        "payment_id": names.payment_ids(customer, journal.payment),
        "merchant_id": _always(names.MERCHANT, len(journal)),
        "customer_id": names.customer_ids(customer),
        "method_id": names.method_ids(customer, journal.slot),
        "market": _words([m.country for m in markets()], people.market[customer]),
        "customer_since": _dates(people.joined_day[customer]),
        "purpose": _always(PURPOSE, len(journal)),
    }


def _what(hidden: Hidden, journal: Journal) -> dict[str, pa.Array]:
    return {
        "amount_minor": pa.array(journal.amount),
        "currency": _words([m.currency for m in markets()], hidden.people.market[journal.customer]),
        "attempted_at": _instants(journal.at),
        "outcome": _words([word.value for word in Outcome], outcome_position(journal.cause)),
        "outcome_at": _instants(journal.known_at),
        "precision": _always(Precision.INSTANT.value, len(journal)),
        "due_at": _instants(journal.due_at),
        "attempt_fee_minor": pa.array(attempt_fee(hidden, journal)),
        "initiator": _words([word.value for word in Initiator], journal.by_customer),
    }


def _with_what(hidden: Hidden, journal: Journal) -> dict[str, pa.Array]:
    them, land, position = hidden.methods, hidden.land, journal.customer * SLOTS + journal.slot
    network, issuer, credential = them.network[position], them.issuer[position], them.credential[position]
    debit = land.is_debit[network]
    day = land.local(land.issuers.zone[issuer], journal.at) // MICROS_PER_DAY
    account = CREDENTIALS.index(Credential.ACCOUNT.value)
    return {
        "rail": _words([Rail.CARD.value, Rail.BANK_DEBIT.value], debit.astype(np.int64)),
        "processor": _words([p.name for p in processors()], journal.processor),
        "network": _words([word.value for word in NETWORKS], network),
        "issuer_id": _words(land.issuers.ids, issuer),
        "issuer_country": _words([m.country for m in markets()], land.issuers.market[issuer]),
        "issuer_time_zone": _words(land.issuers.zones, land.issuers.zone[issuer]),
        "funding": _words(FUNDINGS, them.funding[position]),
        "credential": _words(CREDENTIALS, credential),
        "expires_on": _dates(expiry_on_file(them, position, day), credential == account),
        "mandate_id": pc.if_else(
            pa.array(debit), names.method_ids(journal.customer, journal.slot), pa.scalar(None, pa.string())
        ),
    }


def _why(journal: Journal) -> dict[str, pa.Array]:
    book = codebook()
    return {
        "code": _words(book.codes, journal.code),
        "advice_code": _words(book.advice, journal.advice),
        "policy": _words((*POLICIES, None), np.where(journal.policy == NO_POLICY, len(POLICIES), journal.policy)),
        "propensity": pa.array(journal.propensity, mask=np.isnan(journal.propensity)),
    }


def outcome_position(cause: Int64s) -> Int64s:
    """Position in `Outcome`: approved, declined, or error where the processor never reached the issuer."""
    words = list(Outcome)
    approved, declined, error = (words.index(w) for w in (Outcome.APPROVED, Outcome.DECLINED, Outcome.ERROR))
    return np.where(cause == Cause.APPROVED, approved, np.where(cause == Cause.PROCESSOR_DOWN, error, declined))


def _words(words: Sequence[str | None], position: Int64s) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(position))


def _always(word: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(word), count)


def _instants(micros: Int64s) -> pa.Array:
    return pa.array(micros).cast(_INSTANT)


def _dates(days: Int64s, absent: Flags | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=absent).cast(pa.date32())
