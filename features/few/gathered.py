"""Contexts and the retries proposed in them as arrays for a loop: what a table of attempts is for columns.

Contexts that are asked about together mostly differ in a few imagined attempts: the same attempts, methods and
payment stand in many of them, and each is read once.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.columns.arithmetic import log_amount
from features.context import Context
from features.encoders import Encoders
from features.few.arrays import Contexts, Gathered, Slots
from features.few.reading import Reading, columns_of
from features.instants import to_micros
from features.proposed import Proposed
from features.supposed import Supposed
from features.table import Asked

Int64s = NDArray[np.int64]

_LATEST = 16  # payments


class Gatherer:
    """Makes arrays of contexts, with the codes of one model's vocabularies."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._latest: dict[int, tuple[Context, Reading]] = {}

    def __call__(self, asked: Sequence[Asked | Supposed]) -> Gathered:
        """The arrays of some contexts and the retries proposed in them, at least one."""
        about = [one.by.context if isinstance(one, Supposed) else one[0] for one in asked]
        if any(context is not about[0] for context in about):
            return _gathered(Reading(self._encoders), asked)
        return _gathered(self._of_one(about[0]), asked)

    def _of_one(self, context: Context) -> Reading:
        """What was read of a payment when it was asked about last: a decision asks a few times over."""
        known = self._latest.get(id(context))
        if known is None:
            if len(self._latest) >= _LATEST:
                self._latest = {}
            # The context is kept with it, so that no other can have its id meanwhile.
            known = self._latest[id(context)] = context, Reading(self._encoders)
        return known[1]


class _Block(NamedTuple):
    """What one entry of a question is made of.

    Args:
        owed: Of the payment, see `Reading.owed`.
        decided: When each of its contexts is decided, microseconds.
        event, events: The contexts' attempts, one context after another, and how many each has.
        at, route, rows: The slots asked about and their routes, and how many each context has.
    """

    owed: tuple[float, ...]
    decided: Int64s
    event: Int64s
    events: Int64s
    at: Int64s
    route: Int64s
    rows: Int64s


def _gathered(reading: Reading, asked: Sequence[Asked | Supposed]) -> Gathered:
    blocks = [_supposed(reading, one) if isinstance(one, Supposed) else _stated(reading, *one) for one in asked]
    owed, *columns = zip(*blocks, strict=True)
    decided, event, events, at, route, rows = (np.concatenate(column) for column in columns)
    each = np.repeat(np.array(owed), [block.decided.size for block in blocks], axis=0)
    payment, currency, informed, day_only, amount, since_day = columns_of(each, 6)
    contexts = Contexts(
        decided=decided, payment=payment.astype(np.int64), currency=currency.astype(np.int64),
        amount=log_amount(amount), since_day=since_day, informed=informed > 0, day_only=day_only > 0,
        events=_ends(events), rows=_ends(rows),
    )  # fmt: skip
    methods = reading.all_methods()
    return Gathered(
        contexts,
        reading.all_attempts(event, methods),
        methods,
        reading.all_routes(),
        Slots(at, route),
        reading.calendar(at),
        reading.payments,
    )


def _stated(reading: Reading, context: Context, retries: Sequence[Retry]) -> _Block:
    """A context as it is."""
    proposed, wallet = Proposed.of(retries), reading.wallet(context)
    event = np.array(reading.events(wallet, context.attempts), dtype=np.int64)
    route = reading.routed(wallet, proposed.routes)[proposed.route]
    decided, events, rows = (
        np.array([number], dtype=np.int64) for number in (to_micros(context.as_of), event.size, len(proposed))
    )
    return _Block(reading.owed(context), decided, event, events, proposed.start, route, rows)


def _supposed(reading: Reading, one: Supposed) -> _Block:
    """A payment after declines that have not happened."""
    from features.few.kernels import lay_out  # loads the compiler

    context, moves, common = one.by.context, one.by.moves, reading.common(one.by)
    counts = np.array([len(declined) for declined in one.declined], dtype=np.int64)
    declined = np.fromiter(chain.from_iterable(one.declined), dtype=np.int64, count=int(counts.sum()))
    event, decided = lay_out(common.events, declined, counts, common.first, common.known_at, common.as_of)
    route = reading.routed(reading.wallet(context), moves.routes)[moves.route[one.asked]]
    rows = np.array(one.sizes, dtype=np.int64)
    return _Block(
        reading.owed(context), decided, event, counts + common.events.size, moves.start[one.asked], route, rows
    )


def _ends(counts: Int64s) -> Int64s:
    """Where each begins, and the end of the last."""
    return np.concatenate([_ZERO, np.cumsum(counts)])


_ZERO = np.zeros(1, dtype=np.int64)
