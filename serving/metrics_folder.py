"""Where the workers of one service keep their counts together: one folder a start."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from features.errors import InputError

_ROOM = 1 << 20  # bytes, as the library makes them: ten times what all labels take

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names it; prometheus-client reads it when it is imported."""


def shared_folder(home: Path) -> Path:
    """A new, empty folder for this service; those of services that are gone are taken away.

    Raises:
        InputError: It cannot be made.
    """
    folder = home / "metrics" / str(os.getpid())
    try:
        if folder.parent.is_dir():
            _take_away_ended(folder.parent)
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"the folder for metrics {folder} cannot be made: {error.strerror}") from None
    return folder.resolve()


def make_room(folder: Path, kinds: Iterable[str]) -> bool:
    """Have the files that this process counts in take up their room on the disk; whether there is any.

    They are written through memory: a page for which the disk has no room ends the process, without a word.
    """
    for kind in kinds:
        try:
            file = os.open(folder / f"{kind}_{os.getpid()}.db", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _ROOM)
            finally:
                os.close(file)
        except OSError:
            return False
    return True


def _take_away_ended(parent: Path) -> None:
    for found in parent.iterdir():
        # In a container every start has the same number: a folder under our own is of a service before us.
        if found.name.isdecimal() and (int(found.name) == os.getpid() or not lives(int(found.name))):
            shutil.rmtree(found)


def lives(pid: int) -> bool:
    """Whether there is a process by that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
