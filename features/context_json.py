"""Contexts as canonical JSON, so that a decision can be stored with what it was made from and replayed."""

from functools import cache
from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from features.context import Context
from features.errors import InvalidValueError

_T = TypeVar("_T")
_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


def context_to_json(context: Context) -> bytes:
    """The context as UTF-8 JSON with sorted keys; equal contexts give equal bytes."""
    return canonical(_adapter().dump_python(context))


def canonical(document: object) -> bytes:
    """Mappings, lists, texts, numbers and instants as UTF-8 JSON with sorted keys.

    >>> from datetime import UTC, datetime
    >>> canonical({"b": datetime(2026, 11, 24, 9, tzinfo=UTC), "a": (1, None)})
    b'{"a":[1,null],"b":"2026-11-24T09:00:00Z"}'
    """
    return orjson.dumps(document, option=_CANONICAL)


def context_from_json(text: bytes) -> Context:
    """The context that `context_to_json` wrote; `context_from_json(context_to_json(c)) == c`.

    Raises:
        InvalidValueError: Not JSON, a field is missing, or a value is not what the field holds.
    """
    return stored(_adapter(), text, "context")


def stored(adapter: TypeAdapter[_T], text: bytes, what: str) -> _T:
    """What was stored as JSON, read strictly.

    Raises:
        InvalidValueError: Not JSON, a field is missing, or a value is not what the field holds; the first is named.
    """
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or what
        raise InvalidValueError(field, first["input"], f"a stored {what} ({first['msg']})") from None


@cache
def _adapter() -> TypeAdapter[Context]:
    return TypeAdapter(Context)
