"""Who makes a request and for which merchant; what an address asks before it answers."""

from dataclasses import dataclass

from starlette.requests import Request

from serving.errors import FieldError, Kind, RequestError
from serving.tenancy.keys import EVERY_MERCHANT, Scope
from serving.urls import query_id

STATE = "caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        merchant_id: The merchant whose key was sent; `EVERY_MERCHANT` for an operator, and where no keys are asked for.
        key_id: The key; None where no keys are asked for.
        sandbox: It is the key of the merchant's sandbox.
    """

    merchant_id: str
    scope: Scope
    key_id: str | None = None
    sandbox: bool = False

    @property
    def is_operator(self) -> bool:
        """Whether it may ask about any merchant."""
        return self.merchant_id == EVERY_MERCHANT


ANYBODY = Caller(EVERY_MERCHANT, Scope.ADMIN)
"""Everybody, where no keys are asked for."""


def caller_of(request: Request) -> Caller:
    """Who makes the request, as the gate in front of every address has found."""
    caller: Caller = getattr(request.state, STATE)
    return caller


def require_own(request: Request, *merchant_ids: str, field: str = "merchant_id") -> None:
    """Refuse what is of another merchant than the key.

    Raises:
        RequestError: One of them is not the key's merchant; the key's own is not told.
    """
    refuse_others(caller_of(request), *merchant_ids, field=field)


def refuse_others(caller: Caller, *merchant_ids: str, field: str = "merchant_id") -> None:
    """The same for a caller that is known.

    Raises:
        RequestError: As for `require_own`.
    """
    if caller.is_operator:
        return
    for merchant_id in merchant_ids:
        if merchant_id != caller.merchant_id:
            fault = FieldError(field, merchant_id, "the merchant whose key was sent")
            raise RequestError(Kind.FORBIDDEN, str(fault), (fault,))


def merchant_in_query(request: Request, given: str | None) -> str:
    """The merchant that a question is about: the one in the query, else the key's own.

    Raises:
        RequestError: It is another than the key's, or there is neither.
        CardNumberError: It looks like a card number.
    """
    caller = caller_of(request)
    if given is None and not caller.is_operator:
        return caller.merchant_id
    merchant_id = query_id("merchant_id", given)
    require_own(request, merchant_id)
    return merchant_id
