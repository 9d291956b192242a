"""Records as canonical JSON, so that a decision can be stored with what counted for it and computed again."""

from functools import cache

import orjson
from pydantic import TypeAdapter, ValidationError

from features.errors import InvalidValueError
from model.record import Record


def record_to_json(record: Record) -> bytes:
    """The record as UTF-8 JSON with sorted keys; equal records give equal bytes."""
    return orjson.dumps(_adapter().dump_python(record, mode="json"), option=orjson.OPT_SORT_KEYS)


def record_from_json(text: bytes) -> Record:
    """The record that `record_to_json` wrote; `record_from_json(record_to_json(r)) == r`.

    Raises:
        InvalidValueError: Not JSON, a field is missing, or a value is not what the field holds.
    """
    try:
        return _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise InvalidValueError(field, first["input"], f"a stored record ({first['msg']})") from None


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)
