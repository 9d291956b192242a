"""LightGBM's own library for prediction, without its Python package.

Importing the package imports pandas, SciPy and scikit-learn, which takes seconds and 100 MiB and of which scoring needs
nothing. The library's C interface is stable and documented (LightGBM, `c_api.h`); a test holds it against the package.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

_FLOAT32, _ROW_MAJOR, _ALL_TREES = 0, 1, -1
_RAW_SCORE, _CONTRIBUTIONS = 1, 3
_FOLDERS, _ENDINGS = ("lib", "bin", "."), ("so", "dylib", "dll")


class LibraryError(Exception):
    """LightGBM refused; the message is its own."""


class Booster:
    """One trained booster.

    Args:
        text: As LightGBM writes it.

    Raises:
        LibraryError: LightGBM cannot read the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._handle = ctypes.c_void_p()
        trees = ctypes.c_int()
        _call("LGBM_BoosterLoadModelFromString", text.encode(), ctypes.byref(trees), ctypes.byref(self._handle))

    def __del__(self) -> None:
        """Give its memory back."""
        if self._handle.value is not None:
            _library().LGBM_BoosterFree(self._handle)

    def __reduce__(self) -> tuple[Callable[[str], "Booster"], tuple[str]]:
        """What another process makes it from."""
        return Booster, (self._text,)

    def raw_score(self, matrix: Matrix, threads: int = 1) -> Floats:
        """The sum of the trees for every row, shape (n,).

        Args:
            matrix: Shape (n, columns).
        """
        return self._predicted(matrix, _RAW_SCORE, threads)

    def contributions(self, matrix: Matrix, threads: int = 1) -> Floats:
        """What every column adds to each row's raw score, and the base in the last column, shape (n, columns + 1)."""
        return self._predicted(matrix, _CONTRIBUTIONS, threads).reshape(len(matrix), -1)

    def _predicted(self, matrix: Matrix, kind: int, threads: int) -> Floats:
        rows = np.ascontiguousarray(matrix, dtype=np.float32)
        count, columns = (ctypes.c_int(size) for size in rows.shape)
        size = ctypes.c_int64()
        asked = (ctypes.c_int(kind), ctypes.c_int(0), ctypes.c_int(_ALL_TREES))
        _call("LGBM_BoosterCalcNumPredict", self._handle, count, *asked, ctypes.byref(size))
        found = np.empty(size.value, dtype=np.float64)
        _call(
            "LGBM_BoosterPredictForMat",
            self._handle,
            rows.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int(_FLOAT32),
            count,
            columns,
            ctypes.c_int(_ROW_MAJOR),
            *asked,
            f"num_threads={threads}".encode(),
            ctypes.byref(size),
            found.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
        )
        return found


def _call(name: str, *arguments: object) -> None:
    """Call a function of the library.

    Raises:
        LibraryError: It failed.
    """
    library = _library()
    if library[name](*arguments) != 0:
        raise LibraryError(library.LGBM_GetLastError().decode())


@cache
def _library() -> ctypes.CDLL:
    """The library that the package brings; the package itself is not imported.

    Raises:
        InputError: LightGBM is not installed.
    """
    package = find_spec("lightgbm")
    home = Path(package.origin).parent if package is not None and package.origin else Path()
    places = [home / folder / f"lib_lightgbm.{ending}" for folder in _FOLDERS for ending in _ENDINGS]
    for place in places:
        if package is not None and place.is_file():
            library = ctypes.CDLL(str(place))
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise InputError("lightgbm: is not installed, or without its library; expected what requirements.lock names")
