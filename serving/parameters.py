"""Query parameters that an address under `/v1` does not know are refused: a misspelt `limit` is not taken for none.

So is one that is given twice, because either of its values would be dropped; no address takes a list.
`/health` and `/ready` take any, for those who probe them may add some.
"""

from collections import Counter
from typing import cast

from fastapi import Request
from fastapi.routing import APIRoute

from serving.errors import FieldError, invalid_request


async def only_known_parameters(request: Request) -> None:
    """Let a request pass whose query names only parameters of its address, each once.

    Raises:
        RequestError: It names others, or one of them again.
    """
    if not request.scope["query_string"] or not request.scope["path"].startswith("/v1/"):
        return
    route = cast("APIRoute", request.scope["route"])
    known = [field.alias for field in route.dependant.query_params]
    given = Counter(name for name, _ in request.query_params.multi_items())
    expected = f"one of {', '.join(known)}" if known else "no query parameter here"
    unknown = [FieldError("query", name, expected) for name in given if name not in known]
    repeated = [FieldError(name, f"given {given[name]} times", "one value") for name in known if given[name] > 1]
    if unknown or repeated:
        raise invalid_request((*unknown, *repeated))
