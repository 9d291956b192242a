"""Query parameters that an address under `/v1` does not know are refused: a misspelt `limit` is not taken for none.

`/health` and `/ready` take any, for those who probe them may add some.
"""

from typing import cast

from fastapi import Request
from fastapi.routing import APIRoute

from serving.errors import FieldError, invalid_request


async def only_known_parameters(request: Request) -> None:
    """Let a request pass whose query names only parameters of its address.

    Raises:
        RequestError: It names others.
    """
    if not request.scope["query_string"] or not request.scope["path"].startswith("/v1/"):
        return
    route = cast("APIRoute", request.scope["route"])
    known = [field.alias for field in route.dependant.query_params]
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown:
        expected = f"one of {', '.join(known)}" if known else "no query parameter here"
        raise invalid_request(tuple(FieldError("query", name, expected) for name in unknown))
