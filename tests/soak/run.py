"""Minutes of steady work on a service of two workers: no errors, and memory that does not grow.

Usage: python -m soak.run [SECONDS] [SHARE]. It measures what the service can do, then asks for that share of it,
evenly, and reads each worker's own memory (RssAnon: without the kernel's pages of files) every few seconds. Memory is
flat where its growth cannot be told from less than the smallest object of Python an answer: whatever leaks leaks that.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import numpy as np

from api_builders import Document
from callers import asked, machine_clock
from serving.ports import free_port

COMMAND = (sys.executable, "-c", "from serving.cli import main; main()", "serve", "--workers", "2")
MEASURED_S = 20.0
EVERY_S = 5.0
PAYMENTS = 2_000
CALLERS = 16
# Caches fill first: calendars, statements, the database's pages.
SETTLING = 0.25
LEAST_LEAK = sys.getsizeof(object())  # bytes


@dataclass
class Work:
    """What was asked, and what came back."""

    client: httpx.AsyncClient
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)

    async def once(self) -> None:
        """One decision of a few kinds, with what follows it."""
        number = next(self.numbers)
        name = number % PAYMENTS
        body = asked(f"inv_{name}", f"pm_{name}", machine_clock())
        body["attempts"][0]["attempted_at"] = body["payment"]["due_at"] = "2026-11-20T08:00:00Z"
        if number % 4:
            await self.post("/v1/decisions", body | {"reserve": None})
            return
        held = (await self.post("/v1/decisions", body)).get("reservation")
        if held is not None:
            path = f"/v1/reservations/{held['reservation_id']}"
            await self.post(f"{path}/check", {"merchant_id": "acme"})
            await self.post(f"{path}/release", {"merchant_id": "acme"})

    async def post(self, path: str, body: Document) -> Document:
        try:
            response = await self.client.post(path, json=body)
        except httpx.TransportError as error:
            self.answers[0] += 1
            self.wrong.append(repr(error))
            return {}
        self.answers[response.status_code] += 1
        if response.status_code != 200:
            self.wrong.append(response.text)
            return {}
        answer: Document = response.json()
        return answer


async def as_fast_as_can_be(work: Work, seconds: float) -> float:
    """Rounds a second with as many callers as there will be, none of whom pauses; what fills with them fills now."""
    end, done = time.monotonic() + seconds, 0

    async def call_on() -> None:
        nonlocal done
        while time.monotonic() < end:
            await work.once()
            done += 1

    await asyncio.gather(*(call_on() for _ in range(CALLERS)))
    return done / seconds


async def evenly(work: Work, a_second: float, seconds: float, workers: list[int]) -> list[tuple[float, list[float]]]:
    """Ask at that rate whether answers are quick or not; the memory of each worker (MiB) by time (s)."""
    began, free = time.monotonic(), asyncio.Semaphore(CALLERS)
    samples: list[tuple[float, list[float]]] = []
    running: set[asyncio.Task[None]] = set()

    async def one() -> None:
        try:
            await work.once()
        finally:
            free.release()

    for number in range(int(a_second * seconds)):
        now = time.monotonic() - began
        if now > seconds:
            break
        if not samples or now - samples[-1][0] >= EVERY_S:
            samples.append((now, [memory_of(pid) for pid in workers]))
        await asyncio.sleep(max(0.0, number / a_second - now))
        await free.acquire()
        task = asyncio.create_task(one())
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    samples.append((time.monotonic() - began, [memory_of(pid) for pid in workers]))
    return samples


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def memory_of(pid: int) -> float:
    """What the process keeps for itself (MiB)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def slope(seconds: np.ndarray[tuple[int], np.dtype[np.float64]], mib: list[float]) -> tuple[float, float]:
    """Growth (MiB an hour) and half the width of its 95 % interval.

    The residuals of one series follow each other, so the interval is that of means of a tenth of the time each.
    """
    parts = np.array_split(np.column_stack([seconds, mib]), 10)
    t, y = np.array([part.mean(axis=0) for part in parts]).T
    centred = t - t.mean()
    steep = float(centred @ y / (centred @ centred))
    left = y - y.mean() - steep * centred
    error = float(np.sqrt(left @ left / (len(t) - 2) / (centred @ centred)))
    return steep * 3600, 2.31 * error * 3600  # Student's t with 8 degrees of freedom


async def soaked(address: str, seconds: float, share: float, workers: list[int]) -> bool:
    """Whether it went well; the figures are printed."""
    limits = httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        work = Work(client)
        fastest = await as_fast_as_can_be(work, MEASURED_S)
        say(f"{fastest:.1f} rounds a second at most; asking for {share * fastest:.1f}")
        before = work.answers.total()
        samples = await evenly(work, share * fastest, seconds, workers)
    say(f"answers by status: {dict(sorted(work.answers.items()))}")
    for text in work.wrong[:5]:
        say(text)
    flat, hourly = True, (work.answers.total() - before) / len(workers) / samples[-1][0] * 3600
    late = [one for one in samples if one[0] >= SETTLING * seconds]
    for i, pid in enumerate(workers):
        mib = [one[1][i] for one in late]
        steep, half = slope(np.array([one[0] for one in late]), mib)
        grown = samples[-1][1][i] - samples[0][1][i]
        least = (steep - half) * 2**20 / hourly
        say(
            f"worker {pid}: {samples[0][1][i]:.1f} MiB at first, {mib[-1]:.1f} at last ({grown:+.1f}); after settling "
            f"{steep:+.2f} MiB an hour (95 % interval {steep - half:+.2f} to {steep + half:+.2f}), "
            f"at least {least:+.1f} bytes an answer (a leak is {LEAST_LEAK} or more)"
        )
        flat = flat and least < LEAST_LEAK
    return flat and set(work.answers) == {200}


def main() -> int:
    """Start the service, soak it, stop it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 0.7
    port = free_port()
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("wb") as log:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "MLFLOW_"))}
        environment = own | {"RECOUP_HOME": home, "RECOUP_LOG_FORMAT": "json"}
        process = subprocess.Popen([*COMMAND, "--port", str(port)], env=environment, stderr=log)
        try:
            while (Path(home) / "log").read_text().count('"ready"') < 2:
                time.sleep(0.2)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            workers = [int(pid) for pid in children]
            good = asyncio.run(soaked(f"http://127.0.0.1:{port}", seconds, share, workers))
            told = (Path(home) / "log").read_text()
            warnings = told.count('"level": "warning"') - told.count("no model answers")
            failures = told.count("Traceback") + told.count('"event": "failed"')
            say(f"warnings in the log: {warnings}; failures: {failures}")
        finally:
            process.terminate()
            process.wait(60)
    say("flat and without errors" if good else "NOT flat, or not without errors")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
