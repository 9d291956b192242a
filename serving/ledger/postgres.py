"""The ledger in PostgreSQL: a lock for each counter, taken in one order; one exchange a reservation, or four."""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil

import psycopg
from psycopg import Connection

from features.errors import InputError
from serving.ledger.addresses import without_password, without_secrets_of
from serving.ledger.pool import Pool
from serving.ledger.prepared import Prepared
from serving.ledger.store import (
    PARAMETER,
    Failure,
    LedgerBusyError,
    LedgerConflictError,
    LedgerFailedError,
    LedgerTimeoutError,
    Lock,
    Numbered,
    Question,
    Row,
    Values,
    number_of,
    sentence_of,
    statements,
)
from serving.ledger.watch import Watch

_CONNECTIONS = 16
_TO_CONNECT_S, _LEAST_TO_CONNECT_S = 10, 2
# A server that vanished without a word, as with a machine that lost its power, is noticed by the system's own means.
_IDLE_S, _INTERVAL_S, _TIMES = 10, 5, 3
_FOR_ITS_ANSWER_S = 1.0
"""How much longer than the server itself the service waits for it to say that something took too long."""
_TOO_LONG = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
_UNWRITABLE = (psycopg.errors.DiskFull, psycopg.errors.IoError, psycopg.errors.ReadOnlySqlTransaction)


@dataclass(eq=False, slots=True)
class _Connection:
    """A connection to the server.

    Args:
        line: What it goes through, by which it can be cut from another thread; None where nobody will.
    """

    server: Connection[Row]
    prepared: Prepared
    line: socket.socket | None = None
    was_cut: bool = False


