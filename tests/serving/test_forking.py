"""Workers forked by uvicorn's supervisor: what first and later ones are made of, and what signals mean to them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest
from fastapi import FastAPI

from serving.forking import FORKS, Prepared
from serving.ports import free_port

SECONDS = 180.0
ENDED_AFTER_ANSWERING = {-signal.SIGTERM, 0}
# Tells who answers, what it was made of, and which signals it does not treat as a new process would.
_SERVICE = """
import json, os, signal, sys
from uvicorn import Config
from serving.forking import Prepared, Workers
from serving.ports import bound_socket

def made_of(what):
    own = {signal.SIGINT, signal.SIGTERM}  # of uvicorn's server
    handled = [s.name for s in signal.valid_signals() - own if callable(signal.getsignal(s))]
    blocked = [s.name for s in signal.pthread_sigmask(signal.SIG_BLOCK, ())]

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        told = {"pid": os.getpid(), "of": what, "handled": handled, "blocked": blocked}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    return app

loaded = ["what was loaded"]
prepared = Prepared(lambda: made_of(loaded[0]), lambda: made_of("what is there"))
config = Config(prepared, factory=True, workers=2, log_level="warning", lifespan="off")
Workers(config, sockets=[bound_socket("127.0.0.1", int(sys.argv[1]))]).run()
"""

_NEVER_UP = """
from uvicorn import Config
from serving.forking import Prepared, Workers
from serving.ports import bound_socket

async def app(scope, receive, send):
    raise ValueError("the application cannot start")

config = Config(Prepared(lambda: app, lambda: app), factory=True, workers=2, log_level="warning", lifespan="on")
Workers(config, sockets=[bound_socket("127.0.0.1", 0)]).run()
"""

pytestmark = pytest.mark.skipif(not FORKS, reason="workers are forked on Linux only")


@pytest.fixture
def running() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of two workers, and who watches over them."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _SERVICE, str(port)])
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_what_was_loaded_is_let_go_of_once_it_was_used() -> None:
    loaded, there = FastAPI(), FastAPI()
    prepared = Prepared(lambda: loaded, lambda: there)
    assert prepared() is loaded
    assert prepared() is loaded
    prepared.forget()
    assert prepared() is there


def test_workers_that_cannot_start_end_as_a_failure_that_whoever_looks_after_them_sees() -> None:
    ended = subprocess.run([sys.executable, "-c", _NEVER_UP], capture_output=True, timeout=SECONDS, check=False)
    assert ended.returncode == 3


def test_first_workers_answer_with_what_was_loaded_and_their_replacements_with_what_is_there(
    running: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = running
    until(lambda: len(answers(address)) == 2)
    first = answers(address)
    assert {told["of"] for told in first.values()} == {"what was loaded"}
    assert set(first) == set(workers_of(process.pid))
    for told in first.values():
        assert told["handled"] == []
        assert told["blocked"] == []
    killed, kept = first
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(answers(address).keys() - {killed}) == 2)
    (new,) = answers(address).keys() - {killed, kept}
    assert answers(address)[new]["of"] == "what is there"
    assert answers(address)[kept]["of"] == "what was loaded"


def test_all_of_them_are_replaced_when_that_is_asked_for(running: tuple[str, subprocess.Popen[bytes]]) -> None:
    address, process = running
    until(lambda: len(answers(address)) == 2)
    before = answers(address).keys()
    process.send_signal(signal.SIGHUP)
    until(lambda: len(answers(address)) == 2 and before.isdisjoint(answers(address)))
    assert {told["of"] for told in answers(address).values()} == {"what is there"}


def test_connections_that_are_made_at_once_are_shared_out(running: tuple[str, subprocess.Popen[bytes]]) -> None:
    address, process = running
    until(lambda: len(answers(address)) == 2)
    pool = [HTTPConnection(address.removeprefix("http://"), timeout=SECONDS) for _ in range(16)]
    for connection in pool:
        connection.connect()
    told = []
    for connection in pool:
        connection.request("GET", "/")
        told.append(json.load(connection.getresponse())["pid"])
        connection.close()
    assert min(told.count(worker) for worker in workers_of(process.pid)) >= 4


def test_workers_end_with_whoever_watches_over_them(running: tuple[str, subprocess.Popen[bytes]]) -> None:
    address, process = running
    until(lambda: len(answers(address)) == 2)
    workers = workers_of(process.pid)
    process.terminate()
    assert process.wait(SECONDS) in ENDED_AFTER_ANSWERING
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_workers_end_where_whoever_watches_over_them_is_killed(running: tuple[str, subprocess.Popen[bytes]]) -> None:
    address, process = running
    until(lambda: len(answers(address)) == 2)
    workers = workers_of(process.pid)
    process.kill()
    process.wait(SECONDS)
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_workers_that_are_told_to_end_before_they_are_ready_end_once_they_are(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from uvicorn import Config\n"
        "from serving.forking import Prepared, Workers\n"
        "from serving.ports import bound_socket\n"
        "folder = Path(sys.argv[1])\n"
        "def slow():\n"
        "    with (folder / 'begun').open('a') as told:\n"
        "        told.write('begun ')\n"
        "    while not (folder / 'go').exists():\n"
        "        time.sleep(0.01)\n"
        "    async def app(scope, receive, send):\n"
        "        pass\n"
        "    return app\n"
        "config = Config(Prepared(slow, slow), factory=True, workers=2, log_level='warning', lifespan='off')\n"
        "Workers(config, sockets=[bound_socket('127.0.0.1', 0)]).run()\n"
    )
    (tmp_path / "begun").touch()
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    try:
        until(lambda: (tmp_path / "begun").read_text() == "begun begun ")
        process.terminate()
        (tmp_path / "go").touch()
        assert process.wait(SECONDS) in ENDED_AFTER_ANSWERING
    finally:
        (tmp_path / "go").touch()
        process.terminate()
        process.wait(SECONDS)


_SLOW = """
import asyncio, os, sys, time
from pathlib import Path
from uvicorn import Config
from serving.forking import Prepared, Workers
from serving.ports import listen, bound_socket, port_of

