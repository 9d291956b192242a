"""Drops attempts whose id was seen before of the same merchant; the first one in the order of the files stays."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from features.sources.refusal import Fault, Reason, Refusal, fault
from training.ingest.staging import FILE, LINE, SAME_ATTEMPT, starts_of_runs

Refuse = Callable[[str, int, Fault], None]


def without_duplicates(
    batches: Iterator[pa.RecordBatch], labels: Sequence[str], refuse: Refuse
) -> Iterator[pa.RecordBatch]:
    """The batches with the first attempt of each id.

    Args:
        batches: Sorted by the digests of the attempt id and the merchant, then position.
        labels: Name of each input file.
        refuse: Called with file, line and fault of every later attempt of an id.
    """
    before: tuple[int, ...] | None = None
    first_place = ""
    for batch in batches:
        ids = [batch.column(name).to_numpy() for name in SAME_ATTEMPT]
        firsts = starts_of_runs(ids, before)
        for row in range(batch.num_rows) if not firsts.all() else ():
            place = (labels[batch.column(FILE)[row].as_py()], batch.column(LINE)[row].as_py())
            if firsts[row]:
                first_place = f"{place[0]} line {place[1]}"
            else:
                refuse(*place, _duplicate(batch.column("attempt_id")[row].as_py(), first_place))
        if batch.num_rows:
            before = tuple(int(column[-1]) for column in ids)
            last = int(np.flatnonzero(firsts)[-1]) if firsts.any() else None
            if last is not None:
                first_place = f"{labels[batch.column(FILE)[last].as_py()]} line {batch.column(LINE)[last].as_py()}"
        yield batch.filter(pa.array(firsts))


def _duplicate(attempt_id: str, first_place: str) -> Fault:
    refusal = Refusal(Reason.DUPLICATE, f"an attempt_id not used before; it stands first in {first_place}")
    return fault("attempt_id", "", attempt_id, refusal)
