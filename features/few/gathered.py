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
from features.context import Context
from features.encoders import Encoders
from features.few.arrays import Contexts, Gathered, Slots
from features.few.reading import Reading
from features.proposed import Proposed
from features.supposed import Supposed
from features.table import Asked

Int64s = NDArray[np.int64]

_LATEST = 16  # payments
_MOST_SUPPOSED = 8  # a decision makes two or three sets of moves


class Gatherer:
    """Makes arrays of contexts, with the codes of one model's vocabularies; any number of threads may use it."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._latest: dict[int, tuple[Context, Reading]] = {}

    def __call__(self, asked: Sequence[Asked | Supposed]) -> Gathered:
        """The arrays of some contexts and the retries proposed in them, at least one in each."""
        about = [one.by.context if isinstance(one, Supposed) else one[0] for one in asked]
        if any(context is not about[0] for context in about):
            return _gathered(Reading(self._encoders), asked)
        reading = self._taken(about[0])
        gathered = _gathered(reading, asked)
        self._put_back(about[0], reading)
        return gathered

    def _taken(self, context: Context) -> Reading:
        """What was read of a payment when it was asked about last: a decision asks a few times over.

        A reading numbers what it meets, so it has one user at a time: it is taken away, and whoever asks about the same
        payment meanwhile begins a new one. One that ended in an error is not put back, for it may be half-made.
        """
        known = self._latest.pop(id(context), None)
        return Reading(self._encoders) if known is None or known[1].supposed >= _MOST_SUPPOSED else known[1]

    def _put_back(self, context: Context, reading: Reading) -> None:
        if len(self._latest) >= _LATEST:
            self._latest = {}
        # The context is kept with it, so that no other can have its id meanwhile.
        self._latest[id(context)] = context, reading


class _Block(NamedTuple):
    """What one entry of a question is made of.

    Args:
        payment: Its place.
        declined, declines: The declines supposed, one context after another, and how many in each.
        at, route, rows: The slots asked about and their routes, and how many each context has.
        ends: Instants between which all slots begin, microseconds.
    """

    payment: int
    declined: Int64s
    declines: Int64s
    at: Int64s
    route: Int64s
    rows: Int64s
    ends: tuple[int, int]


def _gathered(reading: Reading, asked: Sequence[Asked | Supposed]) -> Gathered:
    blocks = [_supposed(reading, one) if isinstance(one, Supposed) else _stated(reading, *one) for one in asked]
    places, *columns, ends = zip(*blocks, strict=True)
    declined, declines, at, route, rows = map(_joined, columns)
    payment = np.repeat(np.array(places, dtype=np.int64), [block.declines.size for block in blocks])
    clocks, days = reading.calendar(min(low for low, _ in ends), max(high for _, high in ends))
    return Gathered(
        reading.payments(),
        Contexts(payment, declined, declines, rows),
        reading.attempts(),
        reading.methods(),
        reading.routes(),
        Slots(at, route),
        clocks,
        days,
        reading.numbers,
    )


def _joined(parts: Sequence[Int64s]) -> Int64s:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _stated(reading: Reading, context: Context, retries: Sequence[Retry]) -> _Block:
    """A context as it is."""
    proposed, payment = Proposed.of(retries), reading.payment(context)
    route = reading.routed(reading.wallet(context), proposed.routes)[proposed.route]
    ends = int(proposed.start.min()), int(proposed.start.max())
    return _Block(payment, _NOTHING, _NONE, proposed.start, route, np.array([len(proposed)], dtype=np.int64), ends)


def _supposed(reading: Reading, one: Supposed) -> _Block:
    """A payment after declines that have not happened."""
    common = reading.common(one.by)
    declines = np.fromiter(map(len, one.declined), dtype=np.int64, count=len(one.declined))
    declined = np.fromiter(chain.from_iterable(one.declined), dtype=np.int64)
    declined += common.first
    at, rows = one.by.moves.start[one.asked], np.array(one.sizes, dtype=np.int64)
    return _Block(common.payment, declined, declines, at, common.route[one.asked], rows, common.ends)


_NOTHING = np.empty(0, dtype=np.int64)
_NONE = np.zeros(1, dtype=np.int64)
