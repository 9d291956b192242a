"""MLflow's own server and user interface, run beside the service on the same store and stopped with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import InputError
from serving.asking_mlflow import UNTRACKED
from serving.ports import bound_socket
from serving.settings import Settings

_SECONDS_TO_STOP = 10


@contextmanager
def tracking_server(settings: Settings, host: str, port: int) -> Iterator[str]:
    """Run the MLflow server on the settings' store while the block runs; gives its address.

    It comes up by itself within half a minute; its log goes to `mlflow-server.log` in the settings' home.

    Raises:
        InputError: The store is a server already, or the port is taken.
    """
    if settings.tracking_uri.startswith(("http://", "https://")):
        raise InputError(f"MLflow already runs at {settings.tracking_uri}; leave --with-mlflow out")
    bound_socket(host, port).close()
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "mlflow-server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - a program of our own environment, arguments passed as a list
            _command(settings, host, port), stdout=log, stderr=log, env=_environment(), start_new_session=True
        )
        try:
            yield f"http://{host}:{port}"
        finally:
            _stop(process)


def _command(settings: Settings, host: str, port: int) -> list[str]:
    artifacts = str((settings.home / "mlartifacts").resolve())
    where = ["--backend-store-uri", settings.tracking_uri, "--default-artifact-root", artifacts]
    address = ["--host", host, "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", "server", *where, "--artifacts-destination", artifacts, *address]


def _environment() -> dict[str, str]:
    # Without job execution the server is two processes instead of ten.
    return os.environ | UNTRACKED | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and the workers it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
