"""From the bytes of a request to a checked `DecisionRequest`, or to a refusal that names each field at fault."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import TypeVar, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from features.card_number import FEWEST_DIGITS, holds_card_number
from features.errors import CardNumberError
from features.nesting import DEEPEST, is_too_deep
from serving.errors import FieldError, FieldValue, Kind, RequestError, invalid_request
from serving.schemas import CUSTOM, DecisionRequest

Location = tuple[int | str, ...]
Request = TypeVar("Request", bound=BaseModel)
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
MOST_ERRORS = 20
_SHOWN = 60


def parse_request(body: bytes) -> DecisionRequest:
    """The request for a decision in the body of a call or in a file.

    Raises:
        RequestError: The body is not JSON, holds a card number, or holds fields that cannot be used.
    """
    return parse(body, DecisionRequest)


def parse(body: bytes, model: type[Request]) -> Request:
    """The body of a call as a shape.

    Raises:
        RequestError: The body is not JSON, holds a card number, or holds fields that cannot be used.
    """
    refuse_card_numbers(tree_in(body))
    found = _validated(body, model, ())
    if isinstance(found, tuple):
        raise invalid_request(found)
    return found


def parse_many(body: bytes, model: type[Request], most: int) -> tuple[Request, ...]:
    """The body of a call as one or more shapes: one JSON object, or an array of 1 to `most` of them.

    Raises:
        RequestError: As for `parse`; names the fields at fault of all of them.
    """
    tree = tree_in(body)
    if not isinstance(tree, list):
        return (parse(body, model),)
    refuse_card_numbers(tree)
    if not 1 <= len(tree) <= most:
        raise invalid_request((FieldError("body", f"a list of {len(tree)}", f"an object or a list of 1 to {most}"),))
    found = [_validated(orjson.dumps(item), model, (place,)) for place, item in enumerate(tree)]
    faults = tuple(fault for one in found if isinstance(one, tuple) for fault in one)
    if faults:
        raise invalid_request(faults[:MOST_ERRORS])
    return tuple(one for one in found if isinstance(one, model))


def _validated(body: bytes, model: type[Request], place: Location) -> Request | tuple[FieldError, ...]:
    """The shape, or what is at fault with it."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    if faults[0]["type"] == "json_invalid":
        raise _malformed(faults[0]["msg"].removeprefix("Invalid JSON: "))
    return tuple(_field_error(model, fault, place) for fault in _telling(faults)[:MOST_ERRORS])


def refuse_card_numbers(tree: Json) -> None:
    """Refuse a decoded JSON value that holds what looks like a card number, as text, as a number or as a key.

    Raises:
        RequestError: Names the field; the value is in neither the message nor the error.
    """
    if not holds_card_number("\n".join(_long_texts(tree))):
        return  # the places are of interest only where there is one
    for path, text in _texts(tree):
        if holds_card_number(text):
            expected = "the token of the stored method; card numbers are refused and never stored"
            raise RequestError(Kind.CARD_NUMBER, str(CardNumberError(path)), (FieldError(path, None, expected),))


