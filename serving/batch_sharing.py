"""Lots of one batch, done here and by the neighbours at once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from structlog.typing import FilteringBoundLogger

from serving.batch_entries import Answering
from serving.errors import Kind, RequestError
from serving.fairness import Fairness
from serving.ledger_access import LedgerAccess
from serving.neighbours import LostError, Lot, Neighbour, Neighbours
from serving.trust.current import Current

_LOST = RequestError(Kind.INTERNAL, "The worker that this entry was given to has ended; what became of it is not known")


class Sharing:
    """Who does the lots of one call: this worker, and each of its neighbours that can be reached, a lot at a time."""

    def __init__(self, answering: Answering, neighbours: Sequence[Neighbour]) -> None:
        self._answering = answering
        self._free: list[Neighbour | None] = [*neighbours, None]
        self.at_once = len(self._free)

    @staticmethod
    async def begun(answering: Answering, neighbours: Neighbours) -> "Sharing":
        """With the neighbours that are there now."""
        return Sharing(answering, await answering.access.in_thread(neighbours.reached))

    async def answer(self, first: int, entries: Sequence[bytes]) -> list[bytes]:
        """The answer to each entry, from whoever has nothing else to do; no more lots at once than `at_once`."""
        place = self._free.pop()
        try:
            if place is not None:
                lot = Lot(self._answering.caller, first, tuple(entries))
                found = await self._answering.access.in_thread(partial(place.answers, lot))
                if found is not None:
                    return found
                place = None  # it has left: its part is done here
            return await self._answering.answer(first, entries)
        except LostError:
            place = None
            return self._refused(_LOST, first, entries)
        except RequestError as refusal:  # the ledger takes too long for this worker's part
            return self._refused(refusal, first, entries)
        finally:
            self._free.append(place)

    def _refused(self, refusal: RequestError, first: int, entries: Sequence[bytes]) -> list[bytes]:
        return [self._answering.refused(first + number, refusal) for number in range(len(entries))]

    def close(self) -> None:
        """Let go of the neighbours; of one that works on a lot once it has ended, as nobody holds it any longer."""
        for one in self._free:
            if one is not None:
                one.close()


def for_neighbours(
    current: Current,
    access: LedgerAccess,
    clock: Callable[[], datetime],
    log: FilteringBoundLogger,
    fairness: Fairness,
) -> Callable[[Lot], list[bytes]]:
    """What does the lots that neighbours give to this worker."""
    return lambda lot: Answering(lot.caller, current, access, clock, log, fairness).answers(lot.first, lot.entries)
