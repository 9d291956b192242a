"""Decision points of an attempt history: every failed payment at its first failure, every retry when it was decided.

Each context holds what the file had told of its customer by then, and nothing later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.attempt import Attempt
from features.context import Context
from features.history import SCHEMA
from features.history_rows import Row, attempt_of, method_of, payment_of
from features.instants import MICROS_PER_DAY, MICROSECOND, from_micros, to_micros
from features.time_zones import local_day, local_micros, offset_micros, zone_name
from features.vocabulary import FAILED, Initiator, Outcome

_ROUTE = ("rail", "network", "issuer_country")
Route = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class LoggedRetry:
    """One retry of the log with what was known when it was decided.

    Args:
        context: Cut where the outcome of the attempt before became known.
        policy: Which policy chose it; None where the log does not say.
        propensity: Probability with which it did; None where the log does not say.
        gave_up: The log made no further retry though it could have: `context` is after the last one, `attempt` is that
            last one, and no probability of stopping is known.
    """

    context: Context
    attempt: Attempt
    policy: str | None
    propensity: float | None
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """One row of the file, read once."""

    row: Row
    attempt: Attempt


class HistoryContexts:
    """The decision points of a history.

    Args:
        history: Attempts in the format of `features.history`; optional columns may be missing.
        recover_within_days: Payments may be retried until the end of that local day after the first attempt.
        everyone: Read customers too of whom no attempt failed; only `attempts` needs them.
    """

    def __init__(self, history: pa.Table, recover_within_days: int, *, everyone: bool = False) -> None:
        self._days = recover_within_days
        self._seen = _processors_first_seen(history)
        self._customers = _rows_by_customer(_whole(history), everyone=everyone)

    def failures(self) -> Iterator[Context]:
        """Each payment whose first attempt failed, when that became known; by customer, then time."""
        for told in self._customers:
            for own in _by_payment(told):
                if own[0].attempt.outcome in FAILED:
                    yield self._context(told, own[0], own[0].attempt.known_at)

    def retries(self, *, ends: bool = False) -> Iterator[LoggedRetry]:
        """Each retry of such a payment that the merchant made after a failure; by customer, payment and time.

        One that was made before the answer of an attempt before it was known was no decision upon it, and is none here
        (decision 0004); at the very instant of the answer the context would hold the retry itself.

        Args:
            ends: Tell too where the log gave up a retried payment that nobody had paid, before its horizon.
        """
        for told in self._customers:
            for own in _by_payment(told):
                known, last = own[0].attempt.known_at, None
                for one in own[1:]:
                    decided = known < one.attempt.at and one.attempt.initiator is not Initiator.CUSTOMER
                    if own[0].attempt.outcome in FAILED and decided:
                        context = self._context(told, own[0], known, with_method_of=one)
                        yield LoggedRetry(
                            context, one.attempt, one.row.maybe("policy", str), one.row.maybe("propensity", float)
                        )
                        last = one
                    known = max(known, one.attempt.known_at)
                if ends and last is not None and all(one.attempt.outcome in FAILED for one in own):
                    context = self._context(told, own[0], known)
                    if context.as_of < context.payment.recover_by:
                        yield LoggedRetry(context, last.attempt, None, 1.0, gave_up=True)

    def attempts(self) -> Iterator[LoggedRetry]:
        """Every attempt, first ones too, with what was known the instant before it."""
        for told in self._customers:
            for own in _by_payment(told):
                for one in own:
                    context = self._context(told, own[0], one.attempt.at - MICROSECOND, with_method_of=one)
                    yield LoggedRetry(
                        context, one.attempt, one.row.maybe("policy", str), one.row.maybe("propensity", float)
                    )

    def _context(
        self, told: Sequence[_Told], first: _Told, as_of: datetime, with_method_of: _Told | None = None
    ) -> Context:
        """The context at an instant; a retry's own method was on file when it was decided, used before or not."""
        made = [one for one in told if one.attempt.at <= as_of]
        latest = {one.attempt.method_id: one.row for one in made}
        if with_method_of is not None:
            latest.setdefault(with_method_of.attempt.method_id, with_method_of.row)
        payment = payment_of(first.row, first.attempt.at, timedelta(days=self._days))
        zone = zone_name(first.row.maybe("issuer_time_zone", str), first.row.maybe("issuer_country", str))
        return Context(
            payment=replace(payment, recover_by=end_of_local_day(zone, first.attempt.at, self._days)),
            methods=tuple(method_of(row, self._processors(row, as_of)) for row in latest.values()),
            attempts=tuple(_as_known(one.attempt, as_of) for one in made),
            as_of=as_of,
            customer_since=first.row.maybe("customer_since", date),
        )

    def _processors(self, row: Row, as_of: datetime) -> tuple[str, ...]:
        """Those that carried this route by then, in the order first used."""
        return tuple(name for name, since in self._seen.get(_route(row), ()) if since <= as_of)


def end_of_local_day(zone: str, at: datetime, days: int) -> datetime:
    """The midnight that ends the local day so many days after the local day of an instant."""
    here = np.array([to_micros(at)], dtype=np.int64)
    midnight = (local_day(local_micros(zone, here)) + days + 1) * MICROS_PER_DAY
    guess = midnight - offset_micros(zone, here)
    return from_micros(int((midnight - offset_micros(zone, guess))[0]))


def _whole(history: pa.Table) -> pa.Table:
    """The table with every column of the format, nulls where it had none, by customer and time."""
    for field in SCHEMA:
        if field.name not in history.column_names:
            history = history.append_column(field, pa.nulls(len(history), field.type))
    keys = [(name, "ascending") for name in ("merchant_id", "customer_id", "attempted_at", "attempt_id")]
    return history.select(SCHEMA.names).sort_by(keys)


def _rows_by_customer(history: pa.Table, *, everyone: bool) -> list[list[_Told]]:
    if not everyone:
        failed = history.filter(pc.is_in(history["outcome"], pa.array([str(outcome) for outcome in FAILED])))
        history = history.filter(pc.is_in(history["customer_id"], pc.unique(failed["customer_id"])))
    rows = history.to_pylist()
    told = [_Told(row, attempt_of(row)) for row in map(Row, rows)]
    return [list(group) for _, group in groupby(told, _owner)]


def _owner(told: _Told) -> tuple[str, str]:
    return told.row.text("merchant_id"), told.row.text("customer_id")


def _by_payment(told: Sequence[_Told]) -> list[list[_Told]]:
    found: dict[str, list[_Told]] = {}
    for one in told:
        found.setdefault(one.attempt.payment_id, []).append(one)
    return list(found.values())


def _as_known(attempt: Attempt, as_of: datetime) -> Attempt:
    if attempt.known_at <= as_of:
        return attempt
    return replace(attempt, outcome=Outcome.UNKNOWN, decline=None, outcome_at=None)


def _route(row: Row) -> Route:
    return tuple(row.maybe(name, str) for name in _ROUTE)


def _processors_first_seen(history: pa.Table) -> dict[Route, list[tuple[str, datetime]]]:
    names = [name for name in (*_ROUTE, "processor") if name in history.column_names]
    first = history.group_by(names).aggregate([("attempted_at", "min")]).to_pylist()
    found: dict[Route, list[tuple[str, datetime]]] = {}
    for group in sorted(first, key=lambda g: (g["attempted_at_min"], g["processor"])):
        route = tuple(group.get(name) for name in _ROUTE)
        found.setdefault(route, []).append((group["processor"], group["attempted_at_min"]))
    return found
