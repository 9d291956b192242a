"""Asks the challenger what it would have decided: after the reply, one decision at a time, and never in its way.

What was answered is put into a short queue; where that is full, it is dropped and counted. One thread takes from it and
rests as long as it has worked, so that the challenger takes at most half of what one thread can do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread

from structlog.typing import FilteringBoundLogger

from features.action import Retry
from features.context import Context
from features.errors import InputError
from features.instants import to_micros
from model.decide import decide
from model.decision import Decision
from model.issuer_clock import issuer_clock
from model.scorer import Scorer
from model.wording import local_date
from serving.ledger.ledger import Ledger
from serving.ledger.shadows import Shadowed, keep_shadows
from serving.metrics import Metrics
from serving.service import Considered, Service
from serving.trust.current import Current

MOST_WAITING = 64
WRITTEN_AT_ONCE = 16
_SECONDS_TO_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class Offered:
    """A decision that was answered, with the service and the challenger of that moment."""

    considered: Considered
    service: Service
    challenger: Scorer


class Shadowing:
    """The challenger's part of a worker.

    Args:
        ledger: Where comparisons are kept; None only counts them.
        pause: Rests so many seconds.
    """

    def __init__(
        self,
        current: Current,
        ledger: Ledger | None,
        metrics: Metrics,
        log: FilteringBoundLogger,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._current, self._ledger, self._metrics, self._log, self._pause = current, ledger, metrics, log, pause
        self._waiting: Queue[Offered] = Queue(MOST_WAITING)
        self._found: list[Shadowed] = []

    def offer(self, service: Service, decision: Decision) -> None:
        """Put what was just answered to the challenger, where there is one and its queue has room."""
        challenger = self._current.snapshot.challenger
        if challenger is None:
            return
        considered = next((one for one in reversed(service.considered or ()) if one.decision == decision), None)
        if considered is None:
            return
        try:
            self._waiting.put_nowait(Offered(considered, service, challenger.answering.scorer))
        except Full:
            self._metrics.shadowed("dropped")

    def work(self, wait_seconds: float = 0.0) -> bool:
        """Take one from the queue and ask; whether there was one."""
        try:
            offered = self._waiting.get(timeout=wait_seconds) if wait_seconds else self._waiting.get_nowait()
        except Empty:
            return False
        began = time.perf_counter()
        try:
            self._count(compared(offered))
        except Exception:  # noqa: BLE001 - whatever a challenger does, the service goes on
            self._metrics.shadowed("failed")
            self._log.exception("challenger failed", model=offered.challenger.version)
        if self._waiting.empty() or len(self._found) >= WRITTEN_AT_ONCE:
            self._keep()
        self._pause(time.perf_counter() - began)
        return True

    def _count(self, found: Shadowed) -> None:
        difference = None
        if found.chance is not None and found.challenger_chance is not None:
            difference = found.challenger_chance - found.chance
        self._metrics.shadowed("same" if found.is_same else "different", difference)
        self._found.append(found)

    def _keep(self) -> None:
        """Write what was found since the last time, several at once where there is much, for the ledger has others."""
        found, self._found = self._found, []
        if self._ledger is None or not found:
            return
        try:
            keep_shadows(self._ledger.store, found)
        except InputError as error:
            self._log.warning("shadows not kept", shadows=len(found), reason=str(error))


def compared(offered: Offered) -> Shadowed:
    """What was answered beside what the challenger says of the same context and record."""
    considered, service, challenger = offered.considered, offered.service, offered.challenger
    context, decision = considered.context, considered.decision
    theirs = decide(context, challenger, service.rulebook, service.economics, record=considered.record)
    ours, retry = decision.retry, theirs.retry
    return Shadowed(
        merchant_id=context.payment.merchant_id,
        decision_id=decision.decision_id,
        payment_id=context.payment.payment_id,
        as_of=to_micros(context.as_of),
        champion=decision.versions.model,
        policy_source=decision.policy_source,
        challenger=challenger.version,
        method_id=ours.method_id if ours else None,
        processor=ours.processor if ours else None,
        day=_day(context, ours),
        slot_from=to_micros(max(ours.slot.start, context.as_of)) if ours else None,
        slot_until=ours.slot.end_micros if ours else None,
        challenger_method_id=retry.method_id if retry else None,
        challenger_processor=retry.processor if retry else None,
        challenger_day=_day(context, retry),
        chance=decision.score.probability if decision.score else None,
        challenger_chance=float(challenger.score(context, [ours]).probability[0]) if ours else None,
    )


@contextmanager
def shadowing(shadow: Shadowing) -> Iterator[None]:
    """Ask the challenger while the block runs; what still waits at its end is let go."""
    ended = Event()

    def again_and_again() -> None:
        while not ended.is_set():
            shadow.work(_SECONDS_TO_WAIT)

    thread = Thread(target=again_and_again, name="shadow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_SECONDS_TO_WAIT * 4)


def _day(context: Context, retry: Retry | None) -> str | None:
    """On the issuer's clock."""
    if retry is None:
        return None
    return local_date(retry.slot.start, issuer_clock(context, context.method(retry.method_id)).zone).isoformat()
