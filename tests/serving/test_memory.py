"""Threads share one place to take memory from, and what is free there goes back to the system."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only the GNU C library has arenas and trims them"
)

_ARENAS = """
import ctypes, sys, threading
from serving.memory import share_one_arena
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

# Pieces too small for pages of their own are given back, all but a few that lie between them and at their end.
_PEAK = """
import asyncio, ctypes
from pathlib import Path
from serving.logs import service_log
from serving.memory import giving_back, share_one_arena
share_one_arena()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p

def resident_mib():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024

async def peaked():
    told = [resident_mib()]
    taken = [library.malloc(ctypes.c_size_t(20_000)) for _ in range(2_500)]
    for piece in taken:
        ctypes.memset(ctypes.c_void_p(piece), 1, 20_000)
    told.append(resident_mib())
    for number, piece in enumerate(taken):
        if number % 100 != 99:
            library.free(ctypes.c_void_p(piece))
    told.append(resident_mib())
    async with giving_back(service_log("json"), seconds=0.01):
        await asyncio.sleep(1)
    return [*told, resident_mib()]

print(*asyncio.run(peaked()))
"""


def test_threads_take_their_memory_from_one_place_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    def arenas(asked: str, **settings: str) -> int:
        told = tmp_path / "told.xml"
        own = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        subprocess.run([sys.executable, "-c", _ARENAS, asked, str(told)], env=own | settings, check=True)
        return told.read_text().count("<heap nr=")

    assert arenas("as they are") > 1
    assert arenas("shared") == 1
    assert arenas("shared", MALLOC_ARENA_MAX="3") == 3


def test_a_peak_is_not_kept_for_good() -> None:
    ran = subprocess.run([sys.executable, "-c", _PEAK], capture_output=True, check=True, text=True)
    before, peak, freed, given_back = map(float, ran.stdout.split())
    assert peak - before > 40
    assert freed - before > 40
    assert given_back - before < 10