class PostgresStore:
    """One database on a server.

    Args:
        patience_s: How long whoever uses it waits for anything, and how long a transaction takes; None as long as it
            takes. A server that is stopped does not end what takes too long; then the connection is cut.

    Raises:
        InputError: The server cannot be reached.
    """

    dialect = "postgres"

    def __init__(self, url: str, patience_s: float | None = None) -> None:
        self._url, self.patience_s = url, patience_s
        texts = statements(self.dialect)
        self._statements = {name: PARAMETER.sub(r"%(\1)s", text).encode() for name, text in texts.items()}
        self._numbered = {name: Numbered.of(text, "$") for name, text in texts.items()}
        self._pool: Pool[_Connection] = Pool(self._connect, _close, _CONNECTIONS, patience_s)
        longest = None if patience_s is None else patience_s + _FOR_ITS_ANSWER_S
        self._watch = None if longest is None else Watch("postgres", longest, _cut)
        with self._pool.lent():
            pass

    @property
    def where(self) -> str:
        """The address without its password."""
        return without_password(self._url)

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
            with self._lent() as lent:
                with lent.server.pipeline(), lent.server.transaction():
                    done = lent.server.execute(self._statements[name], given)
                    lent.server.execute(self._statements[beside[0]], beside[1])
                return done.rowcount > 0
        with self._lent() as lent:
            return lent.prepared.found(name, self._numbered[name], given)

    @contextmanager
    def reading(self) -> Iterator["PostgresTransaction"]:
        """Reads of one and the same state."""
        with self._begun(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as transaction:
            yield transaction

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()
        if self._watch is not None:
            self._watch.close()

    @contextmanager
    def _begun(self, begin: bytes) -> Iterator["PostgresTransaction"]:
        with self._lent() as lent:
            lent.server.execute(begin, prepare=False)  # several statements at once cannot be prepared
            yield PostgresTransaction(lent.server, self._statements)
            lent.server.execute(b"COMMIT", prepare=False)

    @contextmanager
    def _lent(self) -> Iterator[_Connection]:
        connection = self._taken()
        try:
            yield connection
        except psycopg.Error as error:
            self._dropped(connection)
            raise self._translated(error, connection) from None
        except BaseException:
            self._dropped(connection)
            raise
        self._given_back(connection)

    def _taken(self) -> _Connection:
        connection = self._pool.take()
        if self._watch is not None:
            self._watch.begin(connection)
        return connection

    def _given_back(self, connection: _Connection) -> None:
        if self._watch is not None:
            self._watch.over(connection)
            if connection.was_cut:  # just as its transaction ended
                self._pool.drop(connection)
                return
        self._pool.give_back(connection)

    def _dropped(self, connection: _Connection) -> None:
        if self._watch is not None:
            self._watch.over(connection)
        self._pool.drop(connection)

    def _translated(self, error: psycopg.Error, connection: _Connection) -> InputError:
        if isinstance(error, psycopg.errors.IntegrityError):
            return LedgerConflictError(_sentence(error))
        if isinstance(error, psycopg.errors.DeadlockDetected):
            waited = "two transactions waited for each other"
            return LedgerBusyError(f"the ledger {self.where} is too busy: {waited}")
        if _went_away(error):
            self._pool.close()  # the others were to the same server; each would fail once more
        cannot = f"the ledger {self.where} cannot be used: {self._reason(error)}"
        if connection.was_cut:
            return LedgerTimeoutError(f"the ledger {self.where} does not answer: no end after {self.patience_s:g} s")
        if isinstance(error, _TOO_LONG):
            return LedgerTimeoutError(cannot)
        if isinstance(error, _UNWRITABLE):
            return LedgerFailedError(cannot, Failure.UNWRITABLE)
        if isinstance(error, psycopg.OperationalError):  # which tells of the server, never of what is in a row
            return LedgerFailedError(cannot, Failure.AWAY if _went_away(error) else Failure.OTHER)
        return InputError(cannot)

    def _lock(self, name: str, key: int) -> bytes:
        return self._statements[name].replace(b"%(key)s", b"%d" % key)

    def _reason(self, error: psycopg.Error) -> str:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        return without_secrets_of(self._url, first)

    def _connect(self) -> _Connection:
        try:
            return self._connected()
        except psycopg.Error as error:
            cannot = f"the ledger {self.where} cannot be reached: {self._reason(error)}"
            raise LedgerFailedError(cannot, Failure.AWAY) from None

    def _connected(self) -> _Connection:
        server = _opened(self._url, self.patience_s)
        if self.patience_s is None or self._watch is None:
            return _Connection(server, Prepared(server))
        connection = _Connection(server, Prepared(server), socket.socket(fileno=os.dup(server.fileno())))
        self._watch.begin(connection)
        try:
            server.execute(_bounds(self.patience_s), prepare=False)
        except BaseException:
            _close(connection)
            raise
        finally:
            self._watch.over(connection)
        return connection


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


def _opened(url: str, patience_s: float | None) -> Connection[Row]:
    most = _TO_CONNECT_S if patience_s is None else max(_LEAST_TO_CONNECT_S, min(_TO_CONNECT_S, ceil(patience_s)))
    return psycopg.connect(
        url,
        autocommit=True,
        prepare_threshold=0,
        connect_timeout=most,
        keepalives_idle=_IDLE_S,
        keepalives_interval=_INTERVAL_S,
        keepalives_count=_TIMES,
        tcp_user_timeout=0 if patience_s is None else _milliseconds(patience_s),  # 0: as the system has it
    )


def _close(connection: _Connection) -> None:
    connection.server.close()
    if connection.line is not None:
        connection.line.close()


def _cut(connection: _Connection) -> None:
    """Have whoever waits for the server at the other end find that it has gone."""
    connection.was_cut = True
    if connection.line is not None:
        with suppress(OSError):  # it was closed just now
            connection.line.shutdown(socket.SHUT_RDWR)


def _bounds(patience_s: float) -> bytes:
    """What the server itself ends: a lock that is not given, a statement, and a transaction that asks nothing more."""
    most = _milliseconds(patience_s)
    return b"SET lock_timeout = %d; SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %d" % (
        most * 9 // 10,  # so that it says what it was that took too long
        most,
        most,
    )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1_000))


def _went_away(error: psycopg.Error) -> bool:
    """Whether the server has gone, which it says itself (class 57P) or the lost connection does."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith("57P")


def _sentence(error: psycopg.errors.IntegrityError) -> str:
    name = error.diag.constraint_name
    return sentence_of(f"constraint {name}" if name else f"constraint {str(error).splitlines()[0].replace(' ', '_')}")
