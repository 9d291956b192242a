"""What a service loads: what no decision needs stays outside, so that it starts soon and takes little memory."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from serving.examples import EXAMPLES
from serving.forking import FORKS

_LIBRARIES = ("pandas", "sklearn", "lightgbm", "matplotlib", "mlflow", "optuna", "dask")
_OURS = ("experiments.analysis", "experiments.replay", "experiments.schedules", "experiments.simulator", "training")
_NEVER = _LIBRARIES + _OURS
_PARTS = (
    "psycopg",
    "scipy.linalg",
    "scipy.special",
    "scipy.stats",
    "scipy.sparse",
    "pyarrow",
)
_HEAVY = (*_NEVER, *_PARTS)
_ANSWER = """
import asyncio, os, sys
import httpx
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.service import load_service
from serving.settings import settings_from

async def ask(body):
    settings = settings_from(os.environ)
    service = load_service(settings)
    app = create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook))
    async with app.router.lifespan_context(app), httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://recoup"
    ) as client:
        answer = await client.post("/v1/decisions", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()

found = asyncio.run(ask(sys.stdin.buffer.read()))
assert found["policy_source"] == "model", found
assert found["action"]["kind"] == "retry", found
print(*sys.modules)
"""
_WATCHING = """
import os
from pathlib import Path
from serving.starting import expect_workers
expect_workers(Path(os.environ["RECOUP_HOME"]))
from serving.server import opened
from serving.service import load_service
from serving.settings import settings_from
settings = settings_from(os.environ)
service = load_service(settings)
assert service.answering.scorer.source == "model", service.answering.refused
app, _ = opened(settings, service, 2, "127.0.0.1")
print(*(Path(f"/proc/self/task/{thread}/comm").read_text().strip() for thread in os.listdir("/proc/self/task")))
"""


def _ran(program: str, given: bytes = b"", **settings: str) -> list[str]:
    """The words of the last line that a program prints."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RECOUP_", "MLFLOW_"))} | settings
    ran = subprocess.run(
        [sys.executable, "-c", program], input=given, env=environment, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode().splitlines()[-1].split()


def test_a_service_that_has_answered_with_a_model_has_loaded_none_of_what_only_training_needs(
    artifact: Path, tmp_path: Path
) -> None:
    body = orjson.loads(next(example.body for example in EXAMPLES))
    printed = _ran(
        _ANSWER,
        orjson.dumps(body),
        RECOUP_HOME=str(tmp_path),
        RECOUP_MODEL=str(artifact),
        RECOUP_DATABASE_URL=f"sqlite:///{tmp_path}/ledger.db",
    )
    loaded = set(printed)
    assert {"serving.app", "model.forest.kernels", "model.planning.kernels"} <= loaded
    assert loaded.isdisjoint(_HEAVY), sorted(loaded.intersection(_HEAVY))


@pytest.mark.skipif(not FORKS, reason="workers are forked on Linux only")
def test_whoever_forks_workers_has_begun_no_thread_that_they_would_miss(artifact: Path, tmp_path: Path) -> None:
    threads = _ran(_WATCHING, RECOUP_HOME=str(tmp_path), RECOUP_MODEL=str(artifact), OMP_NUM_THREADS="4")
    assert len(threads) == 1, threads
