"""Where two JSON documents differ, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import orjson

from serving.requests import Json, Location, path_of

MOST = 50
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One field; None where a document has no such field, else its value as JSON, shortened.

    Args:
        field: Path as in `plan.attempts[0].reached`; `body` where the documents differ in their writing only.
    """

    field: str
    before: str | None
    after: str | None


class _Absent:
    """Stands where a document has nothing."""


_ABSENT = _Absent()
_Value = Json | _Absent


def differences(before: bytes, after: bytes, most: int = MOST) -> tuple[tuple[Difference, ...], int]:
    """The first fields that differ, in the order of the documents, and how many there are altogether.

    Documents that differ in their bytes differ: if not in a value, then in how they are written.

    >>> differences(b'{"a":1,"b":[1,2]}', b'{"a":1,"b":[1,3]}')
    ((Difference(field='b[1]', before='2', after='3'),), 1)
    """
    if before == after:
        return (), 0
    found = list(_between((), orjson.loads(before), orjson.loads(after)))
    if not found:
        found = [Difference("body", _short(before), _short(after))]
    return tuple(found[:most]), len(found)


def _between(place: Location, before: _Value, after: _Value) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _between((*place, key), before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from _between((*place, index), one, other)
    elif type(before) is not type(after) or before != after:
        yield Difference(path_of(place), shown(before), shown(after))


def shown(value: _Value) -> str | None:
    """A value as JSON, shortened."""
    return None if isinstance(value, _Absent) else _short(orjson.dumps(value))


def _short(text: bytes) -> str:
    shown = text.decode(errors="replace")
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
