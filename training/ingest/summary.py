"""What an import did: counts that add up, times, and the decline codes nobody knows yet."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from features.declines.taxonomy import classify
from features.instants import from_micros
from features.sources.refusal import Fault, Reason
from features.vocabulary import FAILED, Network, Retryability
from features.vocabulary import DeclineCategory as Category

_CODE_COLUMNS = ("processor", "network", "code", "subcode", "advice_code")
_FAILED = pa.array([outcome.value for outcome in FAILED])
# Free text in a code column must not fill the memory: beyond this, unknown codes are counted together.
_MOST_CODES = 10_000
_OTHER_CODES = "(other codes)"


@dataclass(frozen=True, slots=True)
class Summary:
    """What was read and what became of it; accepted plus quarantined equals read.

    Args:
        reasons: Quarantined rows by field and reason of their first fault.
        examples: Where each of those was seen first: file, line.
        outcomes: Accepted attempts by outcome.
        unknown_codes: Failed attempts by processor and raw code, for codes that no table knows.
        without_code: Failed attempts that carry no decline code at all.
        unused_columns: Columns of the export that the mapping does not read.
        first_at: Earliest attempt; None when nothing was accepted.
    """

    read: int
    accepted: int
    quarantined: int
    reasons: Counter[tuple[str, Reason]]
    examples: dict[tuple[str, Reason], tuple[str, int]]
    payments: int
    customers: int
    outcomes: Counter[str]
    unknown_codes: Counter[tuple[str, str]]
    without_code: int
    first_at: datetime | None
    last_at: datetime | None
    unused_columns: tuple[str, ...] = ()

    @property
    def failures(self) -> int:
        """Accepted attempts that were declined or never reached the issuer."""
        return sum(self.outcomes[outcome] for outcome in FAILED)


@dataclass(slots=True)
class Refused:
    """Counts of refused rows, as they are found."""

    rows: int = 0
    reasons: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    examples: dict[tuple[str, Reason], tuple[str, int]] = field(default_factory=dict)

    def count(self, file: str, line: int, found: Fault) -> None:
        """Count one refused row by its first fault."""
        key = (found.field or found.column, found.refusal.reason)
        self.rows += 1
        self.reasons[key] += 1
        self.examples.setdefault(key, (file, line))


@dataclass(slots=True)
class Accepted:
    """Counts of accepted rows, as they are written in order of time."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown_codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    without_code: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def count(self, batch: pa.RecordBatch) -> None:
        """Count the rows of one batch; batches come in order of time."""
        if not batch.num_rows:
            return
        at = batch.column("attempted_at").cast(pa.int64())
        self.first_at = self.first_at or from_micros(at[0].as_py())
        self.last_at = from_micros(at[-1].as_py())
        self.rows += batch.num_rows
        for counted in pc.value_counts(batch.column("outcome")).to_pylist():
            self.outcomes[counted["values"]] += counted["counts"]
        self._count_codes(batch.filter(pc.is_in(batch.column("outcome"), value_set=_FAILED)))

    def _count_codes(self, failed: pa.RecordBatch) -> None:
        table = pa.table([failed.column(name) for name in _CODE_COLUMNS], names=_CODE_COLUMNS)
        for row in table.group_by(list(_CODE_COLUMNS)).aggregate([([], "count_all")]).to_pylist():
            count = row["count_all"]
            if row["code"] is None and row["subcode"] is None and row["advice_code"] is None:
                self.without_code += count
            elif not is_known(row["processor"], row["network"], row["code"], row["subcode"], row["advice_code"]):
                key = (row["processor"], row["code"] or row["subcode"] or row["advice_code"])
                full = len(self.unknown_codes) >= _MOST_CODES and key not in self.unknown_codes
                self.unknown_codes[(row["processor"], _OTHER_CODES) if full else key] += count


def is_known(
    processor: str, network: str | None, code: str | None, subcode: str | None, advice_code: str | None
) -> bool:
    """Whether any table of decline codes knows the combination."""
    decline = classify(
        code,
        processor=processor,
        network=Network(network) if network else Network.UNKNOWN,
        subcode=subcode,
        advice_code=advice_code,
    )
    unread = decline.category is Category.UNKNOWN and decline.retryability is Retryability.UNKNOWN
    return not unread or bool(decline.title)


def summarise(
    refused: Refused, accepted: Accepted, payments: int, customers: int, unused_columns: tuple[str, ...]
) -> Summary:
    """The counts together."""
    return Summary(
        read=accepted.rows + refused.rows,
        accepted=accepted.rows,
        quarantined=refused.rows,
        reasons=refused.reasons,
        examples=refused.examples,
        payments=payments,
        customers=customers,
        outcomes=accepted.outcomes,
        unknown_codes=accepted.unknown_codes,
        without_code=accepted.without_code,
        first_at=accepted.first_at,
        last_at=accepted.last_at,
        unused_columns=unused_columns,
    )
