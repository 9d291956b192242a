"""What keeps the large requests of one merchant from the others: they are charged by their size and have turns.

A usual request is charged one token, when its key is let in, and waits for nobody here. The rest of a large one's cost
is taken once its size is known. One large request is worked on at a time in each worker, with all that belongs to it,
merchant by merchant (`Turns`); one whose turn does not come within half of its time is refused, as its key is where it
asks too often: to answer it by the simplest policy would still take a second of the processor.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)

from serving.errors import Kind, RequestError
from serving.schemas import DecisionRequest
from serving.service import Service
from serving.sizes import cost_of_request, is_large
from serving.tenancy.caller import Caller
from serving.trust.turns import NoTurnError, Turns

Charge = Callable[[str, int], None]
"""Takes so many tokens more from a key."""


def _free(key_id: str, cost: int) -> None:
    """No keys, no charge."""


class Fairness:
    """The turns of one worker's large requests.

    Args:
        charge: Takes tokens from a key.
    """

    def __init__(self, charge: Charge = _free) -> None:
        self._charge = charge
        self._turns = Turns()

    def turn(self, asked: DecisionRequest, caller: Caller, service: Service) -> AbstractAsyncContextManager[None]:
        """The time in which a request may be worked on; it is charged for.

        Raises:
            RequestError: Its turn did not come in time.
        """
        large = self._charged(asked, caller)
        return self._meanwhile(asked, service) if large else nullcontext()

    def turn_here(self, asked: DecisionRequest, caller: Caller, service: Service) -> AbstractContextManager[None]:
        """The same in the thread of whoever asks.

        Raises:
            RequestError: As for `turn`.
        """
        large = self._charged(asked, caller)
        return self._here(asked, service) if large else nullcontext()

    def _charged(self, asked: DecisionRequest, caller: Caller) -> bool:
        """Whether it is a large one."""
        cost = cost_of_request(asked)
        if cost > 1 and caller.key_id is not None:
            self._charge(caller.key_id, cost - 1)
        return is_large(cost)

    @asynccontextmanager
    async def _meanwhile(self, asked: DecisionRequest, service: Service) -> AsyncIterator[None]:
        try:
            async with self._turns.taken_meanwhile(asked.payment.merchant_id, service.half_of_its_time):
                yield
        except NoTurnError:
            raise _busy() from None

    @contextmanager
    def _here(self, asked: DecisionRequest, service: Service) -> Iterator[None]:
        try:
            with self._turns.taken(asked.payment.merchant_id, service.half_of_its_time):
                yield
        except NoTurnError:
            raise _busy() from None


def _busy() -> RequestError:
    detail = "Other large requests are worked on, and the turn of this one did not come in its time; try again"
    return RequestError(Kind.TOO_MANY, detail, retry_after_s=1)
