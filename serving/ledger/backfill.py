"""Takes an attempt history in, so that counts are right on day one; again and again with the same result."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.countries import country_or_market
from features.decline import Decline
from features.declines.taxonomy import classify
from features.errors import InputError, RecoupError
from features.instants import from_micros
from features.vocabulary import FAILED, Credential, Initiator, Network, Precision
from serving.history_file import open_history
from serving.ledger.events import LedgerEvent, Source, reported
from serving.ledger.facts import Facts
from serving.ledger.recording import Recorded, record_batch
from serving.ledger.store import Store, number_of

ROWS_A_BATCH = 5_000
_CHUNK = 1 << 20
_COLUMNS = (
    *("merchant_id", "attempt_id", "payment_id", "customer_id", "method_id", "mandate_id", "rail", "network"),
    *("credential", "issuer_country", "market", "processor", "initiator", "amount_minor", "currency", "attempted_at"),
    *("precision", "outcome", "outcome_at", "code", "subcode", "advice_code"),
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a run did.

    Args:
        rows: How many attempts the history has.
        skipped: How many an earlier run had taken in from this very file.
        new: How many of the rest were told for the first time.
        known: How many of the rest the ledger knew word for word.
    """

    rows: int
    skipped: int
    new: int
    known: int


def backfill(store: Store, history: Path, now: int, progress: Progress | None = None) -> Backfilled:
    """Record every attempt of a history; a run that was killed goes on where it was.

    Rows are read in batches, so that memory does not grow with the history. Each batch and the note of how far it
    got are one transaction.

    Args:
        now: Microseconds since 1970.
        progress: Called with rows done and rows in all.

    Raises:
        InputError: The file is no attempt history, or a row cannot be recorded; the batches before it are in.
    """
    file = open_history(history, _COLUMNS)
    rows, digest = file.metadata.num_rows, _digest(history)
    skipped = _done(store, digest)
    done, new, known = skipped, 0, 0
    for batch in _batches(file, skipped):
        start, done = done, done + batch.num_rows
        note = {"digest": digest, "rows_done": done, "rows_in_all": rows, "updated_at": now}
        told = _record(store, _events(batch, history, start), now, note)
        new, known = new + told.new, known + told.known
        if progress:
            progress(done, rows)
    return Backfilled(rows, skipped, new, known)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _done(store: Store, digest: str) -> int:
    with store.reading() as transaction:
        (found,) = transaction.ask(("backfilled", {"digest": digest}))
    return int(found[0][0] or 0) if found else 0


def _batches(file: pq.ParquetFile, skipped: int) -> Iterator[pa.RecordBatch]:
    """The batches after the first so many rows; row groups that are wholly skipped are not read."""
    groups: list[int] = []
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if skipped >= size and not groups:
            skipped -= size
        else:
            groups.append(group)
    for batch in file.iter_batches(ROWS_A_BATCH, row_groups=groups, columns=list(_COLUMNS)):
        kept = batch.slice(min(skipped, batch.num_rows))
        skipped -= batch.num_rows - kept.num_rows
        if kept.num_rows:
            yield kept


def _record(store: Store, events: Sequence[LedgerEvent], now: int, note: dict[str, str | int]) -> Recorded:
    """One transaction a merchant, the last with the note; told twice, a merchant's rows are known."""
    by_merchant: dict[str, list[LedgerEvent]] = {}
    for event in events:
        by_merchant.setdefault(event.merchant_id, []).append(event)
    new, known, left = 0, 0, len(by_merchant)
    for merchant_id, theirs in sorted(by_merchant.items()):
        left -= 1
        told = record_batch(store, merchant_id, theirs, now, None if left else note)
        new, known = new + told.new, known + told.known
    return Recorded(new, known)


def _events(batch: pa.RecordBatch, history: Path, start: int) -> list[LedgerEvent]:
    columns = {name: _values(batch.column(name)) for name in _COLUMNS}
    events = []
    for offset, row in enumerate(zip(*columns.values(), strict=True)):
        try:
            events.append(_event(*row))
        except RecoupError as error:
            raise InputError(f"{history}, row {start + offset + 1}: {error}") from None
    return events


def _values(column: pa.Array) -> list[str | int | None]:
    """The values of a column; instants as microseconds since 1970."""
    plain = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    values: list[str | int | None] = plain.to_pylist()
    return values


def _event(
    merchant_id: str,
    attempt_id: str,
    payment_id: str,
    customer_id: str,
    method_id: str,
    mandate_id: str | None,
    rail: str,
    network: str | None,
    credential: str | None,
    issuer_country: str | None,
    market: str | None,
    processor: str,
    initiator: str | None,
    amount_minor: int,
    currency: str,
    at: int,
    precision: str | None,
    outcome: str,
    known_at: int | None,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
) -> LedgerEvent:
    on = network or Network.UNKNOWN.value
    decline = None
    if outcome in FAILED:
        country = country_or_market(issuer_country, market)
        decline = _classified(code, processor, on, subcode, advice_code, at // _DAY, country)
    facts = Facts(
        attempt_id=attempt_id,
        payment_id=payment_id,
        customer_id=customer_id,
        method_id=method_id,
        mandate_id=mandate_id,
        rail=rail,
        network=on,
        credential=credential or Credential.UNKNOWN.value,
        issuer_country=issuer_country,
        market=market,
        merchant_country=None,
        processor=processor,
        initiator=initiator or Initiator.MERCHANT.value,
        amount_minor=amount_minor,
        currency=currency,
        at=at,
        precision=precision or Precision.INSTANT.value,
        outcome=outcome,
        known_at=at if known_at is None else known_at,
        code=decline.code if decline else None,
        subcode=decline.subcode if decline else None,
        advice_code=decline.advice_code if decline else None,
        category=decline.category.value if decline else None,
        retryability=decline.retryability.value if decline else None,
        min_wait_hours=decline.min_wait_hours if decline else None,
    )
    event = reported(merchant_id, Source.HISTORY, attempt_id, facts)
    # A later export may know more of the same attempt: what it says is told as something new.
    told = number_of(event.body) & _UNSIGNED
    return LedgerEvent(
        merchant_id, Source.HISTORY, f"{attempt_id}/x{told:x}", event.kind, attempt_id, event.said_at, facts
    )


_DAY = 86_400_000_000
_UNSIGNED = (1 << 63) - 1


@lru_cache(maxsize=65_536)
def _classified(
    code: str | None,
    processor: str,
    network: str,
    subcode: str | None,
    advice_code: str | None,
    day: int,
    country: str | None,
) -> Decline:
    """The decline as it was meant on that day (days since 1970)."""
    return classify(
        code,
        processor=processor,
        network=Network(network),
        subcode=subcode,
        advice_code=advice_code,
        at=from_micros(day * _DAY),
        country=country,
    )
