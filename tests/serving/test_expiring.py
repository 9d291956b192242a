"""Holds end by themselves minute by minute; a database that is away for a while stops nothing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from api_builders import Clock
from cap_builders import NOW
from ledger_builders import MERCHANT, a_proposal
from serving.app import create_app
from serving.expiring import expire_again_and_again
from serving.ledger.ledger import Ledger
from serving.ledger.opening import store_at
from serving.ledger.reservations import Reservation, State
from serving.ledger_access import LedgerAccess, open_ledger
from serving.logs import service_log
from serving.service import Service
from serving.settings import Settings


def held(ledger: Ledger) -> None:
    made = ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
    assert isinstance(made, Reservation)


def state(ledger: Ledger) -> State:
    return ledger.reservation(MERCHANT, "r1").state


def until_expired(ledger: Ledger, patience_seconds: float = 120.0) -> None:
    """Wait for the hold to end, but not for ever: a test that waits in vain must fail, not hang."""
    last = time.monotonic() + patience_seconds
    while state(ledger) is State.HELD and time.monotonic() < last:
        time.sleep(0.01)


def turns(
    access: LedgerAccess,
    clock: Clock,
    count: int,
    step: timedelta,
    between: dict[int, Callable[[], None]] | None = None,
) -> None:
    """So many turns with the clock put on between them."""

    async def all_of_them() -> None:
        done = 0

        async def pause() -> None:
            nonlocal done
            done += 1
            if between and done in between:
                between[done]()
            clock.now += step
            if done == count:
                raise asyncio.CancelledError

        await expire_again_and_again(access, service_log("json"), clock, pause)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(all_of_them())


def test_a_hold_ends_at_the_first_turn_after_its_time(settings: Settings, service: Service) -> None:
    clock = Clock(NOW)
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        held(ledger)
        access = LedgerAccess(ledger, service.rulebook)
        turns(access, clock, 3, timedelta(minutes=20))
        assert state(ledger) is State.HELD
        turns(access, clock, 1, timedelta(0))
        assert state(ledger) is State.EXPIRED


def test_a_turn_that_fails_is_told_and_the_next_one_ends_what_is_over(
    settings: Settings, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(NOW + timedelta(hours=3))

    def rename(before: str, after: str) -> None:
        with closing(store_at(settings.database)) as store, store.writing() as transaction:
            transaction.script(f"ALTER TABLE {before} RENAME TO {after};\n")

    with closing(open_ledger(settings, service.rulebook)) as ledger:
        held(ledger)
        rename("reservation", "gone")
        back = {2: lambda: rename("gone", "reservation")}
        turns(LedgerAccess(ledger, service.rulebook), clock, 3, timedelta(minutes=1), back)
        assert state(ledger) is State.EXPIRED
    told = capsys.readouterr().err
    assert told.count("holds were not ended") == 2
    assert told.count("holds ended") == 1


def test_a_running_service_ends_holds_by_itself(settings: Settings, service: Service) -> None:
    ledger = open_ledger(settings, service.rulebook)
    held(ledger)
    app = create_app(settings, service=service, ledger=ledger, clock=Clock(NOW + timedelta(hours=3)))

    async def run() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.to_thread(until_expired, ledger)
            assert state(ledger) is State.EXPIRED

    asyncio.run(run())


def test_a_service_without_a_ledger_starts_and_stops(settings: Settings, service: Service) -> None:
    app = create_app(settings, service=service, clock=Clock(NOW))

    async def run() -> None:
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(run())
