"""The demonstration's service: started on a free port, asked over HTTP, and stopped at the end."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from features.errors import InputError
from serving.answer_schemas import DecisionAnswer
from serving.demo.stages import start
from serving.ports import free_port

_SECONDS_TO_START = 300  # with a model to be fetched, on a machine that does three other things
_SECONDS_TO_STOP = 15


@contextmanager
def running_service(home: Path, more: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """A client of a service that runs while the block does.

    Args:
        more: Variables of its own, beside the home.

    Raises:
        InputError: It ended or did not answer in time.
    """
    log, port = home / "service.log", free_port()
    process = start(["serve", "--port", str(port)], home, log, more)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _await(client, process, log)
            yield client
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(client: httpx.Client, body: bytes) -> DecisionAnswer:
    """The decision for a request, over HTTP.

    Raises:
        InputError: The service refused it.
    """
    response = client.post("/v1/decisions", content=body, headers={"content-type": "application/json"})
    if response.status_code != httpx.codes.OK:
        raise InputError(f"the service refused: {response.json()['detail']}")
    return DecisionAnswer.model_validate_json(response.content)


def _await(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if client.get("/ready").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    code = process.poll()
    what = f"did not answer within {_SECONDS_TO_START} s" if code is None else f"ended with code {code}"
    raise InputError(f"the service {what}; {log} tells more")
