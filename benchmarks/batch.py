"""Decisions a second in single calls and in streams, by turns on one service: `python -m benchmarks.batch [ROUNDS]`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import orjson

from serving.examples import EXAMPLES

PORT = 8643
WORKERS = 2
_URL = f"http://127.0.0.1:{PORT}/v1/decisions"
_LINES = 120


def main(rounds: int) -> None:
    """Print the medians, and the ratios of streams to single calls with their range, as JSON."""
    ways: dict[str, Callable[[], float]] = {
        "single_one_caller": lambda: _single(1),
        "single_four_callers": lambda: _single(4),
        "stream_one_caller": lambda: _streamed(1),
        "stream_two_callers": lambda: _streamed(2),
    }
    with _service():
        for way in ways.values():
            way()
        found = [{name: way() for name, way in ways.items()} for _ in range(rounds)]
    medians = {name: median(one[name] for one in found) for name in ways}
    ratios = {
        f"{stream} to {single}": _spread([one[stream] / one[single] for one in found])
        for stream, single in (
            ("stream_one_caller", "single_one_caller"),
            ("stream_two_callers", "single_four_callers"),
        )
    }
    print(orjson.dumps({"per_second": medians, "ratios": ratios}).decode())


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "lowest": min(values), "highest": max(values)}


@contextmanager
def _service() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as home:
        command = [
            str(Path(sys.executable).with_name("recoup")),
            "serve",
            "--port",
            str(PORT),
            "--workers",
            str(WORKERS),
        ]
        environment = {**os.environ, "RECOUP_HOME": home, "RECOUP_LOG_FORMAT": "json"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            _until_ready()
            yield
        finally:
            process.terminate()
            process.wait()


def _until_ready() -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the service did not start")


def _requests(first: int) -> list[bytes]:
    """So many failures with two days left to recover, each a payment of its own."""
    now, found = datetime.now(UTC), []
    for number in range(first, first + _LINES):
        document = orjson.loads(EXAMPLES[number % len(EXAMPLES)].body)
        document.pop("as_of", None)
        document["payment"] |= {
            "payment_id": f"inv_{time.time_ns() % 10**9}x{number}",  # longer runs of digits may read as a card number
            "recover_by": (now + timedelta(days=2)).isoformat(),
        }
        found.append(orjson.dumps(document))
    return found


def _single(callers: int) -> float:
    return _per_second(callers, _call)


def _streamed(callers: int) -> float:
    return _per_second(callers, _stream)


def _per_second(callers: int, work: Callable[[list[bytes]], None]) -> float:
    tasks = [_requests(1_000 * caller) for caller in range(callers)]
    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(work, tasks))
    return callers * _LINES / (time.perf_counter() - began)


def _call(bodies: list[bytes]) -> None:
    with httpx.Client(timeout=120) as client:
        for body in bodies:
            client.post(_URL, content=body, headers={"content-type": "application/json"}).raise_for_status()


def _stream(bodies: list[bytes]) -> None:
    headers = {"content-type": "application/x-ndjson"}
    with httpx.Client(timeout=120) as client:
        answer = client.post(f"{_URL}/batch", content=b"\n".join(bodies), headers=headers)
    statuses = [orjson.loads(line)["status"] for line in answer.content.splitlines()]
    if statuses != [200] * len(bodies):
        raise SystemExit(f"not every line was answered: {statuses}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
