"""Decisions over HTTP beside an address that decides nothing: `python -m benchmarks.http HISTORY ARTIFACT`.

The service is the product's own with two workers, a ledger on SQLite and explanations on; the model is 300 trees of 47
leaves. Within each round the addresses and LightGBM's bare prediction take turns, so that ratios
of one round compare what was measured side by side.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import orjson

from benchmarks.http_client import Load, load, request_bytes
from benchmarks.http_service import NO_OP
from benchmarks.scoring import NOW, failure, stated
from features.context import Context
from features.encoders import from_json
from features.frame import Matrix, frame
from features.rows import rows_of_context
from model.artifact import Artifact, read_artifact, write_artifact
from model.boosted import boosters_of, raw_logits
from model.candidates import candidates, horizon_of
from serving.ports import bound_socket, port_of

ROUNDS = 5
WORKERS, CONNECTIONS = 2, 16
DIFFERENT = 32
"""So many payments are asked about in turn."""
ALONE, AT_ONCE = 60, 200
_SHAPES: Mapping[str, Mapping[str, int]] = {
    "112 × 3": {"days": 18, "processors": 1},
    "720 × 3": {"days": 50, "processors": 3},
}
_DECIDE = "/v1/decisions"
_SECONDS_TO_START = 120.0
_SECONDS_FOR_THE_OTHERS = 5.0  # workers start together; the first that is ready answers


def main(history: str, artifact_folder: str) -> None:
    """Print the ratios with their range and the memory, as JSON."""
    artifact = read_artifact(Path(artifact_folder))
    model = stated(artifact, Path(history))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_artifact(model, home / "model")
        figures: dict[str, object] = {}
        with _serving(home) as (port, process):
            for name, shape in _SHAPES.items():
                figures[name] = _measured(port, process, model, failure(**shape))
            figures["memory_mib"] = _memory(process)
    print(json.dumps(figures))


def _measured(port: int, process: subprocess.Popen[bytes], artifact: Artifact, context: Context) -> dict[str, object]:
    """Ratios of one shape of decision: medians over the rounds, lowest and highest."""
    bodies = [body_of(context, number) for number in range(DIFFERENT)]
    decide, no_op = ([request_bytes(path, body) for body in bodies] for path in (_DECIDE, NO_OP))
    bare = _bare(artifact, context)
    ask = partial(load, port)
    for requests in (decide, no_op):
        ask(requests, connections=CONNECTIONS, count=2 * DIFFERENT)
    rounds = [_round(ask, decide, no_op, bare, partial(_spent, process)) for _ in range(ROUNDS)]
    actions = len(candidates(context, horizon_of(context)))
    return {"actions": actions, **{name: _spread([one[name] for one in rounds]) for name in rounds[0]}}


def _round(
    ask: Callable[..., Load],
    decide: Sequence[bytes],
    no_op: Sequence[bytes],
    bare: Callable[[], float],
    spent: Callable[[], float],
) -> dict[str, float]:
    began = spent()
    alone = ask(decide, connections=1, count=ALONE)
    decided = spent()
    empty = ask(no_op, connections=1, count=ALONE * 10)
    done = spent()
    decision_ms, no_op_ms = (decided - began) / ALONE, (done - decided) / (ALONE * 10)
    predict = bare()
    busy, idle = (
        ask(decide, connections=CONNECTIONS, count=AT_ONCE),
        ask(no_op, connections=CONNECTIONS, count=AT_ONCE * 6),
    )
    p50 = alone.quantile(0.5)
    return {
        "decisions_per_second": busy.per_second,
        "no_ops_per_second": idle.per_second,
        "throughput_ratio": busy.per_second / idle.per_second,
        "p50_ms": p50,
        "no_op_p50_ms": empty.quantile(0.5),
        "p50_to_no_op": p50 / empty.quantile(0.5),
        "predict_ms": predict,
        "p50_to_predict": p50 / predict,
        "p99_to_p50": alone.quantile(0.99) / p50,
        "decision_processor_ms": decision_ms,
        "no_op_processor_ms": no_op_ms,
        "processor_ratio": decision_ms / no_op_ms,
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def body_of(context: Context, number: int) -> bytes:
    """The context as a request of its own: another payment, customer, amount, issuer and minute of the failure."""
    attempts = [
        {
            "attempt_id": f"{attempt.attempt_id} {number}",
            "payment_id": f"{attempt.payment_id} {number}",
            "method_id": f"{attempt.method_id} {number}",
            "processor": attempt.processor,
            "attempted_at": (attempt.at - timedelta(minutes=number % 20)).isoformat(),
            "outcome": attempt.outcome.value,
            "code": "51" if number % 3 else "05",
        }
        for attempt in context.attempts
    ]
    methods = [
        {
            "method_id": f"{method.method_id} {number}",
            "rail": method.rail.value,
            "network": method.network.value,
            "issuer": {"issuer_id": f"{method.issuer.issuer_id} {number % 7}", "country": method.issuer.country},
            "processors": list(method.processors),
        }
        for method in context.methods
    ]
    payment = context.payment
    told = {
        "payment_id": f"{payment.payment_id} {number}",
        "merchant_id": payment.merchant_id,
        "customer_id": f"{payment.customer_id} {number}",
        "amount_minor": payment.amount.amount_minor + 100 * number,
        "currency": payment.amount.currency,
        "due_at": payment.due_at.isoformat(),
        "recover_by": payment.recover_by.isoformat(),
    }
    return orjson.dumps({"payment": told, "methods": methods, "attempts": attempts, "as_of": NOW.isoformat()})


def _bare(artifact: Artifact, context: Context) -> Callable[[], float]:
    """Milliseconds that LightGBM alone takes for the actions' rows, one thread."""
    retries = candidates(context, horizon_of(context))
    matrix: Matrix = frame(rows_of_context(context, retries), from_json(artifact.encoders))
    boosters = boosters_of(artifact.boosters)

    def milliseconds() -> float:
        spent = []
        for _ in range(9):
            began = time.perf_counter()
            raw_logits(boosters, matrix)
            spent.append(time.perf_counter() - began)
        return statistics.median(spent) * 1000.0

    return milliseconds


