"""Runs the application under uvicorn in one process or several, and stops cleanly on a signal."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from rich.console import Console
from structlog.typing import FilteringBoundLogger

from features.errors import InputError
from serving.forking import FORKS, Prepared, Workers
from serving.header_limits import LimitedHeaders
from serving.ledger_access import open_ledger
from serving.logs import service_log
from serving.service import Service
from serving.settings import Auth, Settings, environment_of
from serving.starting import collecting_nothing
from serving.tenancy.asking import settled_auth
from serving.workers_folder import folder_for_workers

if TYPE_CHECKING:
    from fastapi import FastAPI

    App = FastAPI | Callable[[], FastAPI] | str

GRACE_SECONDS = 30
"""How long requests that were begun may take to end, once the service was told to stop and has drained."""


def opened(settings: Settings, service: Service, workers: int, host: str) -> tuple["App", Auth]:
    """The application with its ledger open; for several workers, what each of them calls to build it.

    Args:
        host: The address that it will listen on.

    Returns:
        The application, and whether it asks for API keys.

    Raises:
        InputError: The ledger cannot be used, or others could reach the service without a key.
    """
    ledger = open_ledger(settings, service.rulebook)
    try:
        settings = replace(settings, auth=settled_auth(settings, ledger, host))
    except InputError:
        ledger.close()
        raise
    if workers == 1:
        from serving.app import create_app  # where workers are spawned, each of them loads it

        return create_app(settings, service=service, ledger=ledger, live=True), settings.auth
    # Brought to this version once, before the workers, and refused here where it cannot be used.
    ledger.close()
    os.environ.update(environment_of(settings))
    return _prepared(settings, service) if FORKS else "serving.app:app_from_environment", settings.auth


def run(app: "App", bound: socket.socket, workers: int, settings: Settings) -> None:
    """Serve on the socket until a signal, and for as long after it as the settings say."""
    # uvicorn raises the signal again once it has drained; as an exit it lets whoever runs beside us stop too.
    signal.signal(signal.SIGTERM, _exit)
    try:
        if workers == 1:
            _stop_on_hangup()
            uvicorn.Server(_config(app, 1)).run(sockets=[bound])
        else:
            with folder_for_workers():
                told = partial(_say_that_one_ended, service_log(settings.log_format))
                Workers(_config(app, workers), [bound], settings.drain_seconds, told).run()
    except KeyboardInterrupt:
        return


def announce(service: Service, address: str, mlflow_address: str | None, auth: Auth) -> None:
    """Say on standard error where the service is and what answers."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    answering = service.answering
    console.print(f"Recoup answers at [bold]{address}[/bold]  (docs {address}/docs)")
    if auth is Auth.OFF:
        console.print("No API keys are asked for: only this machine can reach it  (recoup keys create makes one)")
    if mlflow_address is not None:
        console.print(f"MLflow comes up at [bold]{mlflow_address}[/bold] within half a minute")
    if answering.refused is None:
        console.print(f"Decisions come from model {answering.scorer.version} ({answering.asked})")
    else:
        console.print(f"Decisions come from the shipped prior: {answering.refused}", markup=False)


def _prepared(settings: Settings, service: Service) -> Prepared:
    """What forked workers build: the first of them with the service that is loaded, each with a ledger of its own."""
    from serving.app import app_from_environment, create_app

    def first() -> "FastAPI":
        with collecting_nothing():
            return create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook), live=True)

    return Prepared(first, app_from_environment)


def _config(app: "App", workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=workers > 1,
        http=LimitedHeaders,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _say_that_one_ended(log: FilteringBoundLogger, pid: int | None, code: int | None) -> None:
    log.warning("worker replaced", worker=pid, exit_code=code)


def _stop_on_hangup() -> None:
    """Take SIGHUP for SIGTERM, whatever listens to that by then; one that is ignored, as under `nohup`, stays so.

    Of several workers uvicorn's supervisor takes it for the wish to start them anew.
    """
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
