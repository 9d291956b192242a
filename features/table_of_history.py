"""A history as a table of attempts, for training: what `from_contexts` is for serving."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.calendars import to_day
from features.countries import country_or_market
from features.decline import Decline
from features.declines.taxonomy import change_days
from features.errors import InputError
from features.history import REQUIRED, SCHEMA
from features.instants import MICROS_PER_DAY, from_micros
from features.known import NEVER
from features.merchants import BETWEEN
from features.money import minor_digits
from features.table import (
    APPROVED,
    CATEGORIES,
    RETRYABILITIES,
    UNKNOWN_OUTCOME,
    AttemptTable,
    Coded,
    after_first,
    coded_list,
    issuer_key,
    wait_hours,
)
from features.time_zones import zone_name
from features.vocabulary import Credential, Funding, Initiator, Network, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Classify = Callable[[str | None, str, Network, str | None, str | None, str | None, datetime], Decline]
"""(code, processor, network, subcode, advice_code, issuer_country, when it was attempted) to the decline it means."""

_NULL = np.iinfo(np.int64).min


def from_arrow(history: pa.Table, classify: Classify) -> AttemptTable:
    """The attempts of a history, ordered by time.

    Args:
        history: A table with at least the required columns of `features.history.SCHEMA`.

    Raises:
        InputError: A required column is missing.
    """
    missing = [name for name in REQUIRED if name not in history.column_names]
    if missing:
        raise InputError(f"the history has no column {', '.join(missing)}; run `recoup import` to make one")
    table = _Sorted(history)
    at, known_at = table.micros("attempted_at"), table.micros("outcome_at")
    merchant = table.coded("merchant_id")
    payment = _owned(merchant, table.coded("payment_id"))
    country = _joined(table.coded("issuer_country"), table.coded("market"), country_or_market)
    processor, currency = table.coded("processor"), table.coded("currency")
    network = table.words("network", Network, Network.UNKNOWN)
    outcome = table.words("outcome", Outcome).codes
    failed = (outcome != APPROVED) & (outcome != UNKNOWN_OUTCOME)
    declines = _declines(table, at, processor, network, country, failed, classify)
    scale = np.array([10.0 ** minor_digits(code) for code in currency.texts()])
    precision = table.words("precision", Precision, Precision.INSTANT).codes
    return AttemptTable(
        source_row=table.order,
        payment=payment,
        customer=_owned(merchant, table.coded("customer_id")),
        method=_owned(merchant, table.coded("method_id")),
        processor=processor,
        rail=table.words("rail", Rail),
        network=network,
        currency=currency,
        issuer=_issuers(country, table.coded("issuer_id")),
        bin=table.coded("issuer_bin"),
        country=country,
        zone=_zones(country, table.coded("issuer_time_zone")),
        funding=table.words("funding", Funding, Funding.UNKNOWN),
        credential=table.words("credential", Credential, Credential.UNKNOWN),
        at=at,
        known_at=np.where(outcome == UNKNOWN_OUTCOME, NEVER, np.where(known_at == _NULL, at, np.maximum(known_at, at))),
        outcome=outcome,
        initiator=table.words("initiator", Initiator, Initiator.MERCHANT).codes,
        category=declines[0],
        retryability=declines[1],
        min_wait_hours=declines[2],
        amount_major=table.floats("amount_minor") / scale[currency.codes],
        is_retry=after_first(payment.codes),
        expires_day=table.days("expires_on"),
        customer_since_day=table.days("customer_since"),
        three_d_secure=table.floats("three_d_secure"),
        day_only=precision == tuple(Precision).index(Precision.DAY),
    )


class _Sorted:
    """The columns of a history, ordered by time and in their declared types; each is made when it is asked for.

    Texts become integer codes at once, and no second history is made, so that what is held beside the file's own
    columns is one column at a time.
    """

    def __init__(self, history: pa.Table) -> None:
        self._history = history
        keys = [("attempted_at", "ascending"), ("attempt_id", "ascending")]
        self.order: Int64s = pc.sort_indices(history, sort_keys=keys).to_numpy().astype(np.int64)

    def coded(self, name: str) -> Coded:
        """Words in the order in which the file names them."""
        column = self._column(name)
        if pa.types.is_dictionary(column.type):
            encoded = column.unify_dictionaries().combine_chunks()
        else:
            encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Coded(codes.astype(np.int64)[self.order], encoded.dictionary.cast(pa.string()))

    def words(self, name: str, words: type[StrEnum], default: StrEnum | None = None) -> Coded:
        """Codes in the order of the enum, whatever the file's order."""
        coded = self.coded(name)
        names = pa.array([str(word) for word in words])
        fallback = -1 if default is None else list(words).index(default)
        places = pc.index_in(coded.words, value_set=names).fill_null(fallback).to_numpy(zero_copy_only=False)
        return Coded(np.append(places, fallback).astype(np.int64)[coded.codes], names)

    def micros(self, name: str) -> Int64s:
        """Microseconds since 1970, `_NULL` for null."""
        column = self._column(name).cast(SCHEMA.field(name).type).cast(pa.int64())
        values = column.combine_chunks().fill_null(_NULL).to_numpy(zero_copy_only=False)
        return np.asarray(values, dtype=np.int64)[self.order]

    def days(self, name: str) -> Floats:
        """Days since 1970, NaN for null."""
        return self._numbers(self._column(name).cast(SCHEMA.field(name).type).cast(pa.int32()))

    def floats(self, name: str) -> Floats:
        """Numbers, or flags as 1 and 0, NaN for null."""
        column = self._column(name)
        return self._numbers(column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column)

    def _numbers(self, column: pa.ChunkedArray) -> Floats:
        values = column.cast(pa.float64()).combine_chunks().fill_null(np.nan).to_numpy(zero_copy_only=False)
        return np.asarray(values)[self.order]

    def _column(self, name: str) -> pa.ChunkedArray:
        """The column; all null where the history does not have it."""
        if name in self._history.column_names:
            return self._history.column(name)
        return pa.chunked_array([pa.nulls(len(self._history), SCHEMA.field(name).type)])


