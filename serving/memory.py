"""Memory of a process that runs for months: its threads share it, and what is free goes back to the system.

Both are functions of the GNU C library; with others nothing is done.
"""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from serving.background import again_and_again, beside

EVERY_SECONDS = 10.0

_ARENAS, _ARENAS_MAX = "MALLOC_ARENA_MAX", -8  # the variable, and its number in malloc.h


def share_one_arena() -> None:
    """Have all threads take their memory from one place, so that what one gives back another can use.

    Each would otherwise have a place of its own, up to eight a core, that grows to the most that was ever needed there.
    Where the environment says how many, that stays.
    """
    choose = _function("mallopt")
    if choose is not None and _ARENAS not in os.environ:
        choose(_ARENAS_MAX, 1)


def give_back() -> None:
    """Give pages that hold nothing any more back to the system; it takes some 0.1 ms."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


@asynccontextmanager
async def giving_back(log: FilteringBoundLogger, seconds: float = EVERY_SECONDS) -> AsyncIterator[None]:
    """Do so again and again while the block runs, so that a rare peak is not kept for good."""

    async def turn() -> None:
        give_back()

    name = "giving memory back"
    async with beside(again_and_again(turn, lambda: asyncio.sleep(seconds), log, name), log, name):
        yield


def _function(name: str) -> Callable[..., int] | None:
    """A function of the C library that the process runs with, where it has it."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
