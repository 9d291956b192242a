"""From shapes to JSON and back: what is not known is left out, fields that are new are passed over."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from serving.client.errors import UnexpectedAnswerError

Shape = TypeVar("Shape")
Other = TypeVar("Other")
Json = Mapping[str, object] | list[object] | str | int | float | bool | None
_PLAIN = (str, int, float, bool)


def encode(value: object) -> Json:
    """A request as JSON; what is None is left out.

    Raises:
        TypeError: It holds something that has no form in JSON.
        ValueError: An instant has no time zone, so that nobody could tell when it is.
    """
    if is_dataclass(value) and not isinstance(value, type):
        given = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: encode(one) for name, one in given.items() if one is not None}
    if isinstance(value, Enum):
        return encode(value.value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; expected an aware datetime")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if value is None or isinstance(value, _PLAIN):
        return value
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def decode(kind: type[Shape], value: object) -> Shape:
    """An answer as its shape.

    Raises:
        UnexpectedAnswerError: It is not of that shape; names the place.
    """
    found = _decoded(kind, value, "")
    if not isinstance(found, kind):
        raise UnexpectedAnswerError("", value, kind.__name__)
    return found


def decode_either(first: type[Shape], second: type[Other], value: object) -> Shape | Other:
    """An answer as the first of two shapes if it has all the fields of that, else as the second.

    Raises:
        UnexpectedAnswerError: It is not of that shape; names the place.
    """
    return decode(first, value) if _fitting((first, second), value) is first else decode(second, value)


def decode_many(first: type[Shape], second: type[Other], value: object) -> tuple[Shape | Other, ...]:
    """A list of answers, each as one of two shapes.

    Raises:
        UnexpectedAnswerError: It is no list, or one is not of that shape; names the place.
    """
    if not isinstance(value, list):
        raise UnexpectedAnswerError("", value, "a list")
    return tuple(decode_either(first, second, one) for one in value)


def _decoded(hint: object, value: object, place: str) -> object:
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _one_of(get_args(hint), value, place)
    if origin is Literal:
        return value  # a word that is new is passed on
    if origin is tuple:
        return _listed(get_args(hint)[0], value, place)
    if origin is not None:
        return value if isinstance(value, Mapping) else _refuse(place, value, "an object")
    if not isinstance(hint, type):
        return value
    if is_dataclass(hint):
        return _object(hint, value, place)
    return _scalar(hint, value, place)


def _scalar(hint: type, value: object, place: str) -> object:
    try:
        if issubclass(hint, Enum):
            return hint(value)
        if issubclass(hint, date):
            return hint.fromisoformat(str(value))
    except ValueError:
        return _refuse(place, value, hint.__name__)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    fits = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return value if fits or hint is object else _refuse(place, value, hint.__name__)


def _one_of(hints: tuple[object, ...], value: object, place: str) -> object:
    if value is None and NoneType in hints:
        return None
    shapes = tuple(one for one in hints if isinstance(one, type) and is_dataclass(one))
    if shapes:
        return _decoded(_fitting(shapes, value), value, place)
    for hint in (one for one in hints if one is not NoneType):
        try:
            return _decoded(hint, value, place)
        except UnexpectedAnswerError:
            continue
    return _refuse(place, value, " or ".join(map(str, hints)))


def _fitting(shapes: tuple[type, ...], value: object) -> type:
    """The first shape that the value has every field and every fixed word of; the last where none is."""
    if isinstance(value, Mapping):
        for shape in shapes[:-1]:
            if _required(shape) <= value.keys() and all(value[name] in words for name, words in _words(shape).items()):
                return shape
    return shapes[-1]


def _object(shape: type, value: object, place: str) -> object:
    if not isinstance(value, Mapping):
        return _refuse(place, value, "an object")
    for missing in sorted(_required(shape) - value.keys()):
        _refuse(f"{place}.{missing}", None, "a value")
    hints = _hints(shape)
    given = {name: _decoded(hints[name], value[name], f"{place}.{name}") for name in hints if name in value}
    return shape(**given)


def _listed(hint: object, value: object, place: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        _refuse(place, value, "a list")
    items = value if isinstance(value, list) else []
    return tuple(_decoded(hint, one, f"{place}[{index}]") for index, one in enumerate(items))


def _refuse(place: str, value: object, expected: str) -> object:
    raise UnexpectedAnswerError(place.removeprefix("."), value, expected)


@cache
def _hints(shape: type) -> Mapping[str, object]:
    return get_type_hints(shape)


@cache
def _required(shape: type) -> frozenset[str]:
    return frozenset(field.name for field in _fields(shape) if field.default is MISSING)


@cache
def _words(shape: type) -> Mapping[str, tuple[object, ...]]:
    """The words of fields that may hold one word only, by which shapes are told apart."""
    literals = {name: get_args(hint) for name, hint in _hints(shape).items() if get_origin(hint) is Literal}
    return {name: words for name, words in literals.items() if len(words) == 1}


def _fields(shape: type) -> tuple[Field[object], ...]:
    return fields(shape)
