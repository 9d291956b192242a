"""Sends what is due every few seconds, and ends the recoveries whose time is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

import httpx
from structlog.typing import FilteringBoundLogger

from serving.background import again_and_again, beside
from serving.errors import RequestError
from serving.events_out import queue
from serving.events_out.posting import Outcome, Resolver, post, posting_client, resolved
from serving.events_out.queue import Claimed, State, pause_after
from serving.events_out.targets import Targets
from serving.ledger.recoveries import lapse
from serving.ledger.store import Store
from serving.ledger_access import LedgerAccess
from serving.traces import stage

EVERY_SECONDS = 2.0
NAME = "sending events"
MOST_A_TURN = 16
"""All of a turn are sent at once, so that the time of one try bounds the turn well below the lease."""


class Delivering:
    """Sends events to their targets.

    Args:
        resolve: Gives the addresses of a host.
        stamp: Gives the time that is signed, where the clock is not that of the receivers.
        lapses: Gives the time by which recoveries end, where that is another too.
    """

    def __init__(
        self,
        access: LedgerAccess,
        targets: Targets,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        resolve: Resolver = resolved,
        stamp: Callable[[], datetime] | None = None,
        lapses: Callable[[], datetime] | None = None,
    ) -> None:
        self._access, self._targets, self._log, self._clock = access, targets, log, clock
        self._resolve, self._stamp, self._lapses = resolve, stamp or clock, lapses or clock
        self._draw = Random()

    async def turn(self, client: httpx.AsyncClient) -> int:
        """End what has lapsed, then send what is due; how many events were tried.

        Raises:
            RequestError: The ledger cannot be reached; what was taken comes up again when its lease ends.
        """
        await self._access.ask(lambda ledger: lapse(ledger.store, ledger.outbox, self._lapses(), MOST_A_TURN))
        taken = await self._access.ask(lambda ledger: queue.claimed(ledger.store, self._clock(), MOST_A_TURN))
        results = await asyncio.gather(*(self._send(client, one) for one in taken), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(taken)

    async def again_and_again(self, pause: Callable[[], Awaitable[None]]) -> None:
        """Send what is due, and again at once while there is more; then pause. A failure is logged."""
        await again_and_again(self._turns, pause, self._log, NAME)

    async def _turns(self) -> None:
        try:
            async with posting_client() as client:
                while await self.turn(client) == MOST_A_TURN:
                    pass
        except RequestError as error:
            self._log.warning("events were not sent", reason=str(error))

    async def _send(self, client: httpx.AsyncClient, one: Claimed) -> None:
        target = self._targets.named(one.merchant_id, one.target)
        if target is None:
            outcome = Outcome(False, "no target of this name is set up")
        else:
            now = int(self._stamp().timestamp())
            with stage("send event"):
                outcome = await post(client, target, one.event_id, one.body.encode(), now, self._resolve)
        state = await self._access.ask(lambda ledger: self._noted(ledger.store, one, outcome))
        about = {"event_id": one.event_id, "type": one.type, "target": one.target, "tries": one.tries}
        if state is State.DELIVERED:
            self._log.info("event delivered", **about)
        else:
            self._log.warning("event not delivered", reason=outcome.reason, state=state.value, **about)

    def _noted(self, store: Store, one: Claimed, outcome: Outcome) -> State:
        now = self._clock()
        if outcome.accepted:
            queue.accepted(store, one, now)
            return State.DELIVERED
        pause = None if outcome.gone else pause_after(one.tries, self._draw)
        return queue.refused(store, one, outcome.reason, now, pause)


@asynccontextmanager
async def delivering(
    access: LedgerAccess, targets: Targets, log: FilteringBoundLogger, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Send events while the block runs, where targets are set up."""
    if access.ledger is None or not targets.all:
        yield
        return
    worker = Delivering(access, targets, log, clock)
    async with beside(worker.again_and_again(lambda: asyncio.sleep(EVERY_SECONDS)), log, NAME):
        yield
