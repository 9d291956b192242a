"""A start makes little that goes away again, so Python's search for garbage waits until everything is loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """While the block runs nothing is collected; what is there at its end stays, and later collections pass it by."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