@contextmanager
def _serving(home: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The service under uvicorn with two workers, and the address that decides nothing."""
    bound = bound_socket("127.0.0.1", 0)
    port = port_of(bound)
    bound.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_service", str(port)],
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _ready(port)
        time.sleep(_SECONDS_FOR_THE_OTHERS)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def _environment(home: Path) -> dict[str, str]:
    settings = {"RECOUP_HOME": str(home), "RECOUP_MODEL": str(home / "model"), "RECOUP_AUTH": "off"}
    return os.environ | settings | {"RECOUP_DATABASE_URL": f"sqlite:///{home / 'ledger.db'}"}


def _ready(port: int) -> None:
    until = time.perf_counter() + _SECONDS_TO_START
    while time.perf_counter() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/ready", timeout=1.0) as answer:
                told = json.load(answer)
                if told["policy_source"] != "model":
                    sys.exit(f"the model does not answer: {told}")
                return
        except (URLError, OSError):
            time.sleep(0.01)
    sys.exit(f"the service was not ready within {_SECONDS_TO_START:.0f} seconds")


def _spent(process: subprocess.Popen[bytes]) -> float:
    """Milliseconds of processor time of all workers so far; what other programs do matters less to it."""
    stats = [
        Path(f"/proc/{worker}/stat").read_text(encoding="ascii").rpartition(")")[2] for worker in _workers(process)
    ]
    ticks = sum(int(count) for stat in stats for count in stat.split()[11:13])
    return ticks * 1000.0 / os.sysconf("SC_CLK_TCK")


def _memory(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """MiB of each worker: resident, and its share where pages are shared."""
    rolls = [Path(f"/proc/{worker}/smaps_rollup").read_text(encoding="ascii") for worker in _workers(process)]
    workers = sorted((_field(roll, "Rss"), _field(roll, "Pss")) for roll in rolls)[-WORKERS:]
    return {
        "worker_rss": max(rss for rss, _ in workers),
        "worker_pss": max(pss for _, pss in workers),
    }


def _workers(process: subprocess.Popen[bytes]) -> list[str]:
    """The processes that the service has started."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()


def _field(roll: str, name: str) -> float:
    return next(float(line.split()[1]) for line in roll.splitlines() if line.startswith(f"{name}:")) / 1024.0


if __name__ == "__main__":
    main(*sys.argv[1:])
