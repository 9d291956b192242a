"""Work that goes on beside whatever else a coroutine does, until that ends."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def beside(work: Coroutine[object, None, None]) -> AsyncIterator[None]:
    """Do the work while the block runs; what is not done by then is left."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
