"""The ledger in a SQLite file: write-ahead log, one writer at a time, each commit on the disk before it is answered."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType

from features.errors import InputError
from serving.ledger.files import make_private, open_beside, whose
from serving.ledger.line import Line
from serving.ledger.pool import Pool
from serving.ledger.store import (
    Failure,
    LedgerConflictError,
    LedgerFailedError,
    LedgerTimeoutError,
    Lock,
    Numbered,
    Question,
    Row,
    Values,
    sentence_of,
    statements,
)

SYNCHRONOUS = ("full", "normal", "extra")
_PATIENCE_S = 60.0  # of SQLite itself, where nobody sets a bound
_PRIMARY = 0xFF  # of a code of SQLite's; what is above says more
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_WRITERS = 32  # that queue
_READERS = 4  # beside the one that writes
# Each keeps its statements and the few pages it is about to write, or read from the log; other pages are read through
# memory shared with the system (at most 2 GiB, the bound of SQLite itself), so that a large ledger costs little more
# than a small one.
_WRITER_KIB, _READER_KIB = 512, 128
# A commit writes whole pages, four or five for a reservation, so those of a new file are half as large as SQLite's own.
# The log is folded back after 4,000 of them (8 MiB): growing it is dearer than writing over it, folding often more so.
_PRAGMAS = (
    ("page_size", "2048"),
    ("journal_mode", "WAL"),
    ("wal_autocheckpoint", "4000"),
    ("mmap_size", "2147418112"),
)


class SqliteStore:
    """One file. Writers queue for a lock on a file beside it, because SQLite's own waiting starves some of them.

    Args:
        synchronous: `full` loses nothing that was acknowledged even when the power fails; `normal` may lose the
            last moments then, never on a crash of the program; `extra` is stricter still.
        patience_s: How long whoever uses it waits for anything; None as long as it takes.

    Raises:
        InputError: The file cannot be opened as a database.
    """

    dialect = "sqlite"

    def __init__(self, path: Path, synchronous: str = "full", patience_s: float | None = None) -> None:
        self.patience_s = patience_s
        self._path = path
        self._synchronous = synchronous
        self._statements = {name: Numbered.of(text, "?") for name, text in statements(self.dialect).items()}
        self._readers: Pool[sqlite3.Connection] = Pool(
            partial(self._connect, _READER_KIB), _close, _READERS, patience_s
        )
        # Lent to who is first in the queue.
        self._writer: Pool[sqlite3.Connection] = Pool(partial(self._connect, _WRITER_KIB), _close, 1, patience_s)
        self._queue: Pool[int] = Pool(self._line_up, os.close, _WRITERS, patience_s)
        self._line = Line(str(path), patience_s)
        with self._turn():
            pass

    @property
    def where(self) -> str:
        """The file, from the root on: people read it in another folder."""
        return str(self._path.absolute())

    @property
    def url(self) -> str:
        """Its address."""
        return f"sqlite:///{self._path}?synchronous={self._synchronous}"

    @contextmanager
    def writing(
        self,
        locks: Sequence[Lock] = (),  # noqa: ARG002 - one writer at a time needs no finer locks
        shared: Sequence[Lock] = (),  # noqa: ARG002 - as above
        *,
        flushed: bool = True,
    ) -> Iterator["SqliteTransaction"]:
        """A transaction that no other writer overlaps; every one of them waits in the queue for the one before."""
        with self._turn() as database:
            if not flushed:
                database.execute("PRAGMA synchronous = normal")
            database.execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(database, self._statements)
            database.execute("COMMIT")
            if not flushed:
                database.execute(f"PRAGMA synchronous = {self._synchronous}")

    def at_once(
        self,
        name: str,
        values: Values,
        locks: Sequence[Lock],
        beside: Question | None = None,
    ) -> bool:
        """One statement in its place in the queue; it is on the disk when this returns."""
        if beside is not None:
            with self.writing(locks) as transaction:
                changed = transaction.change(name, values)
                if changed:
                    transaction.put(*beside)
            return bool(changed)
        statement = self._statements[name]
        bound = statement.bound(values)
        with self._turn() as database:
            return bool(database.execute(statement.text, bound).rowcount)

    @contextmanager
    def reading(self) -> Iterator["SqliteTransaction"]:
        """Reads of one and the same state; they wait for no writer."""
        try:
            with self._readers.lent() as database:
                database.execute("BEGIN")
                yield SqliteTransaction(database, self._statements)
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def close(self) -> None:
        """Let go of the file."""
        for pool in (self._readers, self._writer, self._queue):
            pool.close()
        self._line.close()

    def _turn(self) -> "_Turn":
        return _Turn(self._queue, self._line, self._writer, self._translated)

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        try:
            make_private(self._path)
            database = sqlite3.connect(
                self._path,
                timeout=self.patience_s or _PATIENCE_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            with ExitStack() as undo:
                undo.callback(database.close)
                for name, value in (*_PRAGMAS, ("synchronous", self._synchronous), ("cache_size", f"-{cache_kib}")):
                    database.execute(f"PRAGMA {name} = {value}")
                undo.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise self._unopened(error) from None
        return database

    def _line_up(self) -> int:
        """A descriptor of the file that writers lock in turn."""
        path = self._path.with_name(self._path.name + "-queue")
        try:
            make_private(self._path)
            return open_beside(self._path, path)
        except OSError as error:
            raise self._unopened(error, path) from None

    def require_writable(self) -> None:
        """Refuse a file that can only be read, which SQLite opens all the same and says at the first change.

        Raises:
            InputError: Names the file and whose it is.
        """
        with self._turn() as database:
            database.execute("BEGIN IMMEDIATE")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            database.execute(f"PRAGMA user_version = {version}")
            database.execute("ROLLBACK")

    def _unopened(self, error: OSError | sqlite3.Error, path: Path | None = None) -> InputError:
        cannot = f"the ledger {self.where} cannot be opened: {_reason(error, path or self._path)}"
        return LedgerFailedError(cannot, Failure.AWAY)

    def _translated(self, error: sqlite3.Error) -> InputError:
        if isinstance(error, sqlite3.IntegrityError):
            return LedgerConflictError(sentence_of(str(error)))
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        cannot = f"the ledger {self.where} cannot be used: {_reason(error, self._path)}"
        if code in _LOCKED:
            return LedgerTimeoutError(cannot)
        return LedgerFailedError(cannot, Failure.UNWRITABLE if code in _UNWRITABLE else Failure.OTHER)


class _Turn:
    """A writer's turn: its place in the queue and, once it is the first there, the connection that writes.

    After an error both are closed, which undoes what was begun and lets the next one write. (A class, because every
    reservation takes one: layers of generators cost it some 5 µs.)
    """

    __slots__ = ("_database", "_line", "_place", "_queue", "_translated", "_writer")

    def __init__(
        self,
        queue: Pool[int],
        line: Line,
        writer: Pool[sqlite3.Connection],
        translated: Callable[[sqlite3.Error], InputError],
    ) -> None:
        self._queue, self._line, self._writer, self._translated = queue, line, writer, translated

    def __enter__(self) -> sqlite3.Connection:
        self._place = self._queue.take()
        try:
            self._line.come_first(self._place)
            self._database = self._writer.take()
        except BaseException:
            self._queue.drop(self._place)
            raise
        return self._database

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            self._writer.give_back(self._database)
            self._line.leave(self._place)
            self._queue.give_back(self._place)
            return
        self._writer.drop(self._database)
        self._queue.drop(self._place)
        if isinstance(error, sqlite3.Error):
            raise self._translated(error) from None


class SqliteTransaction:
    """Statements between BEGIN and COMMIT on one connection."""

    __slots__ = ("_database", "_statements")

    def __init__(self, database: sqlite3.Connection, named: Mapping[str, Numbered]) -> None:
        self._database = database
        self._statements = named

    def ask(self, *questions: Question) -> list[list[Row]]:
        """The rows of each statement."""
        return [self._executed(name, values).fetchall() for name, values in questions]

    def put(self, name: str, values: Values) -> None:
        """Write at once."""
        self._executed(name, values)

    def change(self, name: str, values: Values) -> int:
        """Write, and say how many rows that changed."""
        return self._executed(name, values).rowcount

    def put_all(self, name: str, rows: Iterable[Values]) -> None:
        """Write many rows."""
        statement = self._statements[name]
        self._database.executemany(statement.text, map(statement.bound, rows))

    def script(self, text: str) -> None:
        """Run each statement; none of them may begin or end a transaction."""
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._database.execute(statement)
                statement = ""

    def _executed(self, name: str, values: Values) -> sqlite3.Cursor:
        statement = self._statements[name]
        return self._database.execute(statement.text, statement.bound(values))


def _close(database: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        database.close()


def _reason(error: OSError | sqlite3.Error, path: Path) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"{said}; {whose(path)}" if _is_denied(error) else said


def _is_denied(error: OSError | sqlite3.Error) -> bool:
    if isinstance(error, OSError):
        return isinstance(error, PermissionError)
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
