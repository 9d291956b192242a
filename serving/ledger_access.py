"""The ledger as the service reaches it: opened once, asked in threads, its failures told as refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from features.errors import InputError, InvalidValueError, RecoupError
from model.caps.rulebook import Rulebook
from serving.errors import FieldError, Kind, RequestError
from serving.events_out.targets import targets_in
from serving.ledger.ledger import Ledger, TakenIdError
from serving.ledger.migrate import migrate, migrations, version_of
from serving.ledger.opening import store_at
from serving.ledger.selecting import Selector
from serving.ledger.store import LedgerConflictError
from serving.metrics import Metrics
from serving.settings import Settings
from serving.threads import Threads
from serving.traces import stage

Answer = TypeVar("Answer")

_ABSENT = "This service keeps no ledger, so that nothing can be counted or held; start it with recoup serve"
_UNREACHABLE = (
    "The ledger cannot be reached, so that it is not known what has been attempted or reserved; nothing was decided "
    "or recorded, try again"
)
_THREADS = Threads("ledger", most=40)
_UNKNOWN_IDS = frozenset({"reservation_id", "method_id", "payment_id", "decision_id"})
_OF_AN_EVENT = "source_event_id"  # as the ledger names what a caller gives as event_id


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the ledger says of itself; `version` is its last migration, `current` whether it is this program's too."""

    dialect: str
    version: int
    current: bool


class LedgerAccess:
    """A ledger that may be absent or away; what it cannot answer becomes a refusal that says so.

    Args:
        ledger: None for a service that keeps none.
        metrics: Where work with the ledger, and what comes of it, is counted.
    """

    def __init__(self, ledger: Ledger | None, rulebook: Rulebook, metrics: Metrics | None = None) -> None:
        self.ledger = ledger
        self.metrics = metrics or Metrics()
        self.selector = Selector(rulebook)

    async def ask(self, work: Callable[[Ledger], Answer]) -> Answer:
        """The answer of a piece of work with the ledger, done in a thread.

        Raises:
            RequestError: There is no ledger, it cannot be reached, what is asked for is not in it, or contradicts it.
        """
        ledger = self._required()
        return await self.in_thread(lambda: self._asked(work, ledger))

    def ask_here(self, work: Callable[[Ledger], Answer]) -> Answer:
        """The same in the thread of whoever asks.

        Raises:
            RequestError: As for `ask`.
        """
        return self._asked(work, self._required())

    async def in_thread(self, work: Callable[[], Answer]) -> Answer:
        """The answer of work with the ledger, done in a thread; what it raises is raised."""
        with self.metrics.ledger_work(), stage("ledger"):
            return await _THREADS.answer(work)

    def _required(self) -> Ledger:
        if self.ledger is None:
            raise RequestError(Kind.LEDGER_UNAVAILABLE, _ABSENT)
        return self.ledger

    def _asked(self, work: Callable[[Ledger], Answer], ledger: Ledger) -> Answer:
        try:
            return _translated(work, ledger)
        except RequestError as refusal:
            if refusal.kind is Kind.LEDGER_UNAVAILABLE:
                self.metrics.ledger_failed()
            raise

    async def state(self) -> LedgerState | None:
        """Where the ledger stands; None for a service that keeps none.

        Raises:
            RequestError: It cannot be reached.
        """
        return None if self.ledger is None else await self.ask(_state)

    def close(self) -> None:
        """Let go of the database."""
        if self.ledger is not None:
            self.ledger.close()


def open_ledger(settings: Settings, rulebook: Rulebook) -> Ledger:
    """The ledger that the settings name, brought to this version.

    Raises:
        InvalidValueError: The setting is not the address of a database.
        InputError: The database cannot be reached, or was made by a later version; the file of targets cannot be used.
    """
    outbox = targets_in(settings.event_targets, None).outbox
    store = store_at(settings.database)
    try:
        migrate(store)
    except RecoupError:
        store.close()
        raise
    return Ledger(store, rulebook, outbox)


def _translated(work: Callable[[Ledger], Answer], ledger: Ledger) -> Answer:
    try:
        return work(ledger)
    except LedgerConflictError as error:
        raise RequestError(Kind.CONFLICT, _capitalized(str(error))) from None
    except InputError:
        raise RequestError(Kind.LEDGER_UNAVAILABLE, _UNREACHABLE) from None
    except InvalidValueError as error:
        named = InvalidValueError("event_id", error.value, error.expected) if error.field == _OF_AN_EVENT else error
        raise RequestError(_kind_of(error), str(named), (_fault(named),)) from None


def _kind_of(error: InvalidValueError) -> Kind:
    if error.field in _UNKNOWN_IDS:
        return Kind.UNKNOWN_ID
    taken = isinstance(error, TakenIdError) or error.field == _OF_AN_EVENT
    return Kind.CONFLICT if taken else Kind.INVALID_REQUEST


def _fault(error: InvalidValueError) -> FieldError:
    return FieldError(error.field, error.value, error.expected)


def _state(ledger: Ledger) -> LedgerState:
    version, dialect = version_of(ledger.store), ledger.store.dialect
    return LedgerState(dialect, version, current=version == migrations(dialect)[-1].version)


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
