"""Ends the recoveries whose time is over every few seconds, whatever becomes of the events that are sent meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from serving.background import again_and_again, beside
from serving.errors import RequestError
from serving.events_out.targets import Targets
from serving.ledger.recoveries import lapse
from serving.ledger_access import LedgerAccess

EVERY_SECONDS = 2.0
_MOST_A_TURN = 200
_NAME = "ending recoveries"


@asynccontextmanager
async def lapsing(
    access: LedgerAccess, targets: Targets, log: FilteringBoundLogger, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """End recoveries while the block runs, where targets are set up to be told."""
    if access.ledger is None or not targets.all:
        yield
        return

    async def turn() -> None:
        try:
            await access.ask(lambda ledger: lapse(ledger.store, ledger.outbox, clock(), _MOST_A_TURN))
        except RequestError as error:
            log.warning("recoveries were not ended", reason=str(error))

    async with beside(again_and_again(turn, lambda: asyncio.sleep(EVERY_SECONDS), log, _NAME), log, _NAME):
        yield
