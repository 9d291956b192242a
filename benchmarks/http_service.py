"""The service as the HTTP benchmark runs it: the product's own application with one more address that decides nothing.

It is no part of the product: the benchmark alone builds the application this way.
"""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response

from serving.app import create_app
from serving.contexts import context_of
from serving.edge import read_body
from serving.ledger_access import open_ledger
from serving.ports import bound_socket
from serving.requests import parse_request
from serving.server import run
from serving.service import load_service
from serving.settings import Auth, settings_from
from serving.tenancy.caller import require_own

NO_OP = "/benchmark/no-op"
_ANSWER = b'{"action":{"kind":"none"}}'


def app() -> FastAPI:
    """The application that the environment asks for, with the address that reads, checks and answers the same thing."""
    settings = replace(settings_from(os.environ), auth=Auth.OFF)
    service = load_service(settings)
    built = create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook), live=True)

    @built.post(NO_OP)
    async def no_op(request: Request) -> Response:
        asked = parse_request(await read_body(request, settings.max_body_bytes))
        require_own(request, asked.payment.merchant_id, field="payment.merchant_id")
        context_of(asked, datetime.now(UTC))
        return Response(_ANSWER, media_type="application/json")

    return built


def main(port: str) -> None:
    """Serve on the port with two workers, as `recoup serve` does, until a signal."""
    run(f"{__spec__.name}:app", bound_socket("127.0.0.1", int(port)), 2, settings_from(os.environ))


if __name__ == "__main__":
    main(*sys.argv[1:])
