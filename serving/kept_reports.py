"""Reports of experiments as the service has them: the last one of each, and a queue of those to be computed anew.

They are kept as files in the home, for all workers. One is computed at a time, whichever worker it was asked of: they
share a lock, which the system lets go of with the worker that holds it.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from threading import Event, Lock
from typing import IO

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from structlog.typing import FilteringBoundLogger

from features.errors import RecoupError
from serving.settings import Settings
from serving.wanted_reports import ReportProcess, Wanted

FOLDER = "reports"
MOST_WAITING = 100
_AGAIN_AFTER_FAILURE_S = 60
_LOOK_AT_LOCK_S = 0.2

Compute = Callable[[Wanted], bytes]
"""The facts of a report as JSON; raises a `RecoupError` where it cannot be computed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The last report of one experiment and merchant.

    Args:
        digest: Of what it is the report.
        tried_at: When it was last computed, or that failed, by the machine's clock (seconds since 1970).
        computed_at: What it holds was known then, by the clock of its ledger; None where there is no report yet.
        facts: The report as JSON.
        failed: Why the last computation failed; None where it did not.
    """

    digest: str
    tried_at: float
    computed_at: AwareDatetime | None
    facts: str | None
    failed: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of a report at an instant.

    Args:
        waiting: Whether it is to be computed anew, or is being so.
    """

    kept: Kept | None
    waiting: bool


class Reports:
    """The reports of a service.

    Args:
        compute: Computes one; in the service, in a process of its own.
        fresh_seconds: For how long one is answered before it is computed again.
        run: Runs the work of the queue, in order; where it is done at once, nothing ever waits.
        end: Ends what is being run.
        clock: The machine's, in seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        compute: Compute,
        fresh_seconds: float,
        log: FilteringBoundLogger,
        run: Callable[[Callable[[], None]], object],
        end: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._compute, self._fresh_seconds, self._log = folder, compute, fresh_seconds, log
        self._run, self._end, self._clock = run, end, clock
        self._lock, self._waiting, self._stopped = Lock(), set[str](), Event()

    def standing(self, wanted: Wanted) -> Standing:
        """The last report, and whether another is on its way; asks for it where that one is old or of another plan."""
        kept = self._read(wanted)
        if kept is not None and self._is_fresh(kept, wanted):
            return Standing(kept, waiting=False)
        self._ask_for(wanted)
        kept = self._read(wanted)
        return Standing(kept, waiting=kept is None or not self._is_fresh(kept, wanted))

    def close(self) -> None:
        """Compute nothing more; what is being computed ends."""
        self._stopped.set()
        self._end()

    def _ask_for(self, wanted: Wanted) -> None:
        with self._lock:
            if wanted.digest in self._waiting or len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.add(wanted.digest)
        self._run(lambda: self._work(wanted))

    def _work(self, wanted: Wanted) -> None:
        try:
            with self._alone() as mine:
                kept = self._read(wanted)
                # Another worker may have been asked for the same one before.
                if mine and not (kept is not None and self._is_fresh(kept, wanted)):
                    self._write(wanted, self._computed(wanted, kept))
        except Exception:  # noqa: BLE001 - the queue goes on with the next one
            self._log.exception("a report could not be kept", experiment=wanted.definition.key)
        finally:
            with self._lock:
                self._waiting.discard(wanted.digest)

    def _computed(self, wanted: Wanted, before: Kept | None) -> Kept:
        began, key = time.perf_counter(), wanted.definition.key
        try:
            facts = self._compute(wanted).decode()
        except RecoupError as error:
            self._log.warning("a report could not be computed", experiment=key, reason=str(error))
            known = (before.computed_at, before.facts) if before else (None, None)
            return Kept(wanted.digest, self._clock(), *known, str(error))
        self._log.info("report computed", experiment=key, seconds=round(time.perf_counter() - began, 3))
        return Kept(wanted.digest, self._clock(), wanted.as_of, facts, None)

    def _is_fresh(self, kept: Kept, wanted: Wanted) -> bool:
        """By the machine's clock, and by that of the ledger, which in a sandbox is another."""
        seconds = self._clock() - kept.tried_at
        if kept.failed is not None:
            return 0 <= seconds < min(_AGAIN_AFTER_FAILURE_S, self._fresh_seconds)
        passed = age_seconds(kept, wanted.as_of)
        return 0 <= seconds < self._fresh_seconds and passed < self._fresh_seconds

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """While no other worker computes a report; false where the service stops before that."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("wb") as lock:
            mine = _locked(lock)
            while not mine and not self._stopped.wait(_LOOK_AT_LOCK_S):
                mine = _locked(lock)
            yield mine and not self._stopped.is_set()

    def _read(self, wanted: Wanted) -> Kept | None:
        """What is kept of a report; None where that is nothing, or of another definition or another ledger."""
        try:
            kept = _KEPT.validate_json(self._file(wanted).read_bytes())
        except (OSError, ValidationError):
            return None
        return kept if kept.digest == wanted.digest else None

    def _write(self, wanted: Wanted, kept: Kept) -> None:
        file = self._file(wanted)
        part = file.with_suffix(".part")
        part.write_bytes(_KEPT.dump_json(kept))
        part.replace(file)

    def _file(self, wanted: Wanted) -> Path:
        """One for each experiment and merchant, live and in its sandbox: a later one takes its place."""
        place = "sandbox" if wanted.in_sandbox else "live"
        named = f"{place}\x1f{wanted.merchant_id}\x1f{wanted.definition.key}"
        return self._folder / f"{blake2b(named.encode(), digest_size=16).hexdigest()}.json"


def reports_of(settings: Settings, log: FilteringBoundLogger) -> Reports:
    """The reports of a service, each computed by a process; nothing is begun before one is asked for."""
    process, queue = ReportProcess(settings), ThreadPoolExecutor(1, "reports")

    def end() -> None:
        process.stop()
        queue.shutdown(cancel_futures=True)

    return Reports(settings.home / FOLDER, process, settings.report_seconds, log, queue.submit, end)


def _locked(lock: IO[bytes]) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def age_seconds(kept: Kept, now: datetime) -> float:
    """How long ago a report was computed, by the clock of its ledger; zero without one."""
    return max((now - kept.computed_at).total_seconds(), 0.0) if kept.computed_at else 0.0


_KEPT = TypeAdapter(Kept)
