"""What a start asks of Python and of libraries, before and while everything is loaded."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.metrics_folder import MULTIPROCESS, shared_folder

THREADS_OF_NUMBERS = "OMP_NUM_THREADS"
"""The variable by which LightGBM's OpenMP and NumPy's OpenBLAS know how many threads to begin."""


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
