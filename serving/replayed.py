"""A past decision out of an attempt history: the context as it stood after a failure, and what really happened next."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from features.attempt import Attempt
from features.context import Context
from features.errors import InvalidValueError
from features.history import SCHEMA
from features.history_rows import Row, attempt_of, method_of, payment_of
from features.vocabulary import FAILED, Outcome
from serving.contexts import DEFAULT_HORIZON
from serving.history_file import open_history

Route = tuple[str | None, ...]
_ROUTE = ("rail", "network", "issuer_country")


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision point of the past.

    Args:
        context: Everything known when the failure became known, and nothing later.
        next_attempt: The attempt that was really made next for this payment, or None.
        attempts_after: How many attempts of this payment were made after this point.
        recovered_at: When the payment was approved after this point, or None.
    """

    context: Context
    next_attempt: Attempt | None
    attempts_after: int
    recovered_at: datetime | None


def replayed(history: Path, payment_id: str, after: int, merchant_id: str | None = None) -> Replayed:
    """The decision point after the payment's n-th failure (1 is the first).

    Args:
        merchant_id: Whose payment; needed where several merchants have one of that id.

    Raises:
        InputError: The file is no attempt history, or cannot be read.
        InvalidValueError: No such payment, it is not said whose, or it did not fail that often.
    """
    data = _dataset(history)
    rows = _customer_rows(data, payment_id, merchant_id)
    own = [attempt for row in rows if (attempt := attempt_of(row)).payment_id == payment_id]
    failures = [attempt for attempt in own if attempt.outcome in FAILED]
    if not 1 <= after <= len(failures):
        times = f"1 to {len(failures)}; payment {payment_id} failed {len(failures)} times"
        raise InvalidValueError("--after", after, times if failures else "a payment that failed")
    as_of = failures[after - 1].known_at
    context = _context([row for row in rows if attempt_of(row).at <= as_of], payment_id, as_of, data)
    later = [attempt for attempt in own if attempt.at > as_of]
    recovered = next((attempt.known_at for attempt in later if attempt.outcome is Outcome.APPROVED), None)
    return Replayed(context, later[0] if later else None, len(later), recovered)


def _dataset(history: Path) -> ds.Dataset:
    open_history(history).close()
    return ds.dataset(history, format="parquet")


def _customer_rows(data: ds.Dataset, payment_id: str, merchant_id: str | None) -> list[Row]:
    """Every row of the customer who owes the payment, oldest first."""
    wanted = ds.field("payment_id") == payment_id
    if merchant_id is not None:
        wanted &= ds.field("merchant_id") == merchant_id
    owner = data.to_table(columns=["merchant_id", "customer_id"], filter=wanted)
    if owner.num_rows == 0:
        raise InvalidValueError("--payment", payment_id, "a payment_id of the history")
    merchants = sorted(owner["merchant_id"].unique().to_pylist())
    if len(merchants) > 1:
        expected = f"said whose it is, by --merchant: {' and '.join(merchants)} have one"
        raise InvalidValueError("--payment", payment_id, expected)
    merchant, customer = owner["merchant_id"][0], owner["customer_id"][0]
    theirs = (ds.field("merchant_id") == merchant) & (ds.field("customer_id") == customer)
    table = data.to_table(columns=SCHEMA.names, filter=theirs)
    ordered = table.sort_by([("attempted_at", "ascending"), ("attempt_id", "ascending")])
    return [Row(values) for values in ordered.to_pylist()]


def _context(rows: list[Row], payment_id: str, as_of: datetime, data: ds.Dataset) -> Context:
    """Everything the rows, all made by then, had told at `as_of`."""
    first = next(row for row in rows if row.text("payment_id") == payment_id)
    latest = {row.text("method_id"): row for row in rows}
    routes = _processors_by_route(data, first.text("merchant_id"), as_of)
    return Context(
        payment=payment_of(first, attempt_of(first).at, DEFAULT_HORIZON),
        methods=tuple(method_of(row, routes[_route(row)]) for row in latest.values()),
        attempts=tuple(_as_known(attempt_of(row), as_of) for row in rows),
        as_of=as_of,
        customer_since=first.maybe("customer_since", date),
    )


def _as_known(attempt: Attempt, as_of: datetime) -> Attempt:
    """The attempt as it was known then: an outcome of later is not known yet."""
    if attempt.known_at <= as_of:
        return attempt
    return replace(attempt, outcome=Outcome.UNKNOWN, decline=None, outcome_at=None)


def _route(row: Row) -> Route:
    return tuple(row.maybe(name, str) for name in _ROUTE)


def _processors_by_route(data: ds.Dataset, merchant_id: str, as_of: datetime) -> dict[Route, tuple[str, ...]]:
    """The merchant's processors up to then for each rail, network and issuer country, most used first."""
    instant = pa.scalar(as_of, type=SCHEMA.field("attempted_at").type)
    before = (ds.field("merchant_id") == merchant_id) & (ds.field("attempted_at") <= instant)
    names = [*_ROUTE, "processor"]
    counted = data.to_table(columns=names, filter=before).group_by(names).aggregate([([], "count_all")])
    found: dict[Route, list[str]] = {}
    for group in sorted(counted.to_pylist(), key=lambda g: (-g["count_all"], g["processor"])):
        found.setdefault(tuple(group[name] for name in _ROUTE), []).append(group["processor"])
    return {route: tuple(processors) for route, processors in found.items()}
