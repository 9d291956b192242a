"""The ledger as the service reaches it: opened once, asked in threads, its failures told as refusals."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from features.errors import InputError, InvalidValueError
from model.caps.rulebook import Rulebook
from serving.errors import FieldError, Kind, RequestError
from serving.events_out.targets import targets_in
from serving.leaving import caller
from serving.ledger.ledger import Ledger, TakenIdError
from serving.ledger.migrate import migrate, migrations, version_of
from serving.ledger.opening import store_at
from serving.ledger.probe import write_nothing
from serving.ledger.selecting import Selector
from serving.ledger.sqlite import SqliteStore
from serving.ledger.store import Failure, LedgerConflictError, LedgerTimeoutError, LedgerTooLateError
from serving.ledger_failures import LedgerFailures
from serving.metrics import Metrics
from serving.settings import Settings
from serving.threads import NotBegunError, Threads
from serving.traces import stage

Answer = TypeVar("Answer")

_ABSENT = "This service keeps no ledger, so that nothing can be counted or held; start it with recoup serve"
_UNREACHABLE = (
    "The ledger cannot be asked now, so that it is not known what has been attempted or reserved, nor whether this "
    "request was carried out. Try again with the same Idempotency-Key: what was done is found and not done twice"
)
_NOT_BEGUN = "The ledger takes too long for all that is asked of it; nothing was begun for this request, try again"
_THREADS = Threads("ledger", most=40)
_UNKNOWN_IDS = frozenset({"reservation_id", "method_id", "payment_id", "decision_id"})
_OF_AN_EVENT = "source_event_id"  # as the ledger names what a caller gives as event_id


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the ledger says of itself; `version` is its last migration, `current` whether it is this program's too."""

    dialect: str
    version: int
    current: bool


class LedgerUnavailableError(RequestError):
    """The ledger did not do what was asked."""

    def __init__(self, detail: str, failure: Failure) -> None:
        self.failure = failure
        super().__init__(Kind.LEDGER_UNAVAILABLE, detail)


class LedgerAccess:
    """A ledger that may be absent or away; what it cannot answer becomes a refusal that says so.

    Args:
        ledger: None for a service that keeps none.
        metrics: Where work with the ledger, and what comes of it, is counted.
        log: Where its failures are told.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        rulebook: Rulebook,
        metrics: Metrics | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        self.ledger = ledger
        self.metrics = metrics or Metrics()
        self.selector = Selector(rulebook)
        self.failures = LedgerFailures(self.metrics, log)

    async def ask(self, work: Callable[[Ledger], Answer], *, though_left: bool = False) -> Answer:
        """The answer of a piece of work with the ledger, done in a thread.

        What cannot be begun within the ledger's time, or before the caller leaves, is not begun.

        Args:
            though_left: Do it even for a caller who has left.

        Raises:
            RequestError: There is no ledger, it cannot be reached, what is asked for is not in it, or contradicts it.
            ClientDisconnect: The caller left before it was begun.
        """
        ledger = self._required()
        waits = None if though_left else caller()
        with self.metrics.ledger_work(), stage("ledger"):
            try:
                leaving = None if waits is None else waits.left
                return await _THREADS.answer(lambda: self._asked(work, ledger), ledger.store.patience_s, leaving)
            except NotBegunError as error:
                failure = self.failures.failed(LedgerTimeoutError(f"all threads were at work: {error}"))
                raise LedgerUnavailableError(_NOT_BEGUN, failure) from None
            except LedgerTimeoutError as error:  # of work that still waits for its turn
                raise LedgerUnavailableError(_UNREACHABLE, self.failures.failed(error)) from None

    def ask_here(self, work: Callable[[Ledger], Answer]) -> Answer:
        """The same in the thread of whoever asks.

        Raises:
            RequestError: As for `ask`.
        """
        return self._asked(work, self._required())

    async def in_thread(self, work: Callable[[], Answer]) -> Answer:
        """The answer of work with the ledger of many steps, each with the ledger's time; what it raises is raised.

        Raises:
            RequestError: One of the steps waited too long.
        """
        with self.metrics.ledger_work(), stage("ledger"):
            try:
                return await _THREADS.answer(work)
            except LedgerTimeoutError as error:
                raise LedgerUnavailableError(_UNREACHABLE, self.failures.failed(error)) from None

    def _required(self) -> Ledger:
        if self.ledger is None:
            raise RequestError(Kind.LEDGER_UNAVAILABLE, _ABSENT)
        return self.ledger

    def _asked(self, work: Callable[[Ledger], Answer], ledger: Ledger) -> Answer:
        try:
            return work(ledger)
        except LedgerConflictError as error:
            raise RequestError(Kind.CONFLICT, _capitalized(str(error))) from None
        except LedgerTooLateError as error:  # which has been told, and counted, already
            raise LedgerUnavailableError(_UNREACHABLE, error.failure) from None
        except InputError as error:
            raise LedgerUnavailableError(_UNREACHABLE, self.failures.failed(error)) from None
        except InvalidValueError as error:
            named = InvalidValueError("event_id", error.value, error.expected) if error.field == _OF_AN_EVENT else error
            raise RequestError(_kind_of(error), str(named), (_fault(named),)) from None

    async def state(self) -> LedgerState | None:
        """Where the ledger stands; None for a service that keeps none.

        After a failure it has to take something in, too.

        Raises:
            RequestError: It cannot be reached, or takes nothing in.
        """
        return None if self.ledger is None else await self.ask(self._state)

    def _state(self, ledger: Ledger) -> LedgerState:
        version, dialect = version_of(ledger.store), ledger.store.dialect
        if self.failures.doubted:
            write_nothing(ledger.store)
            self.failures.doubted = False
        return LedgerState(dialect, version, current=version == migrations(dialect)[-1].version)

    def close(self) -> None:
        """Let go of the database."""
        if self.ledger is not None:
            self.ledger.close()


def open_ledger(settings: Settings, rulebook: Rulebook) -> Ledger:
    """The ledger that the settings name, brought to this version.

    Raises:
        InvalidValueError: The setting is not the address of a database.
        InputError: The database cannot be reached or written, or was made by a later version; the file of targets
            cannot be used.
    """
    outbox = targets_in(settings.event_targets, None).outbox
    with closing(store_at(settings.database)) as patient:  # a step of a migration takes as long as it takes
        if isinstance(patient, SqliteStore):
            patient.require_writable()
        migrate(patient)
    return Ledger(store_at(settings.database, settings.ledger_seconds), rulebook, outbox)


def _kind_of(error: InvalidValueError) -> Kind:
    if error.field in _UNKNOWN_IDS:
        return Kind.UNKNOWN_ID
    taken = isinstance(error, TakenIdError) or error.field == _OF_AN_EVENT
    return Kind.CONFLICT if taken else Kind.INVALID_REQUEST


def _fault(error: InvalidValueError) -> FieldError:
    return FieldError(error.field, error.value, error.expected)


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
