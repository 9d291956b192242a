"""The line of those who write to one file: each waits for the system's lock on a file beside it, which is fair.

That wait cannot be broken off. So whoever takes too long is answered from outside, and its thread waits on; when its
turn comes, it writes nothing.
"""

import fcntl
from threading import Lock

from serving.ledger.store import LedgerTimeoutError, LedgerTooLateError
from serving.ledger.watch import Watch
from serving.threads import Fail, whoever_waits


class _Waiting:
    """One in the line; whoever takes `turn` first says what becomes of it."""

    __slots__ = ("tell", "turn")

    def __init__(self, tell: Fail | None) -> None:
        self.tell, self.turn = tell, Lock()


class Line:
    """Who writes next.

    Args:
        where: The ledger, as people name it.
        patience_s: How long anybody waits; None for as long as it takes.
    """

    def __init__(self, where: str, patience_s: float | None) -> None:
        self._where, self._patience_s = where, patience_s
        self._late: set[_Waiting] = set()
        self._watch = None if patience_s is None else Watch("line", patience_s, self._give_up)

    def come_first(self, place: int) -> None:
        """Wait in the line until this place is the first, which it is until it is left.

        Raises:
            LedgerTimeoutError: That took too long, or would: one who came before has waited too long already.
        """
        if self._watch is None:
            fcntl.flock(place, fcntl.LOCK_EX)
            return
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._late:
                raise LedgerTimeoutError(self._too_long()) from None
            self._wait(place, self._watch)

    def leave(self, place: int) -> None:
        """Let the next one write."""
        fcntl.flock(place, fcntl.LOCK_UN)

    def close(self) -> None:
        """Nobody waits any more."""
        if self._watch is not None:
            self._watch.close()

    def _wait(self, place: int, watch: "Watch[_Waiting]") -> None:
        waiting = _Waiting(whoever_waits())
        watch.begin(waiting)
        try:
            fcntl.flock(place, fcntl.LOCK_EX)
        finally:
            watch.over(waiting)
        if not waiting.turn.acquire(blocking=False):
            self._late.discard(waiting)
            self.leave(place)
            raise LedgerTooLateError(self._too_long())

    def _give_up(self, waiting: _Waiting) -> None:
        self._late.add(waiting)
        if not waiting.turn.acquire(blocking=False):  # its turn came just now
            self._late.discard(waiting)
        elif waiting.tell is not None:
            waiting.tell(LedgerTimeoutError(self._too_long()))

    def _too_long(self) -> str:
        return f"the ledger {self._where} is kept by somebody who writes: no turn within {self._patience_s:g} s"
