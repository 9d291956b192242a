"""How many events each receiver may be sent now: a few each, in turn, so that a slow one is nobody else's trouble."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.events_out.queue import Receiver

MOST_AT_ONCE = 32
MOST_A_RECEIVER = 4
_FIRST_REST_S, _LONGEST_REST_S = 5.0, 60.0
_DOUBLINGS = 4


@dataclass(frozen=True, slots=True)
class _Rest:
    """A receiver's rest since it was last silent; after it, it is sent one event at a time until it answers."""

    times: int
    until: datetime


class Shares:
    """What a worker has on its way to whom, and what it may send next."""

    def __init__(self) -> None:
        self._on_their_way: Counter[Receiver] = Counter()
        self._rests: dict[Receiver, _Rest] = {}
        self._last: Receiver | None = None

    def of(self, due: Iterable[Receiver], now: datetime) -> Mapping[Receiver, int]:
        """How many events may be taken for which receivers: one for each in turn, and again while there is room."""
        rooms = {receiver: self._room(receiver, now) for receiver in self._in_turn(due)}
        shares: Counter[Receiver] = Counter()
        free = MOST_AT_ONCE - self._on_their_way.total()
        for _ in range(MOST_A_RECEIVER):
            for receiver, room in rooms.items():
                if free > 0 and shares[receiver] < room:
                    shares[receiver] += 1
                    free -= 1
                    self._last = receiver
        return +shares

    def begun(self, receiver: Receiver) -> None:
        """An event is on its way."""
        self._on_their_way[receiver] += 1

    def ended(self, receiver: Receiver, now: datetime, *, silent: bool) -> None:
        """It is not any more.

        Args:
            silent: The receiver gave no answer in time.
        """
        self._on_their_way[receiver] -= 1
        if not self._on_their_way[receiver]:
            del self._on_their_way[receiver]
        before = self._rests.get(receiver)
        if not silent:
            self._rests.pop(receiver, None)
        elif before is None or before.until <= now:  # several that were on their way together are silent once
            times = 1 if before is None else before.times + 1
            seconds = min(_FIRST_REST_S * 2.0 ** min(times - 1, _DOUBLINGS), _LONGEST_REST_S)
            self._rests[receiver] = _Rest(times, now + timedelta(seconds=seconds))

    def _in_turn(self, due: Iterable[Receiver]) -> list[Receiver]:
        """Beginning with whoever comes after the last one."""
        ordered, last = sorted(due), self._last
        if last is None:
            return ordered
        return [one for one in ordered if one > last] + [one for one in ordered if one <= last]

    def _room(self, receiver: Receiver, now: datetime) -> int:
        rest = self._rests.get(receiver)
        if rest is not None and rest.until > now:
            return 0
        return (MOST_A_RECEIVER if rest is None else 1) - self._on_their_way[receiver]
