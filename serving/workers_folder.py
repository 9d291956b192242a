"""Where the workers of one service find each other: one folder a start, made by whoever starts them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import mkdtemp

FOLDER = "WORKERS_OF_RECOUP"
"""The variable that names the folder; without it there are no neighbours."""


@contextmanager
def folder_for_workers() -> Iterator[None]:
    """A new folder for the workers that are started while the block runs, for nobody else to look into.

    Where none can be made, each of them is alone.
    """
    folder = ""
    with suppress(OSError):
        folder = mkdtemp(prefix="recoup-")
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
