"""Ends holds and forgets kept answers whose time is over, minute by minute."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from serving.errors import RequestError
from serving.ledger.answered import forget
from serving.ledger_access import LedgerAccess

EVERY_SECONDS = 60.0


@asynccontextmanager
async def expiring(
    access: LedgerAccess, log: FilteringBoundLogger, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """End what is over every minute while the block runs; without a ledger there is nothing to end."""
    if access.ledger is None:
        yield
        return
    task = asyncio.create_task(expire_again_and_again(access, log, clock, lambda: asyncio.sleep(EVERY_SECONDS)))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def expire_again_and_again(
    access: LedgerAccess,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
    pause: Callable[[], Awaitable[None]],
) -> None:
    """End what is over, pause, and again; a failure is logged and the next turn tries anew.

    Holds count no longer once their time is over, whether this has run or not.
    """
    while True:
        try:
            ended = await access.ask(lambda ledger: ledger.expire(clock()))
            forgotten = await access.ask(lambda ledger: forget(ledger.store, clock()))
        except RequestError as error:
            log.warning("holds were not ended", reason=str(error))
        else:
            if ended:
                log.info("holds ended", holds=ended)
            if forgotten:
                log.info("answers forgotten", answers=forgotten)
        await pause()
