"""Functions compiled by Numba when they are first called, and then kept on disk."""

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

_LINEAR_ALGEBRA = "scipy.linalg"

if _LINEAR_ALGEBRA not in sys.modules:
    # Numba's tables would load SciPy's linear algebra, which costs as much as all else of them, only to see whether
    # matrix products can be compiled. A name that stands for None cannot be imported: none of our loops has such a one.
    sys.modules[_LINEAR_ALGEBRA] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath
    finally:
        del sys.modules[_LINEAR_ALGEBRA]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=tuple[object, ...])


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled without the interpreter's lock and without liberties in arithmetic."""
    try:
        made: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to keep the compiled code: every process makes it anew
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return made


def plain(named: T) -> T:
    """A named tuple as a plain one, which is what compiled loops are to be given.

    What is kept on disk says for which types it was made, and could not be read any more once a class had moved.
    """
    return cast("T", tuple(named))
