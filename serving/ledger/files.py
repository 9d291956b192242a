"""The files of a SQLite ledger: read and written by nobody but whose they are."""

import os
import pwd
from contextlib import suppress
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
_ROOT = 0


def make_private(path: Path) -> None:
    """Make an empty file, and its folder, for its owner alone; what is there already stays as it is.

    SQLite gives the files that it puts beside it, `-wal` and `-shm`, the mode of this one.

    Raises:
        OSError: It cannot be made.
    """
    path.parent.mkdir(_FOLDER, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE))


def open_beside(ledger: Path, path: Path) -> int:
    """A descriptor of a file beside the ledger, whose owner owns it: a file of root's would lock the service out.

    Raises:
        OSError: It cannot be opened.
    """
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _FILE)
    if os.geteuid() == _ROOT:
        owner = ledger.stat()
        os.fchown(opened, owner.st_uid, owner.st_gid)
    return opened


def whose(path: Path) -> str:
    """Whose a file is, or the nearest folder that can be seen, and who asks.

    >>> whose(Path("/nowhere/ledger.db")).partition(" (")[0]
    '/ belongs to root'
    """
    for seen in (path, *path.absolute().parents):
        with suppress(OSError):
            there = seen.stat()
            owner, mode = _name(there.st_uid), there.st_mode & 0o777
            return f"{seen} belongs to {owner} (mode {mode:04o}), and this is {_name(os.geteuid())}"
    return f"this is {_name(os.geteuid())}"


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
