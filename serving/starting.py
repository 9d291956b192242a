"""What a start asks of Python, of the C library and of other libraries, before and while everything is loaded."""

import ctypes
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.metrics_folder import MULTIPROCESS, shared_folder

THREADS_OF_NUMBERS = "OMP_NUM_THREADS"
"""The variable by which LightGBM's OpenMP and NumPy's OpenBLAS know how many threads to begin."""

_ARENAS, _ARENAS_MAX = "MALLOC_ARENA_MAX", -8  # the variable, and its number in malloc.h of the GNU C library


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """While the block runs nothing is collected; what is there at its end stays, and later collections pass it by.

    A start makes little that goes away again.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def expect_workers(home: Path) -> None:
    """Tell libraries that there will be several workers, before they are loaded.

    They keep their counts together, and whoever forks them has begun no threads, which a fork leaves behind.

    Raises:
        InputError: The folder for their counts cannot be made.
    """
    os.environ[THREADS_OF_NUMBERS] = "1"
    os.environ.setdefault(MULTIPROCESS, str(shared_folder(home)))


def share_one_arena() -> None:
    """Have all threads take their memory from one place, so that what one gives back another can use.

    The GNU C library gives each thread a place of its own, up to eight a core, each of which grows to the most that was
    ever needed there. Others have no such places. Where the environment says how many, that stays.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None and _ARENAS not in os.environ:
        choose(_ARENAS_MAX, 1)