folder = Path(sys.argv[1])

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    (folder / f"started {os.getpid()}").touch()
    await receive()
    (folder / "closing").touch()
    while not (folder / "go").exists():
        await asyncio.sleep(0.01)
    await send({"type": "lifespan.shutdown.complete"})

def loading():
    time.sleep(3.0)  # longer than a worker that answers no more is given
    (folder / "loaded").open("a").write("loaded ")
    return app

config = Config(Prepared(lambda: app, loading), factory=True, workers=2, log_level="warning", lifespan="on",
    timeout_worker_healthcheck=1)
bound = bound_socket("127.0.0.1", 0)
listen(bound)
print(port_of(bound), flush=True)
Workers(config, [bound], ended=lambda pid, code: (folder / "ended").write_text(f"{pid} {code}")).run()
"""


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The port of two workers that load for long and take their time to end, and who watches over them."""
    process = subprocess.Popen([sys.executable, "-c", _SLOW, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout as told:
            port = int(told.readline())
        until(lambda: len(list(tmp_path.glob("started *"))) == 2)
        yield port, process
    finally:
        (tmp_path / "go").touch()
        process.terminate()
        process.wait(SECONDS)


def test_nobody_is_let_in_any_more_while_workers_end(slow: tuple[int, subprocess.Popen[str]], tmp_path: Path) -> None:
    port, process = slow
    process.terminate()
    until((tmp_path / "closing").exists)
    until(lambda: not is_open(port))
    assert process.poll() is None
    (tmp_path / "go").touch()
    assert process.wait(SECONDS) in ENDED_AFTER_ANSWERING


def test_a_replacement_that_loads_for_long_is_waited_for(
    slow: tuple[int, subprocess.Popen[str]], tmp_path: Path
) -> None:
    _, process = slow
    before = workers_of(process.pid)
    (tmp_path / "go").touch()
    process.send_signal(signal.SIGHUP)
    until(lambda: len(now := workers_of(process.pid)) == 2 and not set(now) & set(before))
    assert (tmp_path / "loaded").read_text() == "loaded loaded "


def test_a_worker_that_ended_by_itself_is_told_of(slow: tuple[int, subprocess.Popen[str]], tmp_path: Path) -> None:
    _, process = slow
    killed, _ = workers_of(process.pid)
    os.kill(killed, signal.SIGKILL)
    until((tmp_path / "ended").exists)
    assert (tmp_path / "ended").read_text() == f"{killed} {-signal.SIGKILL}"


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5.0):
        return True
    return False


def answers(address: str) -> dict[int, dict[str, object]]:
    """What each worker that answers tells, by its number."""
    found: dict[int, dict[str, object]] = {}
    for _ in range(40):
        try:
            with urlopen(address, timeout=SECONDS) as answer:
                told = json.load(answer)
        except (OSError, HTTPException):  # nobody listens yet, or who had taken the connection is gone
            time.sleep(0.05)
            continue
        found[told["pid"]] = told
    return found


def workers_of(watching: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{watching}/task/{watching}/children").read_text().split()]


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
