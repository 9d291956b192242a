"""The ledger of one generation of a sandbox: once that was wiped nothing is read from it or written to it any more."""

from collections.abc import Callable
from threading import Condition
from typing import TypeVar

from model.caps.rulebook import Rulebook
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.sandbox.uncounted import Uncounted

Answer = TypeVar("Answer")


def was_wiped() -> RequestError:
    """The refusal of whoever was in a sandbox that is no more."""
    return RequestError(
        Kind.CONFLICT, "The sandbox was wiped while this was being answered; ask again if it is still meant"
    )


class GenerationAccess(LedgerAccess):
    """Like any access to a ledger until it is ended."""

    def __init__(self, ledger: Ledger, rulebook: Rulebook) -> None:
        super().__init__(ledger, rulebook, Uncounted())
        self._working, self._over, self._changed = 0, False, Condition()

    def end(self) -> None:
        """Refuse whoever asks from now on, wait for those who are at work, and let go of the database."""
        with self._changed:
            self._over = True
            self._changed.wait_for(lambda: not self._working)
        self.close()

    def _asked(self, work: Callable[[Ledger], Answer], ledger: Ledger) -> Answer:
        with self._changed:
            if self._over:  # a closed database would be opened again, and its file made anew
                raise was_wiped()
            self._working += 1
        try:
            return super()._asked(work, ledger)
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()
