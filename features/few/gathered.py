"""Contexts and the retries proposed in them as arrays for a loop: what a table of attempts is for columns.

Contexts that are asked about together mostly differ in a few imagined attempts: the same attempts, methods and
payment stand in many of them, and each is read once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.context import Context
from features.encoders import Encoders
from features.few.arrays import Contexts, Gathered, Slots
from features.few.reading import Reading, columns_of, log10
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


def _gathered(reading: Reading, asked: Sequence[Asked | Supposed]) -> Gathered:
    decided: list[int] = []
    owed: list[tuple[float, ...]] = []
    event: list[int] = []
    at: list[Int64s] = []
    route: list[Int64s] = []
    events, sizes, times = [0], [0], []
    for one in asked:
        before = len(decided)
        if isinstance(one, Supposed):
            context, wallet, moves = one.by.context, reading.wallet(one.by.context), one.by.moves
            common = reading.common(one.by)
            for declined in one.declined:
                event += common.events
                event += [common.first - place for place in declined]
                events.append(len(event))
                decided.append(max([common.as_of, *[common.known_at[place] for place in declined]]))
            at.append(moves.start[one.asked])
            route.append(reading.routed(wallet, moves.routes)[moves.route[one.asked]])
            sizes += one.sizes
        else:
            context, retries = one[0], Proposed.of(one[1])
            wallet = reading.wallet(context)
            event += reading.events(wallet, context.attempts)
            events.append(len(event))
            decided.append(to_micros(context.as_of))
            at.append(retries.start)
            route.append(reading.routed(wallet, retries.routes)[retries.route])
            sizes.append(len(retries))
        owed.append(reading.owed(context))
        times.append(len(decided) - before)
    payment, currency, informed, day_only, amount, since_day = columns_of(np.repeat(np.array(owed), times, axis=0), 6)
    contexts = Contexts(
        decided=np.array(decided, dtype=np.int64), payment=payment.astype(np.int64),
        currency=currency.astype(np.int64), amount=log10(amount), since_day=since_day, informed=informed > 0,
        day_only=day_only > 0, events=np.array(events, dtype=np.int64),
        rows=np.cumsum(np.array(sizes, dtype=np.int64)),
    )  # fmt: skip
    proposed = Slots(np.concatenate(at), np.concatenate(route))
    methods = reading.all_methods()
    return Gathered(
        contexts,
        reading.all_attempts(event, methods),
        methods,
        reading.all_routes(),
        proposed,
        reading.calendar(proposed.at),
        reading.payments,
    )
