"""What a start costs until the service is ready: `python -m benchmarks.start HISTORY ARTIFACT`; prints JSON.

The model is 500 trees of 47 leaves, the ledger SQLite. Seconds by the clock depend on what else the machine does; those
of the processor, of the command and all that it started, far less. Every start must answer with the model.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.scoring import stated
from model.artifact import read_artifact, write_artifact
from serving.ports import free_port

STARTS = 5
TREES = 500
_PATIENCE_S = 120.0


def main(history: str, artifact_folder: str) -> None:
    """Print seconds from the command to the first answer of /ready, by workers."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_artifact(stated(read_artifact(Path(artifact_folder)), Path(history), TREES), home / "model")
        print(json.dumps({f"{workers} workers": measured(home, workers) for workers in (1, 2)}))


def measured(home: Path, workers: int) -> dict[str, dict[str, float]]:
    """Median and range of several starts; the first, which brings files into memory, is not counted."""
    starts = [_start(home, workers) for _ in range(1 + STARTS)][1:]
    clock, processor = zip(*starts, strict=True)
    return {"clock": _spread(clock), "processor": _spread(processor)}


def _start(home: Path, workers: int) -> tuple[float, float]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("recoup")), "serve", "--port", str(port), "--workers", str(workers)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--model", str(home / "model")],
        env={**os.environ, **_settings(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = _ready(port, began + _PATIENCE_S)
        took = time.perf_counter() - began, processor_seconds(process.pid)
    finally:
        process.terminate()
        process.wait()
    if told.get("policy_source") != "model":
        sys.exit(f"the model did not answer: {told}")
    return took


def _settings(home: Path) -> dict[str, str]:
    return {"RECOUP_HOME": str(home), "RECOUP_AUTH": "off", "RECOUP_DATABASE_URL": f"sqlite:///{home / 'ledger.db'}"}


def _ready(port: int, until: float) -> dict[str, object]:
    """What /ready says once it is."""
    while time.perf_counter() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/ready", timeout=1.0) as answer:
                told: dict[str, object] = json.load(answer)
                return told
        except (URLError, OSError):
            time.sleep(0.01)
    sys.exit(f"the service was not ready within {_PATIENCE_S:.0f} seconds")


def processor_seconds(pid: int) -> float:
    """Of a process, of what it started, and of what of that has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        tasks = Path(f"/proc/{pid}/task").iterdir()
        started = [child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has just ended
        return 0.0
    own = sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds(int(child)) for child in started)


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


if __name__ == "__main__":
    main(*sys.argv[1:])
