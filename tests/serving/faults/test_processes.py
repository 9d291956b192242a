"""A worker that is killed and a disk that is full, under real processes: work goes on, and nothing told is lost."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from callers import Load, Told, holds_what_it_told
from serving.examples import EXAMPLES
from serving.ports import free_port

COMMAND = (sys.executable, "-c", "from serving.cli import main; main()", "serve", "--workers", "2")
FULL_S = 0.5


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, Path]]:
    """The address, the process that watches over two workers, and their home."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "MLFLOW_"))}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "--port", str(port)],
            env=own | {"RECOUP_HOME": str(home), "RECOUP_LOG_FORMAT": "json", "RECOUP_DECISION_SECONDS": "60"},
            stderr=log,
        )
        try:
            until(lambda: (home / "log").read_text().count('"ready"') == 2)
            yield f"http://127.0.0.1:{port}", process.pid, home
        finally:
            process.terminate()
            process.wait(120)


def test_one_stream_is_answered_by_both_workers(running: tuple[str, int, Path]) -> None:
    address, watching, _ = running
    workers, lines = workers_of(watching), [example.body.replace(b"\n", b" ") for example in EXAMPLES] * 6
    until(lambda: all(listens_for_others(worker) for worker in workers))
    before = [processor_ticks(worker) for worker in workers]
    answer = httpx.post(
        f"{address}/v1/decisions/batch",
        content=b"\n".join(lines),
        headers={"content-type": "application/x-ndjson"},
        timeout=300,
    )
    told = [orjson.loads(line) for line in answer.content.splitlines()]
    assert [(one["index"], one["status"]) for one in told] == [(place, 200) for place in range(len(lines))]
    spent = [processor_ticks(worker) - then for worker, then in zip(workers, before, strict=True)]
    assert min(spent) > sum(spent) / 10


def test_a_killed_worker_is_replaced_and_nothing_told_is_lost(running: tuple[str, int, Path]) -> None:
    address, watching, home = running
    log = home / "log"

    def fault() -> None:
        started = log.read_text().count('"ready"')
        os.kill(workers_of(watching)[0], signal.SIGKILL)
        until(lambda: log.read_text().count('"ready"') > started)

    told_around(address, fault)
    assert len(workers_of(watching)) == 2


def test_a_full_disk_refuses_work_until_there_is_room_and_nothing_told_is_lost(
    running: tuple[str, int, Path],
) -> None:
    address, watching, home = running

    def fault() -> None:
        # No file may grow: as on a full disk each write fails, for a worker ignores the signal that comes with it.
        for worker in workers_of(watching):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        refused = httpx.post(f"{address}/v1/admin/resume", json={"merchant_id": "acme", "reason": "nothing"})
        assert refused.status_code == 503
        assert httpx.get(f"{address}/health").status_code == 200
        time.sleep(FULL_S)
        for worker in workers_of(watching):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    told = told_around(address, fault)
    assert told.refused[503] > 0
    assert "Traceback" not in (home / "log").read_text()


def told_around(address: str, fault: Callable[[], None]) -> Told:
    """What was told under load around a fault, and is still so afterwards."""

    async def run() -> Told:
        async with httpx.AsyncClient(base_url=address, timeout=120) as client:
            told = await Load(client).around(fault)
            await holds_what_it_told(client, told)
        return told

    return asyncio.run(run())


def workers_of(watching: int) -> list[int]:
    """The processes that answer."""
    return [int(pid) for pid in Path(f"/proc/{watching}/task/{watching}/children").read_text().split()]


def listens_for_others(worker: int) -> bool:
    """Whether a worker has a socket in the folder where workers find each other."""
    opened = {str(each.readlink()) for each in Path(f"/proc/{worker}/fd").iterdir()}
    sockets = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    return any(f"socket:[{each[6]}]" in opened for each in sockets if "/recoup-" in each[-1])


def processor_ticks(pid: int) -> int:
    """What a process has used of the processor so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(stat[11]) + int(stat[12])


def until(true: Callable[[], bool], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.05)