def _zones(country: Coded, stated: Coded) -> Coded:
    """The zone of every row: the issuer's own, else the country's main one."""
    return _joined(country, stated, lambda place, zone: zone_name(zone, place))


def _owned(merchant: Coded, own: Coded) -> Coded:
    """Ids told apart by merchant, because they are only unique within one; untouched where only one merchant occurs."""
    if not len(merchant.codes) or merchant.codes.min() == merchant.codes.max():
        return own
    named = own.codes >= 0
    pairs, inverse = np.unique((merchant.codes * len(own.words) + own.codes)[named], return_inverse=True)
    whose, which = np.divmod(pairs, max(len(own.words), 1))
    codes = np.full(own.codes.shape, -1, dtype=np.int64)
    codes[named] = inverse
    merchants = pc.take(merchant.words, pa.array(whose, mask=whose < 0)).fill_null("")
    return Coded(codes, pc.binary_join_element_wise(merchants, pc.take(own.words, pa.array(which)), BETWEEN))


def _issuers(country: Coded, issuer: Coded) -> Coded:
    """Issuers told apart by country, because issuer names are only unique within one."""
    return _joined(country, issuer, issuer_key)


def _joined(left: Coded, right: Coded, join: Callable[[str | None, str | None], str | None]) -> Coded:
    width = len(right.words) + 1
    pairs, inverse = np.unique((left.codes + 1) * width + right.codes + 1, return_inverse=True)
    texts = [join(left.word(int(pair // width) - 1), right.word(int(pair % width) - 1)) for pair in pairs]
    coded = coded_list(texts)
    return Coded(coded.codes[inverse], coded.words)


def _declines(
    table: _Sorted, at: Int64s, processor: Coded, network: Coded, country: Coded, failed: Flags, classify: Classify
) -> tuple[Int64s, Int64s, Floats]:
    """Category, retryability and advised wait of each failed attempt; every distinct combination is read once.

    A code means what it meant on the day of the attempt, as it does for a decision.
    """
    parts = (
        processor,
        network,
        country,
        *(table.coded(name) for name in ("code", "subcode", "advice_code")),
    )
    key = _epochs(at, processor, network)
    for part in parts:
        key = key * (len(part.words) + 1) + part.codes + 1
    keys, first, inverse = np.unique(np.where(failed, key, -1), return_index=True, return_inverse=True)
    category, retryability, wait = (np.full(keys.size, fill) for fill in (-1.0, -1.0, np.nan))
    for i, row in enumerate(first):
        if keys[i] >= 0:
            words = [part.word(int(part.codes[row])) for part in parts]
            on = Network(words[1] or "unknown")
            decline = classify(words[3], words[0] or "", on, words[4], words[5], words[2], from_micros(int(at[row])))
            category[i] = CATEGORIES.index(decline.category)
            retryability[i] = RETRYABILITIES.index(decline.retryability)
            wait[i] = wait_hours(decline)
    return category[inverse].astype(np.int64), retryability[inverse].astype(np.int64), wait[inverse]


def _epochs(at: Int64s, processor: Coded, network: Coded) -> Int64s:
    """How many changes of any code's meaning came before each attempt, shape (n,)."""
    words = [(on, by) for on in {Network(word or "unknown") for word in network.texts()} for by in processor.texts()]
    days = sorted({day for on, by in words for day in change_days(on, by)})
    return np.searchsorted(_begins(days), at, side="right").astype(np.int64)


def _begins(days: Iterable[date]) -> Int64s:
    return np.array([to_day(day) * MICROS_PER_DAY for day in days], dtype=np.int64)
