"""Sends what is due every few seconds; while some receivers are slow, the others are sent theirs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

import httpx
from structlog.typing import FilteringBoundLogger

from serving.background import again_and_again, beside
from serving.errors import RequestError
from serving.events_out import queue
from serving.events_out.posting import Outcome, Resolver, post, posting_client, resolved, trusted
from serving.events_out.queue import Claimed, State, pause_after
from serving.events_out.shares import Shares
from serving.events_out.targets import Targets
from serving.ledger.store import Store
from serving.ledger_access import LedgerAccess
from serving.traces import stage

EVERY_SECONDS = 2.0
_NAME = "sending events"

Look = Callable[[], Awaitable[object]]
"""Awaited before what is due is looked for again."""


class Delivering:
    """Sends events to their targets.

    Args:
        resolve: Gives the addresses of a host.
        stamp: Gives the time that is signed, where the clock is not that of the receivers.
    """

    def __init__(
        self,
        access: LedgerAccess,
        targets: Targets,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        resolve: Resolver = resolved,
        stamp: Callable[[], datetime] | None = None,
    ) -> None:
        self._access, self._targets, self._log, self._clock = access, targets, log, clock
        self._resolve, self._stamp = resolve, stamp or clock
        self._draw, self._shares = Random(), Shares()

    async def send_due(self, look: Look) -> int:
        """Send until nothing is due that may be sent now; how many tries that were.

        Args:
            look: While some are on their way, what has become due is taken up after this too.

        Raises:
            RequestError: The ledger cannot be reached; what was taken is sent all the same.
        """
        tries, on_their_way = 0, set[asyncio.Task[None]]()
        async with posting_client(await trusted()) as client:
            try:
                while (taken := await self._taken()) or on_their_way:
                    tries += len(taken)
                    on_their_way |= {asyncio.create_task(self._send(client, one)) for one in taken}
                    on_their_way = await _without_the_first(on_their_way, look)
            except Exception:
                await asyncio.gather(*on_their_way)
                raise
            finally:
                for task in on_their_way:
                    task.cancel()
                await asyncio.gather(*on_their_way, return_exceptions=True)
        return tries

    async def again_and_again(self, pause: Look) -> None:
        """Send what is due, pause, and again. A failure is logged."""

        async def turn() -> None:
            try:
                await self.send_due(pause)
            except RequestError as error:
                self._log.warning("events were not sent", reason=str(error))

        await again_and_again(turn, pause, self._log, _NAME)

    async def _taken(self) -> Sequence[Claimed]:
        now = self._clock()
        shares = self._shares.of(await self._access.ask(lambda ledger: queue.receivers_due(ledger.store, now)), now)
        if not shares:
            return ()
        taken = await self._access.ask(lambda ledger: queue.claimed(ledger.store, now, shares))
        for one in taken:
            self._shares.begun(one.receiver)
        return taken

    async def _send(self, client: httpx.AsyncClient, one: Claimed) -> None:
        outcome = Outcome(False)
        try:
            outcome = await self._tried(client, one)
            await self._note(one, outcome)
        except RequestError as error:
            self._log.warning("events were not sent", reason=str(error))
        except Exception:  # noqa: BLE001 - it is told, and nobody else's sending ends with it
            self._log.exception("work failed", work=_NAME)
        finally:
            self._shares.ended(one.receiver, self._clock(), silent=outcome.silent)

    async def _tried(self, client: httpx.AsyncClient, one: Claimed) -> Outcome:
        target = self._targets.named(one.receiver.merchant_id, one.receiver.target)
        if target is None:
            return Outcome(False, "no target of this name is set up")
        now = int(self._stamp().timestamp())
        with stage("send event"):
            return await post(client, target, one.event_id, one.body.encode(), now, self._resolve)

    async def _note(self, one: Claimed, outcome: Outcome) -> None:
        state = await self._access.ask(lambda ledger: self._noted(ledger.store, one, outcome))
        about = {"event_id": one.event_id, "type": one.type, "target": one.receiver.target, "tries": one.tries}
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


async def _without_the_first(on_their_way: set[asyncio.Task[None]], look: Look) -> set[asyncio.Task[None]]:
    """Those that are left once one has ended, or it is time to look again."""
    looking = asyncio.ensure_future(look())
    try:
        await asyncio.wait({*on_their_way, looking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        looking.cancel()
    return {task for task in on_their_way if not task.done()}


@asynccontextmanager
async def delivering(
    access: LedgerAccess, targets: Targets, log: FilteringBoundLogger, clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Send events while the block runs, where targets are set up."""
    if access.ledger is None or not targets.all:
        yield
        return
    worker = Delivering(access, targets, log, clock)
    async with beside(worker.again_and_again(lambda: asyncio.sleep(EVERY_SECONDS)), log, _NAME):
        yield
