"""Reads again, minute by minute, what was kept and not read, and what waits for its attempt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from features.errors import InputError
from features.instants import to_micros
from serving.background import again_and_again, beside
from serving.errors import RequestError
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.webhooks import deliveries
from serving.webhooks.deliveries import Reading, State
from serving.webhooks.endpoints import Endpoints
from serving.webhooks.reading import read

EVERY_SECONDS = 60.0
MOST_A_TURN = 500
_NAME = "reading webhooks again"


def read_due(ledger: Ledger, endpoints: Endpoints, now: datetime, most: int = MOST_A_TURN) -> tuple[Reading, ...]:
    """Read what is due.

    Raises:
        InputError: The ledger cannot be reached.
    """
    due = deliveries.due(ledger.store, to_micros(now), most)
    return tuple(read(ledger, one, endpoints.first(one.source, one.merchant_id), now) for one in due)


def read_failed(ledger: Ledger, endpoints: Endpoints, now: datetime) -> tuple[Reading, ...]:
    """Read every delivery that failed, and all that is not settled whenever it is due, once more.

    Raises:
        InputError: The ledger cannot be reached.
    """
    return tuple(
        read(ledger, one, endpoints.first(one.source, one.merchant_id), now)
        for state in (State.STORED, State.WAITING, State.FAILED)
        for one in deliveries.standing_in(ledger.store, state, to_micros(now))
    )


@asynccontextmanager
async def retrying(
    access: LedgerAccess, endpoints: Endpoints, log: FilteringBoundLogger, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Read again every minute while the block runs, where webhooks are set up."""
    if access.ledger is None or not endpoints.all:
        yield
        return
    pause = lambda: asyncio.sleep(EVERY_SECONDS)  # noqa: E731 - one line of waiting
    async with beside(read_again_and_again(access, endpoints, log, clock, pause), log, _NAME):
        yield


async def read_again_and_again(
    access: LedgerAccess,
    endpoints: Endpoints,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
    pause: Callable[[], Awaitable[None]],
) -> None:
    """Read what is due, pause, and again; a failure is logged and the next turn tries anew."""

    async def turn() -> None:
        try:
            done = await access.ask(lambda ledger: read_due(ledger, endpoints, clock()))
        except (RequestError, InputError) as error:
            log.warning("webhooks were not read again", reason=str(error))
        else:
            if done:
                settled = sum(one.state is State.APPLIED for one in done)
                log.info("webhooks read again", deliveries=len(done), applied=settled)

    await again_and_again(turn, pause, log, _NAME)
