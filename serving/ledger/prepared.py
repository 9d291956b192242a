"""Statements sent to PostgreSQL past the driver's cursors, which cost as much again as the exchange itself."""

from psycopg import Connection, OperationalError, errors
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from serving.ledger.store import Numbered, Row, Values

_TEXT = 25  # the number of the type, the same on every server


class Prepared:
    """What is prepared on one connection, by the names that the ledger has for it; each when it is first asked."""

    __slots__ = ("_encoding", "_formats", "_pgconn")

    def __init__(self, connection: Connection[Row]) -> None:
        self._pgconn = connection.pgconn
        encoding = connection.info.encoding
        # A server that takes any bytes calls them ASCII; the driver sends UTF-8 there, too.
        self._encoding = "utf-8" if encoding == "ascii" else encoding
        self._formats: dict[str, list[int]] = {}

    def found(self, name: str, statement: Numbered, values: Values) -> bool:
        """Whether a statement gives any row; one exchange, which is a transaction by itself.

        Raises:
            psycopg.Error: What the server says against it, or that it has gone.
        """
        formats = self._formats.get(name) or self._prepare(name, statement)
        encoding = self._encoding
        sent = [None if value is None else str(value).encode(encoding) for value in statement.bound(values)]
        result = self._pgconn.exec_prepared(name.encode(), sent, formats)  # type: ignore[arg-type]  # None is NULL
        return self._checked(result, ExecStatus.TUPLES_OK).ntuples > 0

    def _prepare(self, name: str, statement: Numbered) -> list[int]:
        """Have the server prepare it; text goes with its length, because without it ends at the first zero byte."""
        self._checked(self._pgconn.prepare(name.encode(), statement.text.encode()), ExecStatus.COMMAND_OK)
        described = self._checked(self._pgconn.describe_prepared(name.encode()), ExecStatus.COMMAND_OK)
        formats = [int(described.param_type(number) == _TEXT) for number in range(described.nparams)]
        self._formats[name] = formats
        return formats

    def _checked(self, result: PGresult, expected: ExecStatus) -> PGresult:
        if result.status == expected:
            return result
        if self._pgconn.status != ConnStatus.OK:
            raise OperationalError(result.get_error_message(self._encoding))
        raise errors.error_from_result(result, self._encoding)
