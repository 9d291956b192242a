"""Nothing is collected while a service starts, and memory is shared by its threads."""

import ctypes
import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from serving.starting import collecting_nothing

_FROZEN = """
import gc
from serving.starting import collecting_nothing
with collecting_nothing():
    kept = [[] for _ in range(20_000)]
    inside = gc.isenabled(), gc.get_count()[0]
print(inside[0], inside[1] >= 20_000, gc.isenabled(), gc.get_freeze_count() >= 20_000)
"""


_ARENAS = """
import ctypes, sys, threading
from serving.starting import share_one_arena
if sys.argv[1] == "shared":
    share_one_arena()
library, together = ctypes.CDLL(None), threading.Barrier(8)
library.malloc.restype = ctypes.c_void_p

def take():
    together.wait()
    assert library.malloc(ctypes.c_size_t(10_000))
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.fopen.restype = ctypes.c_void_p
told = ctypes.c_void_p(library.fopen(sys.argv[2].encode(), b"w"))
library.malloc_info(0, told)
library.fclose(told)
"""


def test_what_a_start_makes_is_neither_searched_then_nor_later() -> None:
    ran = subprocess.run([sys.executable, "-c", _FROZEN], capture_output=True, check=True, text=True)
    assert ran.stdout.split() == ["False", "True", "True", "True"]


class _Ring:
    """Refers to itself, so that only the collector takes it away."""

    def __init__(self) -> None:
        self.ring = self


def test_what_is_made_afterwards_is_collected_as_before_also_if_the_start_fails() -> None:
    was = gc.isenabled()
    with pytest.raises(StopIteration), collecting_nothing():
        next(iter(()))
    assert gc.isenabled() is was
    gone = weakref.ref(_Ring())
    gc.collect()
    assert gone() is None
    gc.unfreeze()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only the GNU C library has arenas")
def test_threads_take_their_memory_from_one_place_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    def arenas(asked: str, **settings: str) -> int:
        told = tmp_path / "told.xml"
        own = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        subprocess.run([sys.executable, "-c", _ARENAS, asked, str(told)], env=own | settings, check=True)
        return told.read_text().count("<heap nr=")

    assert arenas("as they are") > 1
    assert arenas("shared") == 1
    assert arenas("shared", MALLOC_ARENA_MAX="3") == 3
