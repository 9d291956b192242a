"""Work beside a service goes on after whatever fails in it, tells of it, and never keeps the service from ending."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from serving import app as module
from serving.app import create_app
from serving.background import again_and_again, beside
from serving.ledger_access import open_ledger
from serving.logs import service_log
from serving.service import Service
from serving.settings import Settings


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_turn_that_fails_in_any_way_is_told_and_the_next_one_comes_after_a_pause() -> None:
    out, done = io.StringIO(), list[str]()

    async def turn() -> None:
        done.append("turn")
        if len(done) == 1:
            raise UnicodeError

    async def pause() -> None:
        done.append("pause")
        if len(done) == 4:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(again_and_again(turn, pause, service_log("json", out), "counting"))
    assert done == ["turn", "pause"] * 2
    ((told),) = lines(out)
    assert (told["event"], told["work"], told["failure"]) == ("work failed", "counting", "UnicodeError")


async def fails() -> None:
    raise UnicodeError


async def ends() -> None:
    pass


@pytest.mark.parametrize(("work", "failure"), [(fails, "UnicodeError"), (ends, None)])
def test_work_that_ends_early_is_told_at_once_and_fails_nothing_else(
    work: Callable[[], Awaitable[None]], failure: str | None
) -> None:
    out = io.StringIO()

    async def run() -> None:
        async with beside(work(), service_log("json", out), "counting"):  # type: ignore[arg-type]
            await asyncio.sleep(0.01)
            ((told),) = lines(out)
            assert (told["event"], told["work"], told.get("failure")) == ("work ended", "counting", failure)

    asyncio.run(run())


def test_work_that_goes_on_is_left_without_a_word() -> None:
    out = io.StringIO()

    async def run() -> None:
        async with beside(asyncio.sleep(60), service_log("json", out), "counting"):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert lines(out) == []


def test_a_service_that_ends_badly_lets_go_of_its_ledger_all_the_same(
    settings: Settings, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(settings, service.rulebook)
    closed: list[bool] = []
    close = ledger.close

    def told() -> None:
        close()
        closed.append(True)

    monkeypatch.setattr(ledger, "close", told)
    app = create_app(settings, service=service, ledger=ledger)

    @asynccontextmanager
    async def badly(*_: object):  # type: ignore[no-untyped-def]
        yield
        raise UnicodeError

    monkeypatch.setattr(module, "delivering", badly)

    async def run() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(UnicodeError):
        asyncio.run(run())
    assert closed == [True]