def path_of(location: Location) -> str:
    """The place in a request as people write it.

    >>> path_of(("attempts", 0, "amount_minor"))
    'attempts[0].amount_minor'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".") or "body"


def nearest(word: str, words: tuple[str, ...]) -> str:
    """`; did you mean "x"?` where one of the words is close, else nothing."""
    close = get_close_matches(word.lower().replace("-", "_").replace(" ", "_"), words, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def tree_in(body: bytes, deepest: int = DEEPEST) -> Json:
    """The JSON in the body of a call; all that callers send is read here first.

    Raises:
        RequestError: The body is not JSON, or nested deeper than so many levels.
    """
    if not body.strip():
        raise RequestError(Kind.MALFORMED_JSON, "The body is empty; expected a JSON object")
    try:
        tree: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):
            raise _too_deep(deepest) from None
        raise _malformed(f"{error.msg.split(': line')[0]} at line {error.lineno} column {error.colno}") from None
    if is_too_deep(tree, deepest):
        raise _too_deep(deepest)
    return tree


def _too_deep(deepest: int) -> RequestError:
    detail = f"The body is nested too deep; expected lists and objects in one another at most {deepest} levels deep"
    return RequestError(Kind.MALFORMED_JSON, detail)


def _malformed(fault: str) -> RequestError:
    return RequestError(Kind.MALFORMED_JSON, f"The body is not JSON: {fault}")


def _long_texts(tree: Json) -> list[str]:
    """Every text, whole number and key of the value that is long enough to hold a card number."""
    found: list[str] = []
    waiting = [tree]
    for value in waiting:  # which grows meanwhile
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            found += value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int | float) and value == value // 1:
            found.append(str(int(value)))
    return [text for text in found if len(text) >= FEWEST_DIGITS]


def _texts(tree: Json) -> Iterator[tuple[str, str]]:
    """Every text, whole number and key of the value with its path; keys stand at the path of their object."""
    waiting: list[tuple[Location, Json]] = [((), tree)]
    while waiting:
        location, value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield f"a key of {path_of(location)}", key
                waiting.append(((*location, key), inner))
        elif isinstance(value, list):
            waiting.extend(((*location, index), inner) for index, inner in enumerate(value))
        elif isinstance(value, str):
            yield path_of(location), value
        elif isinstance(value, int | float) and value == value // 1:
            yield path_of(location), str(int(value))


def _telling(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """The faults without those of a list that is only too short because its entries were at fault."""
    return [f for f in faults if not any(f["loc"] == g["loc"][: len(f["loc"])] and f is not g for g in faults)]


def _field_error(model: type[BaseModel], fault: ErrorDetails, place: Location) -> FieldError:
    location = fault["loc"]
    path = path_of((*place, *location))
    if fault["type"] == "missing":
        return FieldError(path, None, f"a value: {_meaning(model, location)}")
    return FieldError(path, _shown(fault["input"]), _expected(model, fault))


def _shown(value: object) -> FieldValue:
    """A value short enough to repeat; objects and lists are told by their kind alone."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "null"
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**19):
        return value
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


_EXPECTED: Mapping[str, str] = {
    "timezone_aware": "an instant with a time zone, for example 2026-11-23T10:15:00Z",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "text",
    "tuple_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_too_short": "text that is not empty",
}
_BOUNDS: Mapping[str, str] = {
    "gt": "a number above {}",
    "ge": "a number of at least {}",
    "lt": "a number below {}",
    "le": "a number of at most {}",
}


def _expected(model: type[BaseModel], fault: ErrorDetails) -> str:
    """What would be right, from pydantic's error type and context."""
    kind, context, location = fault["type"], fault.get("ctx", {}), fault["loc"]
    if kind == CUSTOM:
        return str(context["expected"])
    if kind == "extra_forbidden":
        return _known_fields(model, location)
    if kind == "enum":
        return _known_words(model, location, fault["input"])
    if kind.startswith("datetime"):
        return "an instant such as 2026-11-23T10:15:00Z"
    if kind.startswith("date"):
        return "a date such as 2027-05-31"
    if kind == "string_too_long":
        return f"text of at most {context['max_length']} characters"
    if kind in ("too_long", "too_short"):
        return f"a list of {_length_bound(kind, context)}"
    bound = next((text.format(context[name]) for name, text in _BOUNDS.items() if name in context), None)
    return bound or _EXPECTED.get(kind) or fault["msg"]


def _length_bound(kind: str, context: Mapping[str, object]) -> str:
    return f"at most {context['max_length']}" if kind == "too_long" else f"at least {context['min_length']}"


def _known_fields(model: type[BaseModel], location: Location) -> str:
    known = tuple(_model_at(model, location[:-1]).model_fields)
    guess = nearest(str(location[-1]), known) or f"; known here are {', '.join(known)}"
    return f"a field that exists{guess}"


def _known_words(model: type[BaseModel], location: Location, given: object) -> str:
    annotation = _model_at(model, location[:-1]).model_fields[str(location[-1])].annotation
    words = tuple(member.value for member in _enum_in(annotation))
    return f"one of {', '.join(words)}{nearest(str(given), words)}"


def _meaning(model: type[BaseModel], location: Location) -> str:
    return _model_at(model, location[:-1]).model_fields[str(location[-1])].description or "the field is required"


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    names = tuple(part for part in location if isinstance(part, str))
    return _shapes(model)[names]


@cache
def _shapes(model: type[BaseModel]) -> dict[tuple[str, ...], type[BaseModel]]:
    """Every shape of the request by the names that lead to it."""
    found: dict[tuple[str, ...], type[BaseModel]] = {(): model}
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            found |= {(name, *rest): shape for rest, shape in _shapes(inner).items()}
    return found


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)


def _enum_in(annotation: object) -> type[StrEnum]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return annotation
    return next(_enum_in(inner) for inner in get_args(annotation))
