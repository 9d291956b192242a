"""The ledger in PostgreSQL: a lock for each counter, taken in one order; one exchange a reservation, or four."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import Connection

from features.errors import InputError
from serving.ledger.pool import Pool
from serving.ledger.prepared import Prepared
from serving.ledger.store import (
    PARAMETER,
    LedgerBusyError,
    LedgerConflictError,
    Lock,
    Numbered,
    Question,
    Row,
    Values,
    number_of,
    sentence_of,
    statements,
)

_CONNECTIONS = 16
_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class _Connection:
    server: Connection[Row]
    prepared: Prepared


class PostgresStore:
    """One database on a server.

    Raises:
        InputError: The server cannot be reached.
    """

    dialect = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url
        texts = statements(self.dialect)
        self._statements = {name: PARAMETER.sub(r"%(\1)s", text).encode() for name, text in texts.items()}
        self._numbered = {name: Numbered.of(text, "$") for name, text in texts.items()}
        self._pool: Pool[_Connection] = Pool(self._connect, _close, _CONNECTIONS)
        with self._pool.lent():
            pass

    @property
    def where(self) -> str:
        """The address without its password."""
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(netloc=re.sub(r":[^@]*@", "@", parts.netloc)))

    @property
    def url(self) -> str:
        """Its address, password included."""
        return self._url

    @contextmanager
    def writing(
        self, locks: Sequence[Lock] = (), shared: Sequence[Lock] = (), *, flushed: bool = True
    ) -> Iterator["PostgresTransaction"]:
        """A transaction that holds these locks; each statement sees what was committed before it began."""
        waits = [] if flushed else [b"SET LOCAL synchronous_commit = off"]
        waits += [self._lock("lock_shared", key) for key in _numbers(shared)]
        waits += [self._lock("lock", key) for key in _numbers(locks)]
        with self._begun(b"; ".join((b"BEGIN", *waits))) as transaction:
            yield transaction

    def at_once(self, name: str, values: Values, locks: Sequence[Lock], beside: Question | None = None) -> bool:
        """One statement that takes the locks itself, given as `locks`; what is beside it is sent with it."""
        given = {**values, "locks": f"{{{','.join(map(str, _numbers(locks)))}}}"}
        if beside is not None:
            with self._lent() as server:
                with server.pipeline(), server.transaction():
                    done = server.execute(self._statements[name], given)
                    server.execute(self._statements[beside[0]], beside[1])
                return done.rowcount > 0
        connection = self._pool.take()
        try:
            found = connection.prepared.found(name, self._numbered[name], given)
        except psycopg.Error as error:
            self._pool.drop(connection)
            raise self._translated(error) from None
        except BaseException:
            self._pool.drop(connection)
            raise
        self._pool.give_back(connection)
        return found

    @contextmanager
    def reading(self) -> Iterator["PostgresTransaction"]:
        """Reads of one and the same state."""
        with self._begun(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as transaction:
            yield transaction

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    @contextmanager
    def _begun(self, begin: bytes) -> Iterator["PostgresTransaction"]:
        with self._lent() as server:
            server.execute(begin, prepare=False)  # several statements at once cannot be prepared
            yield PostgresTransaction(server, self._statements)
            server.execute(b"COMMIT", prepare=False)

    @contextmanager
    def _lent(self) -> Iterator[Connection[Row]]:
        try:
            with self._pool.lent() as connection:
                yield connection.server
        except psycopg.Error as error:
            raise self._translated(error) from None

    def _translated(self, error: psycopg.Error) -> InputError:
        if isinstance(error, psycopg.errors.IntegrityError):
            return LedgerConflictError(_sentence(error))
        if isinstance(error, psycopg.errors.DeadlockDetected):
            waited = "two transactions waited for each other"
            return LedgerBusyError(f"the ledger {self.where} is too busy: {waited}")
        if _went_away(error):
            self._pool.close()  # the others were to the same server; each would fail once more
        return InputError(f"the ledger {self.where} cannot be used: {_reason(error)}")

    def _lock(self, name: str, key: int) -> bytes:
        return self._statements[name].replace(b"%(key)s", b"%d" % key)

    def _connect(self) -> _Connection:
        try:
            server: Connection[Row] = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_PATIENCE_S, prepare_threshold=0
            )
        except psycopg.Error as error:
            raise InputError(f"the ledger {self.where} cannot be reached: {_reason(error)}") from None
        return _Connection(server, Prepared(server))


class PostgresTransaction:
    """Statements between BEGIN and COMMIT on one connection."""

    __slots__ = ("_connection", "_cursor", "_statements")

    def __init__(self, connection: Connection[Row], named: Mapping[str, bytes]) -> None:
        self._connection = connection
        self._cursor = connection.cursor()  # one for all statements: another for each costs as much as the exchange
        self._statements = named

    def ask(self, *questions: Question) -> list[list[Row]]:
        """The rows of each statement; many are sent together."""
        if len(questions) == 1:
            ((name, values),) = questions
            return [self._cursor.execute(self._statements[name], values).fetchall()]
        with self._connection.pipeline():
            asked = [self._connection.execute(self._statements[name], values) for name, values in questions]
            return [cursor.fetchall() for cursor in asked]

    def put(self, name: str, values: Values) -> None:
        """Write at once."""
        self._cursor.execute(self._statements[name], values)

    def change(self, name: str, values: Values) -> int:
        """Write, and say how many rows that changed."""
        return self._cursor.execute(self._statements[name], values).rowcount

    def put_all(self, name: str, rows: Iterable[Values]) -> None:
        """Write many rows."""
        self._cursor.executemany(self._statements[name], rows)

    def script(self, text: str) -> None:
        """Run each statement; none of them may begin or end a transaction."""
        for statement in _split(text):
            self._connection.execute(statement.encode())


def _numbers(locks: Sequence[Lock]) -> list[int]:
    """The numbers by which locks are known to the server, in the one order that everybody takes them in."""
    return sorted({number_of(*lock) for lock in locks})


def _split(text: str) -> Iterator[str]:
    """The statements of a script; a semicolon inside a body between dollar signs ends none."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and statement.count("$$") % 2 == 0:
            yield statement
            statement = ""


def _close(connection: _Connection) -> None:
    connection.server.close()


def _went_away(error: psycopg.Error) -> bool:
    """Whether the server has gone, which it says itself (class 57P) or the lost connection does."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith("57P")


def _sentence(error: psycopg.errors.IntegrityError) -> str:
    name = error.diag.constraint_name
    return sentence_of(f"constraint {name}" if name else f"constraint {str(error).splitlines()[0].replace(' ', '_')}")


def _reason(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
