"""Turns every refusal of the application into a problem document (RFC 9457)."""

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request

from features.errors import CardNumberError, InvalidValueError, RecoupError
from serving.errors import MEDIA_TYPE, FieldError, Kind, RequestError, invalid_request, problem_body
from serving.routed import methods_at

_RETRY_AFTER_S = 5
_BY_STATUS = {kind.status: kind for kind in (Kind.NOT_FOUND, Kind.METHOD_NOT_ALLOWED)}


def install(app: FastAPI) -> None:
    """Have the application answer refusals with problem documents."""
    app.add_exception_handler(RecoupError, _refused)
    app.add_exception_handler(HTTPException, _http)


def refusal_of(error: Exception, path: str) -> Response:
    """The problem document of a refusal at an address."""
    refusal = _as_request_error(error)
    body = problem_body(refusal.kind, str(refusal), path, refusal.errors)
    after = _RETRY_AFTER_S if refusal.kind is Kind.LEDGER_UNAVAILABLE else refusal.retry_after_s
    headers = {} if after is None else {"retry-after": str(after)}
    if refusal.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return Response(body, status_code=refusal.kind.status, headers=headers, media_type=MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> Response:
    return refusal_of(error, request.scope["path"])


def _as_request_error(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, InvalidValueError):
        return invalid_request((FieldError(error.field, error.value, error.expected),))
    if isinstance(error, CardNumberError):
        return RequestError(Kind.CARD_NUMBER, str(error), (FieldError(error.field, None, "no card number"),))
    return RequestError(Kind.INVALID_REQUEST, str(error))


async def _http(request: Request, error: Exception) -> Response:
    """What the router itself refuses: an unknown address, a method it does not take."""
    path: str = request.scope["path"]  # as it was sent: an address in one piece has lost its line breaks
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (400, None)
    if status == Kind.METHOD_NOT_ALLOWED.status:  # the router names those of the first route at the address only
        headers = {"allow": ", ".join(methods_at(request.app, path))}
    kind = _BY_STATUS.get(status, Kind.OTHER)
    details = {
        Kind.NOT_FOUND: f"There is nothing at {path}; /docs lists the addresses",
        Kind.METHOD_NOT_ALLOWED: f"{path} does not take {request.method}",
    }
    detail = details.get(kind, "The request was refused")
    body = problem_body(kind, detail, path, status=status)
    return Response(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
