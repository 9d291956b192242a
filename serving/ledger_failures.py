"""What is known of work that the ledger did not do: counted by why, and written to the log, but not for each caller."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

from structlog.typing import FilteringBoundLogger

from features.errors import InputError
from serving.ledger.store import Failure, LedgerFailedError
from serving.metrics import Metrics

EVERY_SECONDS = 1.0


class LedgerFailures:
    """Counts every failure, and tells the first of a sort at once and of those after it once a second.

    Args:
        log: Where that is told; nowhere if None.
        clock: Seconds that never go back.
    """

    def __init__(
        self, metrics: Metrics, log: FilteringBoundLogger | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self.doubted = False
        """Whether anything failed since the ledger was last seen to take something in."""
        self._metrics, self._log, self._clock = metrics, log, clock
        self._untold: dict[Failure, int] = {}
        self._told_at: dict[Failure, float] = {}
        self._counting = Lock()

    def failed(self, error: InputError) -> Failure:
        """Something failed; why."""
        failure = error.failure if isinstance(error, LedgerFailedError) else Failure.OTHER
        self._metrics.ledger_failed(failure)
        self.doubted = self.doubted or failure is not Failure.BUSY
        with self._counting:
            failures = self._untold[failure] = self._untold.get(failure, 0) + 1
            now = self._clock()
            if now - self._told_at.get(failure, -EVERY_SECONDS) < EVERY_SECONDS:
                return failure
            self._told_at[failure], self._untold[failure] = now, 0
        if self._log is not None:
            self._log.error("ledger failed", failure=failure.value, failures=failures, reason=_reason(error))
        return failure


def _reason(error: InputError) -> str:
    """What the database says where it speaks of itself only; any other message may hold what a caller sent."""
    return str(error) if isinstance(error, LedgerFailedError) else type(error).__name__
