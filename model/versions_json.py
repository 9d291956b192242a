"""Rulebooks and economics as canonical JSON, so that what a version held outlives the files that it came from."""

from functools import cache
from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from features.errors import InvalidValueError
from model.caps.fees import Schedule
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook
from model.economics import Economics

Versioned = TypeVar("Versioned", Rulebook, Economics)
_Rules = tuple[tuple[CapRule, ...], tuple[Schedule, ...]]


def rulebook_to_json(rulebook: Rulebook) -> bytes:
    """Every rule and schedule of the rulebook as UTF-8 JSON."""
    return orjson.dumps(_rules().dump_python((rulebook.rules, rulebook.schedules), mode="json"))


def rulebook_from_json(text: bytes, version: str) -> Rulebook:
    """The rulebook that `rulebook_to_json` wrote.

    Raises:
        InvalidValueError: Not a rulebook of this program, or one of another version.
    """
    try:
        found = Rulebook(*_rules().validate_json(text, strict=True))
    except ValidationError as error:
        raise _not_read("rulebook", version, error) from None
    return _checked("rulebook", found, version)


def economics_to_json(economics: Economics) -> bytes:
    """Every figure as UTF-8 JSON with sorted keys."""
    return orjson.dumps(_figures().dump_python(economics, mode="json"), option=orjson.OPT_SORT_KEYS)


def economics_from_json(text: bytes, version: str) -> Economics:
    """The figures that `economics_to_json` wrote.

    Raises:
        InvalidValueError: Not figures of this program, or those of another version.
    """
    try:
        found = _figures().validate_json(text, strict=True)
    except ValidationError as error:
        raise _not_read("economics", version, error) from None
    return _checked("economics", found, version)


def _checked(field: str, found: Versioned, version: str) -> Versioned:
    if found.version != version:
        raise InvalidValueError(field, found.version, f"version {version}")
    return found


def _not_read(field: str, version: str, error: ValidationError) -> InvalidValueError:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return InvalidValueError(field, version, f"a version that this program can read ({place}: {first['msg']})")


@cache
def _rules() -> TypeAdapter[_Rules]:
    return TypeAdapter(_Rules)


@cache
def _figures() -> TypeAdapter[Economics]:
    return TypeAdapter(Economics)
