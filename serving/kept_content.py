"""What is kept of a decision beside its headline: context, record and answer, as they were, in a few thousand bytes."""

import zlib
from dataclasses import dataclass

from features.context import Context
from features.context_json import context_from_json, context_to_json
from features.errors import InvalidValueError
from model.record import Record
from model.record_json import record_from_json, record_to_json

# The fastest: the others save an eighth of the bytes and cost two to five times as much.
_LEVEL = 1
_PARTS = 3
_LARGEST = 64_000_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a decision was made from, and what was answered.

    Args:
        context: As the model met it, with what the ledger knew of methods and consents.
        record: The attempts, holds and volumes that counted beyond it.
        answer: The body of the answer, without a reservation, byte for byte.
    """

    context: Context
    record: Record
    answer: bytes


def packed(context: Context, record: Record, answer: bytes) -> bytes:
    """The three as JSON, a line each (JSON text holds no line breaks), compressed."""
    return zlib.compress(b"\n".join((context_to_json(context), record_to_json(record), answer)), _LEVEL)


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
    context, record, answer = _lines(content)
    return Content(context_from_json(context), record_from_json(record), answer)


def _lines(content: bytes) -> list[bytes]:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(content, _LARGEST)
    except zlib.error:
        text = b""
    lines = text.split(b"\n")
    if len(lines) != _PARTS or not unpacking.eof:
        raise InvalidValueError("content", f"{len(content)} bytes", "context, record and answer, compressed")
    return lines
