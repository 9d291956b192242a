"""A sandbox that is wiped while it is used: nothing of it is left, and whoever was in it is told."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import TypeVar

import httpx
import pytest

from api_builders import START
from cap_builders import NOW
from sandbox_builders import Sandboxed, a_failure, begin
from serving.errors import RequestError
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.sandbox.generation import GenerationAccess
from serving.sandbox.sandboxes import Here, Sandboxes
from serving.service import Service
from serving.settings import Settings

Answer = TypeVar("Answer")
SECONDS = 60.0


def sandbox_files(settings: Settings) -> set[str]:
    return {file.name.partition(".")[0] for file in (settings.home / "sandbox").iterdir()}


def sandboxes_of(made: Sandboxed) -> Sandboxes:
    found: Sandboxes = made.app.state.sandboxes
    return found


def test_wiped_again_and_again_while_it_is_used_it_leaves_nothing_and_answers_everybody(
    service_with_sandboxes: Sandboxed, settings: Settings
) -> None:
    api, told = service_with_sandboxes.sandbox(), Counter[int]()

    async def ask(client: httpx.AsyncClient, name: str) -> None:
        for i in range(12):
            told[
                (await client.post("/v1/decisions", json=a_failure(f"{name}_{i}") | {"reserve": True})).status_code
            ] += 1

    async def wipe(client: httpx.AsyncClient) -> None:
        for _ in range(8):
            told[(await client.delete("/v1/sandbox")).status_code] += 1

    async def all_at_once() -> None:
        network = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=network, base_url="http://recoup", headers=api.headers) as client:
            await asyncio.gather(*(ask(client, name) for name in "abc"), wipe(client), wipe(client))

    asyncio.run(all_at_once())
    assert set(told) <= {200, 409}
    generation = api.get("/v1/sandbox")["generation"]
    (left,) = sandbox_files(settings)
    assert left.endswith(f"_{generation}")


def test_whoever_comes_as_it_is_wiped_finds_it_as_it_is_now(
    service_with_sandboxes: Sandboxed, settings: Settings, service: Service
) -> None:
    sandboxes = sandboxes_of(service_with_sandboxes)

    class WipedInBetween(LedgerAccess):
        """Wipes the sandbox as soon as somebody has read how it stands."""

        before: Here | None = None

        async def ask(self, work: Callable[[Ledger], Answer], *, though_left: bool = False) -> Answer:
            answer = await super().ask(work, though_left=though_left)
            if self.before is not None:
                before, self.before = self.before, None
                await sandboxes.wiped(before, START)
            return answer

    async def come() -> Here:
        live = WipedInBetween(service_with_sandboxes.ledger, service.rulebook)
        before = await sandboxes.of("acme")
        sandboxes.live, live.before = live, before
        return await sandboxes.of("acme")

    here = asyncio.run(come())
    assert (here.state.generation, here.sandbox.generation) == (2, 2)
    (left,) = sandbox_files(settings)
    assert left.endswith("_2")


def test_a_ledger_that_went_back_to_an_earlier_generation_is_told_and_not_waited_for(
    service_with_sandboxes: Sandboxed,
) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    with service_with_sandboxes.ledger.store.writing() as transaction:
        transaction.script("UPDATE sandbox SET generation = 1;\n")  # as from a copy of the day before
    assert api.send("GET", "/v1/sandbox").status_code == 409


def test_what_a_slower_worker_made_once_more_is_removed_the_next_time(
    service_with_sandboxes: Sandboxed, settings: Settings
) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    (only,) = sandbox_files(settings)
    made_again = settings.home / "sandbox" / f"{only.removesuffix('_2')}_1.db"
    made_again.touch()
    assert api.send("DELETE", "/v1/sandbox").status_code == 200
    assert not made_again.exists()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "generation.db"


def ask_until_it_is_refused(access: GenerationAccess) -> None:
    for _ in range(6_000):
        access.ask_here(lambda _: sleep(0.01))


def test_an_ended_generation_waits_for_who_is_at_work_and_refuses_who_comes(place: Path, service: Service) -> None:
    with closing(Ledger.opened(f"sqlite:///{place}?synchronous=normal", service.rulebook)) as ledger:
        access = GenerationAccess(ledger, service.rulebook)
        begun, go_on, done = Event(), Event(), list[str]()

        def work(one: Ledger) -> None:
            begun.set()
            assert go_on.wait(SECONDS)
            done.append(f"{one.expire(NOW)} ended")

        def end() -> None:
            access.end()
            done.append("over")

        working, ending = Thread(target=access.ask_here, args=(work,)), Thread(target=end)
        working.start()
        assert begun.wait(SECONDS)
        ending.start()
        with pytest.raises(RequestError, match="wiped") as refused:
            ask_until_it_is_refused(access)
        assert (refused.value.kind.status, done) == (409, [])
        go_on.set()
        for thread in (working, ending):
            thread.join(SECONDS)
        assert done == ["0 ended", "over"]
        place.unlink()
        with pytest.raises(RequestError, match="wiped"):
            access.ask_here(lambda one: one.expire(NOW))
        assert not place.exists()
