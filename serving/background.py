"""Work that goes on beside whatever else a coroutine does, until that ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger


@asynccontextmanager
async def beside(work: Coroutine[object, None, None], log: FilteringBoundLogger, name: str) -> AsyncIterator[None]:
    """Do the work while the block runs; what is not done by then is left.

    Work that ends before the block is told, and takes nothing else with it.

    Args:
        name: What is done, for the log.
    """
    task = asyncio.create_task(_watched(work, log, name))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))
        work.close()  # it may not have begun


async def again_and_again(
    turn: Callable[[], Awaitable[object]], pause: Callable[[], Awaitable[object]], log: FilteringBoundLogger, name: str
) -> None:
    """Do a turn of the work, pause, and again; a turn that fails is told, and the next one tries anew.

    Args:
        name: What is done, for the log.
    """
    while True:
        try:
            await turn()
        except Exception:
            log.exception("work failed", work=name)
        await pause()


async def _watched(work: Coroutine[object, None, None], log: FilteringBoundLogger, name: str) -> None:
    try:
        await work
    except Exception:
        log.exception("work ended", work=name)
    else:
        log.error("work ended", work=name)
