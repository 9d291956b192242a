"""Ends holds and forgets kept answers and decisions whose time is over, minute by minute."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from serving.background import again_and_again, beside
from serving.errors import RequestError
from serving.ledger.answered import forget
from serving.ledger.decisions import forget_decisions
from serving.ledger_access import LedgerAccess

EVERY_SECONDS = 60.0
KEPT_FOR = timedelta(days=400)
# A minute's share of old decisions, so that many of them at once are nobody's burden.
_FORGOTTEN_A_MINUTE = 20_000
_NAME = "ending holds"


@asynccontextmanager
async def expiring(
    access: LedgerAccess, log: FilteringBoundLogger, clock: Callable[[], datetime], kept_for: timedelta = KEPT_FOR
) -> AsyncIterator[None]:
    """End what is over every minute while the block runs; without a ledger there is nothing to end.

    Args:
        kept_for: How long decisions are kept.
    """
    if access.ledger is None:
        yield
        return
    turns = expire_again_and_again(access, log, clock, lambda: asyncio.sleep(EVERY_SECONDS), kept_for)
    async with beside(turns, log, _NAME):
        yield


async def expire_again_and_again(
    access: LedgerAccess,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
    pause: Callable[[], Awaitable[None]],
    kept_for: timedelta = KEPT_FOR,
) -> None:
    """End what is over, pause, and again; a failure is logged and the next turn tries anew.

    Holds count no longer once their time is over, whether this has run or not.
    """

    async def turn() -> None:
        try:
            ended = await access.ask(lambda ledger: ledger.expire(clock()))
            forgotten = await access.ask(lambda ledger: forget(ledger.store, clock()))
            decisions = await access.ask(
                lambda ledger: forget_decisions(ledger.store, clock() - kept_for, _FORGOTTEN_A_MINUTE)
            )
        except RequestError as error:
            log.warning("holds were not ended", reason=str(error))
        else:
            if ended:
                log.info("holds ended", holds=ended)
            if forgotten:
                log.info("answers forgotten", answers=forgotten)
            if decisions:
                log.info("decisions forgotten", decisions=decisions)

    await again_and_again(turn, pause, log, _NAME)
