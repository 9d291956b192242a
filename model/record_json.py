"""Records as canonical JSON, so that a decision can be stored with what counted for it and computed again."""

from functools import cache

import orjson
from pydantic import TypeAdapter

from features.context_json import stored
from model.record import Record


def record_to_json(record: Record) -> bytes:
    """The record as UTF-8 JSON with sorted keys; equal records give equal bytes."""
    return orjson.dumps(_adapter().dump_python(record, mode="json"), option=orjson.OPT_SORT_KEYS)


def record_from_json(text: bytes) -> Record:
    """The record that `record_to_json` wrote; `record_from_json(record_to_json(r)) == r`.

    Raises:
        InvalidValueError: Not JSON, a field is missing, or a value is not what the field holds.
    """
    return stored(_adapter(), text, "record")


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)
