"""Functions compiled by Numba when they are first called, and then kept on disk."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled without the interpreter's lock and without liberties in arithmetic."""
    try:
        made: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to keep the compiled code: every process makes it anew
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return made
