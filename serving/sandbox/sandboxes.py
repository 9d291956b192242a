"""The sandboxes that this process has open: each a ledger, a clock and an application of its own."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from starlette.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from model.caps.rulebook import Rulebook
from serving.events_out.delivering import Delivering
from serving.events_out.targets import Targets
from serving.ledger.ledger import Ledger
from serving.ledger.recoveries import lapse
from serving.ledger.store import Store
from serving.ledger_access import LedgerAccess
from serving.sandbox.generation import GenerationAccess, was_wiped
from serving.sandbox.place import drop_generations_before, open_generation
from serving.sandbox.sending import MOST_SENDING, Sending
from serving.sandbox.state import SandboxState, clock_moved, known_state, state_of, wiped
from serving.settings import Settings

MOST_OPEN = 16
_TRIES = 10
_MOST_RECOVERIES = 10_000


@dataclass(slots=True)
class SandboxTime:
    """A clock that stands still until it is moved, and never goes back."""

    now: datetime

    def __call__(self) -> datetime:
        """What it shows (UTC)."""
        return self.now

    def show(self, at: datetime) -> None:
        """Move it on; another worker may have moved it further already."""
        self.now = max(self.now, at)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One generation of a merchant's sandbox, open in this process."""

    generation: int
    time: SandboxTime
    access: GenerationAccess
    app: ASGIApp
    sending: Sending | None


@dataclass(frozen=True, slots=True)
class Here:
    """A sandbox as a request finds it."""

    state: SandboxState
    sandbox: Sandbox


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A sandbox after its clock was moved, and what came to its end by that."""

    here: Here
    holds: int
    recoveries: int


@dataclass
class Sandboxes:
    """Opens sandboxes, moves their clocks and wipes them.

    Args:
        live: Where it is kept how each sandbox stands.
        targets: Receivers of events; those of sandboxes are among them.
        build: Makes the application of a sandbox from its ledger and its clock.
        clock: The machine's.
    """

    live: LedgerAccess
    settings: Settings
    rulebook: Rulebook
    targets: Targets
    build: Callable[[LedgerAccess, SandboxTime], ASGIApp]
    clock: Callable[[], datetime]
    log: FilteringBoundLogger
    _open: OrderedDict[str, Sandbox] = field(default_factory=OrderedDict)
    _latest: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _wiping: Lock = field(default_factory=Lock)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_SENDING))

    async def of(self, merchant_id: str) -> Here:
        """A merchant's sandbox; begun where there is none yet.

        Raises:
            RequestError: The ledger cannot be reached.
        """
        return await self._at(await self.live.ask(lambda ledger: state_of(ledger.store, merchant_id, self.clock())))

    async def moved(self, here: Here, to: datetime) -> CaughtUp:
        """A sandbox with its clock set to a later instant; what is over by then has ended.

        Raises:
            RequestError: The clock shows a later instant already.
        """
        state = await self.live.ask(lambda ledger: clock_moved(ledger.store, here.state, to))
        after = await self._at(state)
        return await after.sandbox.access.ask(lambda ledger: _caught_up(ledger, after))

    async def wiped(self, here: Here, now: datetime) -> Here:
        """A sandbox with nothing in it; what was in it is removed."""
        before = here.state

        def anew(ledger: Ledger) -> SandboxState:
            state = wiped(ledger.store, before, now)
            self._end_before(ledger.store, state)
            return state

        return await self._at(await self.live.ask(anew))

    def send_soon(self, sandbox: Sandbox) -> None:
        """Send what is due, beside whatever else is done, where anybody is to be told."""
        if sandbox.sending is not None:
            sandbox.sending.soon()

    def close(self) -> None:
        """Let go of every database; what is not sent by then is left."""
        for task in tuple(self._sending):
            task.cancel()
        with self._lock:
            while self._open:
                self._open.popitem()[1].access.close()

    async def _at(self, state: SandboxState) -> Here:
        here = await self.live.ask(lambda ledger: self._opened(ledger.store, state))
        here.sandbox.time.show(here.state.now)
        return here

    def _opened(self, live: Store, state: SandboxState) -> Here:
        """A sandbox as it stands; as it stands now where it was wiped since the state was read.

        Raises:
            RequestError: It is wiped faster than it can be opened.
        """
        for _ in range(_TRIES):
            with self._lock:
                known = self._open.get(state.merchant_id)
                if known is not None and known.generation == state.generation:
                    self._open.move_to_end(state.merchant_id)
                    return Here(state, known)
                latest = self._latest.get(state.merchant_id, 0)
                if known is None and state.generation >= latest:
                    return Here(state, self._kept(live, state))
            if state.generation < latest:
                state = known_state(live, state.merchant_id)
            else:
                self._end_before(live, state)
        raise was_wiped()

    def _kept(self, live: Store, state: SandboxState) -> Sandbox:
        sandbox = self._open[state.merchant_id] = self._made(live, state)
        self._latest[state.merchant_id] = state.generation
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].access.close()
        return sandbox

    def _end_before(self, live: Store, state: SandboxState) -> None:
        """Let go of what was before this generation, and remove it; nobody opens it again."""
        with self._wiping:  # nobody removes what another one still waits for
            with self._lock:
                self._latest[state.merchant_id] = max(state.generation, self._latest.get(state.merchant_id, 0))
                known = self._open.get(state.merchant_id)
                before = known if known is not None and known.generation < state.generation else None
                if before is not None:
                    del self._open[state.merchant_id]
            if before is not None:
                before.access.end()
            drop_generations_before(self.settings, live, state.merchant_id, state.generation)

    def _made(self, live: Store, state: SandboxState) -> Sandbox:
        store = open_generation(self.settings, live, state.merchant_id, state.generation)
        outbox = self.targets.sandbox_outbox(state.merchant_id)
        ledger = Ledger(store, self.rulebook, outbox)
        access, time = GenerationAccess(ledger, self.rulebook), SandboxTime(state.now)
        told = bool(outbox.targets[state.merchant_id])
        return Sandbox(
            state.generation,
            time,
            access,
            self.build(access, time),
            self._sending_of(access, time) if told else None,
        )

    def _sending_of(self, access: LedgerAccess, time: SandboxTime) -> Sending:
        # What is tried again is so by the sandbox's clock, or by the machine's where that is ahead; what is signed is
        # signed by the machine's, because receivers look at theirs.
        delivering = Delivering(access, self.targets, self.log, lambda: max(time.now, self.clock()), stamp=self.clock)
        return Sending(access, delivering, time, self.log, self._few, self._sending)


def _caught_up(ledger: Ledger, here: Here) -> CaughtUp:
    now = here.state.now
    return CaughtUp(here, ledger.expire(now), lapse(ledger.store, ledger.outbox, now, _MOST_RECOVERIES))
