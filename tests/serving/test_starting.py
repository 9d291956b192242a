"""Nothing is collected while a service starts, and the collector goes on as before afterwards."""

import gc
import subprocess
import sys
import weakref

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
