"""The events of a sandbox are marked, and go to the receivers of sandboxes and to no other."""

import asyncio
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import pytest

from api_builders import START, Clock, Document
from sandbox_builders import BEGIN, a_failure, sandboxed
from serving.app import create_app
from serving.events_out.addresses import Reach
from serving.events_out.targets import Target, Targets, targets_in
from serving.ledger.outbox import Outbox
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


def a_file(folder: Path, url: str) -> Path:
    tables = [
        f'[[target]]\nmerchant_id = "acme"\nname = "{name}"\nurl = "{url}/{name}"\nreach = "loopback"\n'
        f'secrets = [{{ file = "secret" }}]\n{more}\n'
        for name, more in (("live", ""), ("trial", "sandbox = true"))
    ]
    (folder / "secret").write_text(SECRET)
    (folder / "targets.toml").write_text("\n".join(tables))
    return folder / "targets.toml"


class Receiver:
    """A server of the merchant's that accepts everything."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Document]] = []
        self.came = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-length")
        )
        self.got.append((head.split()[1], json.loads(await reader.readexactly(length))))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.came.set()


def test_targets_of_sandboxes_are_told_of_sandboxes_only(tmp_path: Path) -> None:
    targets = targets_in(a_file(tmp_path, "http://127.0.0.1:1"), None)
    assert targets.outbox == Outbox({"acme": ("live",)})
    assert targets.sandbox_outbox("acme") == Outbox({"acme": ("trial",)}, sandbox=True)
    assert targets.sandbox_outbox("other") == Outbox({"other": ()}, sandbox=True)


def test_an_event_is_sent_to_the_receiver_of_the_sandbox_at_once_signed_and_marked(
    tmp_path: Path, settings: Settings, service: Service
) -> None:
    async def told() -> list[tuple[str, Document]]:
        receiver = Receiver()
        server = await asyncio.start_server(receiver, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        own = replace(settings, event_targets=a_file(tmp_path, f"http://127.0.0.1:{port}"))
        with (
            closing(open_ledger(own, service.rulebook)) as ledger,
            closing(sandboxed(own, service, ledger)) as made,
        ):
            headers = {
                "authorization": f"Bearer {made.sandbox_keys['acme']}",
                "content-type": "application/json",
            }
            transport = httpx.ASGITransport(made.app)
            async with server, httpx.AsyncClient(transport=transport, base_url="http://r", headers=headers) as client:
                clock = orjson.dumps({"now": BEGIN, "reset": True})
                assert (await client.put("/v1/sandbox/clock", content=clock)).status_code == 200
                body = orjson.dumps(a_failure() | {"reserve": True})
                assert (await client.post("/v1/decisions", content=body)).status_code == 200
                await asyncio.wait_for(receiver.came.wait(), 10)
        return receiver.got

    ((path, event),) = asyncio.run(told())
    assert path == "/trial"
    assert (event["type"], event["sandbox"], event["timestamp"]) == ("retry.scheduled", True, BEGIN)


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_live_event_carries_no_mark(sandbox: bool) -> None:
    target = Target("acme", "one", "https://a.example", (SECRET,), Reach.PUBLIC, sandbox)
    targets = Targets((target,))
    assert targets.outbox.sandbox is False
    assert targets.outbox.tells("acme") is not sandbox


def test_a_service_without_a_ledger_has_no_sandbox_and_says_what_it_needs(service: Service) -> None:
    transport = httpx.ASGITransport(create_app(Settings(), service=service, clock=Clock(START)))

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://r") as client:
            return await client.get("/v1/sandbox")

    assert asyncio.run(asked()).status_code == 403


class Hanging:
    """A server of the merchant's that answers nothing, until it is told to."""

    def __init__(self) -> None:
        self.asked, self.answers = 0, asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.answers.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


def test_one_task_sends_for_a_sandbox_that_is_told_and_none_for_whoever_only_reads_or_is_told_nothing(
    tmp_path: Path, settings: Settings, service: Service
) -> None:
    async def run() -> None:
        receiver = Hanging()
        server = await asyncio.start_server(receiver, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        own = replace(settings, event_targets=a_file(tmp_path, f"http://127.0.0.1:{port}"))
        with closing(open_ledger(own, service.rulebook)) as ledger, closing(sandboxed(own, service, ledger)) as made:

            def sending() -> int:
                return sum("Sending._send" in repr(task) for task in asyncio.all_tasks())

            async def ask(merchant: str, method: str, path: str, document: Document | None = None) -> None:
                headers = {
                    "authorization": f"Bearer {made.sandbox_keys[merchant]}",
                    "content-type": "application/json",
                }
                transport = httpx.ASGITransport(made.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://r", headers=headers) as client:
                    answer = await client.request(method, path, content=orjson.dumps(document) if document else None)
                assert answer.status_code == 200

            async with server:
                clock = {"now": BEGIN, "reset": True}
                await ask("other", "PUT", "/v1/sandbox/clock", clock)
                assert sending() == 0
                await ask("acme", "GET", "/v1/sandbox")
                assert sending() == 0
                await ask("acme", "PUT", "/v1/sandbox/clock", clock)
                for payment in ("inv_1", "inv_2", "inv_3"):
                    await ask("acme", "POST", "/v1/decisions", a_failure(payment) | {"reserve": True})
                    assert sending() == 1
                for _ in range(500):
                    if receiver.asked == 3:
                        break
                    await asyncio.sleep(0.01)
                assert receiver.asked == 3
                receiver.answers.set()
                for _ in range(500):
                    if not sending():
                        break
                    await asyncio.sleep(0.01)
                assert sending() == 0

    asyncio.run(run())
