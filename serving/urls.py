"""What addresses may hold, and how answers go out."""

from fastapi import Response
from pydantic import BaseModel

from features.card_number import refuse_card_number
from serving.errors import FieldError, invalid_request

_LONGEST = 200


def path_id(field: str, text: str) -> str:
    """An id out of an address.

    Raises:
        CardNumberError: It looks like a card number.
        RequestError: It is empty, too long, or holds what cannot be printed.
    """
    refuse_card_number(field, text)
    if not 1 <= len(text) <= _LONGEST or not text.isprintable():
        expected = f"an id of 1 to {_LONGEST} printable characters"
        raise invalid_request((FieldError(field, text[:_LONGEST] or None, expected),))
    return text


def query_id(field: str, text: str | None) -> str:
    """A required id out of the query.

    Raises:
        CardNumberError: It looks like a card number.
        RequestError: It is missing, too long, or holds what cannot be printed.
    """
    return path_id(field, text or "")


def send(answer: BaseModel) -> Response:
    """The answer as JSON."""
    return Response(answer.model_dump_json(), media_type="application/json")
