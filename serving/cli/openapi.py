"""`recoup openapi`: write the description of the HTTP interface to a file."""

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("docs/openapi.json"),
) -> None:
    """Write the OpenAPI document of the service."""
    from features.errors import InputError
    from serving.app import create_app
    from serving.openapi import as_text
    from serving.service import prior_service
    from serving.settings import Settings

    document = create_app(Settings(), service=prior_service()).openapi()
    temporary = out.with_name(f".{out.name}.part")
    try:
        temporary.write_bytes(as_text(document))
        temporary.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None
