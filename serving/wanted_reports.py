"""What report of an experiment is wanted, and how it is computed beside the service: in a short process of its own.

The analysis is not imported here (docs/decisions/0225-reports-by-a-process.md).
"""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from threading import Lock

import orjson

from experiments.definition import Definition
from experiments.definition_file import definition_from_json, definition_to_json
from features.errors import InputError
from serving.settings import Settings, environment_of

_SECONDS_TO_COMPUTE = 900
# One core at most: the others are for decisions.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One merchant's report of an experiment.

    Args:
        database: The ledger that it is read from; that of a sandbox is another.
        as_of: What was known then (UTC).
    """

    merchant_id: str
    definition: Definition
    database: str
    as_of: datetime
    in_sandbox: bool = False

    @property
    def digest(self) -> str:
        """Of everything but the instant: the same where a later report would only be a newer one."""
        parts = (self.merchant_id.encode(), definition_to_json(self.definition), self.database.encode())
        return blake2b(b"\x1f".join(parts), digest_size=16).hexdigest()

    def to_json(self) -> bytes:
        """For the process that computes it; the database, whose address may hold a password, goes another way."""
        definition = definition_to_json(self.definition).decode()
        return orjson.dumps({"merchant_id": self.merchant_id, "as_of": self.as_of, "definition": definition})

    @classmethod
    def from_json(cls, text: bytes, database: str) -> "Wanted":
        """What `to_json` wrote."""
        told = orjson.loads(text)
        definition = definition_from_json(told["definition"].encode())
        return cls(told["merchant_id"], definition, database, datetime.fromisoformat(told["as_of"]))


class ReportProcess:
    """Computes a report by `python -m serving.experiment_reporting`, one at a time.

    Args:
        settings: Of the service; the process has the same, but for the database.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def __call__(self, wanted: Wanted) -> bytes:
        """The facts of the report as JSON.

        Raises:
            InputError: It cannot be computed, did not end in time, or was stopped.
        """
        process = self._begun(wanted)
        try:
            out, complaint = process.communicate(wanted.to_json(), timeout=_SECONDS_TO_COMPUTE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise InputError(f"the report took longer than {_SECONDS_TO_COMPUTE} seconds") from None
        finally:
            self._running = None
        if process.returncode:
            raise InputError(f"the process of the report failed: {_last_line(complaint)}")
        told: dict[str, object] = orjson.loads(out)
        if "refused" in told:
            raise InputError(str(told["refused"]))
        return orjson.dumps(told["facts"])

    def stop(self) -> None:
        """End the process that runs, and begin no other."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                self._running.kill()

    def _begun(self, wanted: Wanted) -> subprocess.Popen[bytes]:
        environment = environment_of(replace(self._settings, database=wanted.database))
        with self._lock:
            if self._stopped:
                raise InputError("the service is stopping")
            self._running = subprocess.Popen(
                [sys.executable, "-m", "serving.experiment_reporting"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | environment | _ONE_THREAD,
            )
            return self._running


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
