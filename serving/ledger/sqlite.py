"""The ledger in a SQLite file: write-ahead log, one writer at a time, each commit on the disk before it is answered."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from serving.ledger.pool import Pool
from serving.ledger.store import (
    LedgerConflictError,
    Lock,
    Numbered,
    Question,
    Row,
    Values,
    sentence_of,
    statements,
)

SYNCHRONOUS = ("full", "normal", "extra")
_PATIENCE_S = 60.0
_CONNECTIONS = 32
# The log is folded back after 2,000 pages (8 MiB): growing it is dearer than writing over it, folding often more so.
# Pages are read through memory shared with the system (at most 2 GiB, the bound of SQLite itself), so that a large
# ledger costs little more than a small one, and a connection keeps only the few pages that it is about to write.
_PRAGMAS = (
    ("journal_mode", "WAL"),
    ("cache_size", "-512"),
    ("wal_autocheckpoint", "2000"),
    ("mmap_size", "2147418112"),
)


@dataclass(frozen=True, slots=True)
class _Connection:
    """A connection and its place in the queue of writers: a descriptor of the file that they lock."""

    database: sqlite3.Connection
    queue: int


class SqliteStore:
    """One file. Writers queue for a lock on a file beside it, because SQLite's own waiting starves some of them.

    Args:
        synchronous: `full` loses nothing that was acknowledged even when the power fails; `normal` may lose the
            last moments then, never on a crash of the program; `extra` is stricter still.

    Raises:
        InputError: The file cannot be opened as a database.
    """

    dialect = "sqlite"

    def __init__(self, path: Path, synchronous: str = "full") -> None:
        self._path = path
        self._synchronous = synchronous
        self._statements = {name: Numbered.of(text, "?") for name, text in statements(self.dialect).items()}
        self._pool: Pool[_Connection] = Pool(self._connect, _close, _CONNECTIONS)
        with self._pool.lent():
            pass

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

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
        connection = self._pool.take()
        try:
            if not flushed:
                connection.database.execute("PRAGMA synchronous = normal")
            fcntl.flock(connection.queue, fcntl.LOCK_EX)
            connection.database.execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(connection.database, self._statements)
            connection.database.execute("COMMIT")
            fcntl.flock(connection.queue, fcntl.LOCK_UN)
            if not flushed:
                connection.database.execute(f"PRAGMA synchronous = {self._synchronous}")
        except sqlite3.Error as error:
            self._pool.drop(connection)
            raise self._translated(error) from None
        except BaseException:
            self._pool.drop(connection)
            raise
        self._pool.give_back(connection)

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
        connection = self._pool.take()
        try:
            fcntl.flock(connection.queue, fcntl.LOCK_EX)
            changed = connection.database.execute(statement.text, bound).rowcount
            fcntl.flock(connection.queue, fcntl.LOCK_UN)
        except sqlite3.Error as error:
            self._pool.drop(connection)
            raise self._translated(error) from None
        except BaseException:
            self._pool.drop(connection)
            raise
        self._pool.give_back(connection)
        return bool(changed)

    @contextmanager
    def reading(self) -> Iterator["SqliteTransaction"]:
        """Reads of one and the same state; they wait for no writer."""
        try:
            with self._pool.lent() as connection:
                connection.database.execute("BEGIN")
                yield SqliteTransaction(connection.database, self._statements)
                connection.database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._translated(error) from None

    def close(self) -> None:
        """Let go of the file."""
        self._pool.close()

    def _connect(self) -> _Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(
                self._path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            with ExitStack() as undo:
                undo.callback(database.close)
                for name, value in (*_PRAGMAS, ("synchronous", self._synchronous)):
                    database.execute(f"PRAGMA {name} = {value}")
                queue = os.open(
                    self._path.with_name(self._path.name + "-queue"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666
                )
                undo.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"the ledger {self._path} cannot be opened: {_reason(error)}") from None
        return _Connection(database, queue)

    def _translated(self, error: sqlite3.Error) -> InputError:
        if isinstance(error, sqlite3.IntegrityError):
            return LedgerConflictError(sentence_of(str(error)))
        return InputError(f"the ledger {self._path} cannot be used: {_reason(error)}")


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


def _close(connection: _Connection) -> None:
    with suppress(sqlite3.Error):
        connection.database.close()
    os.close(connection.queue)


def _reason(error: OSError | sqlite3.Error) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
