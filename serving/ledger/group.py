"""Small writes by many at once, put together in one transaction: whoever comes first writes for all who wait.

No one waits for a timer, and nobody goes on before what it wrote can be seen by everybody.
"""

from threading import Lock

from features.errors import InputError
from serving.ledger.recording import repeated_when_stuck
from serving.ledger.store import LedgerTimeoutError, Question, Store

_AT_ONCE = 500


class GroupWriter:
    """Writes statements in groups that are seen by all and outlive this program, but are not flushed each.

    Each statement must be one that cannot fail for what it holds, as an insert that ignores what is there already:
    those who wait together succeed or fail together.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Turn] = []
        self._arrivals = Lock()
        self._writing = Lock()

    def write(self, *statements: Question) -> None:
        """Write statements; they are written when this returns.

        Raises:
            InputError: The database cannot be reached or takes nothing in.
        """
        turn = _Turn(statements)
        with self._arrivals:
            self._waiting.append(turn)
        if not self._writing.acquire(timeout=-1 if self._store.patience_s is None else self._store.patience_s):
            self._leave(turn)
        else:
            try:
                while not turn.over:
                    self._write_group()
            finally:
                self._writing.release()
        if turn.failure is not None:
            raise turn.failure

    def _leave(self, turn: "_Turn") -> None:
        """Wait no longer: what nobody has begun to write is not written; what somebody has, perhaps."""
        with self._arrivals:
            if turn in self._waiting:
                self._waiting.remove(turn)
        if not turn.over:
            turn.failure = LedgerTimeoutError(f"the ledger {self._store.where} takes too long to write")

    def _write_group(self) -> None:
        with self._arrivals:
            group, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        failure: Exception | None = InputError(f"the ledger {self._store.where} was left before it was written")
        try:
            repeated_when_stuck(lambda: self._put(group))
            failure = None
        except Exception as error:  # noqa: BLE001 - whatever it is, everybody in the group is told
            failure = error
        finally:
            for turn in group:
                turn.over, turn.failure = True, failure

    def _put(self, group: "list[_Turn]") -> None:
        with self._store.writing(flushed=False) as transaction:
            for turn in group:
                for statement in turn.statements:
                    transaction.put(*statement)


class _Turn:
    """One who waits, and what became of it."""

    __slots__ = ("failure", "over", "statements")

    def __init__(self, statements: tuple[Question, ...]) -> None:
        self.statements = statements
        self.over = False
        self.failure: Exception | None = None
