"""`recoup serve`: answer decisions over HTTP, with the MLflow user interface beside it if asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.service import Service


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)] = 8080,
    workers: Annotated[int, typer.Option(help="Server processes; one a core is plenty.", min=1, max=64)] = 1,
    model: Annotated[
        Path | None, typer.Option(help="Artifact folder to answer with instead of the registered champion.")
    ] = None,
    with_mlflow: Annotated[bool, typer.Option("--with-mlflow", help="Run the MLflow user interface too.")] = False,
    mlflow_port: Annotated[int, typer.Option(help="Port of the MLflow user interface.", min=1, max=65_535)] = 5000,
) -> None:
    """Answer decisions over HTTP until stopped with Ctrl-C."""
    import os
    from contextlib import nullcontext
    from dataclasses import replace

    from serving.starting import collecting_nothing, expect_workers

    with collecting_nothing():
        from serving.ports import bound_socket, listen, port_of
        from serving.settings import settings_from
        from serving.traces import asked_for

        settings = settings_from(os.environ)
        asked_for(os.environ)  # or every worker would end on it, one after another
        if model is not None:
            settings = replace(settings, model=model)
        bound = bound_socket(host, port)
        if workers > 1:
            expect_workers(settings.home)

        from serving.forking import FORKS
        from serving.server import announce, opened, run
        from serving.service import load_service
        from serving.tracking_server import tracking_server

        beside = tracking_server(settings, host, mlflow_port) if with_mlflow else nullcontext()
        # Workers that are spawned prepare their own scorer; then it is only seen whether it can be used.
        service = load_service(settings, folding=FORKS or workers == 1)
        _require_usable(service, model)
        app, auth = opened(settings, service, workers, host)
    with bound, beside as mlflow_address:
        listen(bound)
        announce(service, f"http://{host}:{port_of(bound)}", mlflow_address, auth)
        run(app, bound, workers, settings)


def _require_usable(service: "Service", model: Path | None) -> None:
    """An artifact named on the command line must be usable; one found in the registry is only reported."""
    from features.errors import InputError

    if model is not None and service.answering.refused is not None:
        raise InputError(service.answering.refused)
