"""What is kept of a decision beside its headline: context, record and answer, as they were, in a few thousand bytes."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter, ValidationError

from features.context import Context
from features.context_json import context_from_json, context_to_json
from features.errors import InvalidValueError
from model.record import Record
from model.record_json import record_from_json, record_to_json
from model.step_down import StepDown

# The fastest: the others save an eighth of the bytes and cost two to five times as much.
_LEVEL = 1
_PARTS = 4
_LARGEST = 64_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a decision was made from, and what was answered.

    Args:
        context: As the model met it, with what the ledger knew of methods and consents.
        record: The attempts, holds and volumes that counted beyond it.
        answer: The body of the answer, without a reservation, byte for byte.
        stepped_down: The policies that did not answer, and why; what was slow then cannot be worked out again.
    """

    context: Context
    record: Record
    answer: bytes
    stepped_down: tuple[StepDown, ...] = ()


def packed(context: Context, record: Record, answer: bytes, stepped_down: Sequence[StepDown] = ()) -> bytes:
    """All of them as JSON, a line each (JSON text holds no line breaks), compressed."""
    steps = _steps().dump_json(tuple(stepped_down))
    return zlib.compress(b"\n".join((context_to_json(context), record_to_json(record), answer, steps)), _LEVEL)


def answer_in(content: bytes) -> bytes:
    """The answer alone.

    Raises:
        InvalidValueError: Not the content of a decision.
    """
    return _lines(content)[2]


def unpacked(content: bytes) -> Content:
    """What `packed` was given.

    Raises:
        InvalidValueError: Not the content of a decision, or of one that this program cannot read.
    """
    context, record, answer, steps = _lines(content)
    return Content(context_from_json(context), record_from_json(record), answer, _steps_from_json(steps))


def _steps_from_json(text: bytes) -> tuple[StepDown, ...]:
    try:
        return _steps().validate_json(text, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidValueError("stepped_down", first["input"], f"stored steps ({first['msg']})") from None


def _lines(content: bytes) -> list[bytes]:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(content, _LARGEST)
    except zlib.error:
        text = b""
    lines = text.split(b"\n")
    if len(lines) != _PARTS or not unpacking.eof or unpacking.unused_data:
        raise InvalidValueError("content", f"{len(content)} bytes", "context, record, answer and steps, compressed")
    return lines


@cache
def _steps() -> TypeAdapter[tuple[StepDown, ...]]:
    return TypeAdapter(tuple[StepDown, ...])
