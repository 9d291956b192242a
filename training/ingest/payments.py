"""Groups attempts into payments where an export has no payment id: same keys, close in time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.history import SCHEMA
from features.instants import MICROS_PER_SECOND
from features.sources.mapping import DERIVED_FROM_PAYMENT
from training.ingest.staging import AT, SAME_PAYER, starts_of_runs


def grouped_into_payments(batches: Iterator[pa.RecordBatch], gap_seconds: int) -> Iterator[pa.RecordBatch]:
    """The batches with payment ids, and with customer and method ids where the export has none.

    An attempt within the gap (inclusive) of the merchant's previous one with the same keys belongs to the same payment.
    A payment is called after its first attempt.

    Args:
        batches: Sorted by the digests of the keys and the merchant, then time, then position.
    """
    before: tuple[int, ...] | None = None
    before_at = 0
    payment_id = ""
    for batch in batches:
        if not batch.num_rows:
            continue
        keys = [batch.column(name).to_numpy() for name in SAME_PAYER]
        at = batch.column(AT).to_numpy()
        waited = np.diff(at, prepend=before_at)
        firsts = starts_of_runs(keys, before) | (waited > gap_seconds * MICROS_PER_SECOND)
        ids = pc.binary_join_element_wise("pay", batch.column("attempt_id").filter(pa.array(firsts)), "-")
        names = pa.concat_arrays([pa.array([payment_id]), ids])
        payment_ids = names.take(pa.array(np.cumsum(firsts)))
        before, before_at = tuple(int(column[-1]) for column in keys), int(at[-1])
        payment_id = payment_ids[-1].as_py()
        yield _with_ids(batch, payment_ids)


def _with_ids(batch: pa.RecordBatch, payment_ids: pa.Array) -> pa.RecordBatch:
    for name in DERIVED_FROM_PAYMENT:
        filled = pc.coalesce(batch.column(name), payment_ids)
        batch = batch.set_column(SCHEMA.get_field_index(name), name, filled)
    return batch
