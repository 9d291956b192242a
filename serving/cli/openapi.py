"""`recoup openapi`: write the description of the HTTP interface to a file, and what the client has from it."""

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("docs/openapi.json"),
    client: Annotated[Path, typer.Option(help="Folder of the Python client, written anew where it is.")] = Path(
        "serving/client"
    ),
) -> None:
    """Write the OpenAPI document of the service, and from it the shapes and operations of the Python client."""
    from serving.app import create_app
    from serving.client_writing import operations_text, shapes_text
    from serving.openapi import as_text
    from serving.service import prior_service
    from serving.settings import Settings

    document = create_app(Settings(), service=prior_service()).openapi()
    _write(out, as_text(document))
    if client.is_dir():
        _write(client / "shapes.py", shapes_text(document).encode())
        _write(client / "operations.py", operations_text(document).encode())


def _write(out: Path, content: bytes) -> None:
    from features.errors import InputError

    temporary = out.with_name(f".{out.name}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None
