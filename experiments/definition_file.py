"""From the text of a definition's file to the definition, or to everything that is wrong with it at once."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from typing import cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from experiments.definition import Definition
from experiments.fault import Fault

Location = tuple[int | str, ...]
Table = dict[str, object]

_UNKNOWN = "unexpected_keyword_argument"
_ROUNDS = 5
# What stands in for a value that cannot be used, so that the rest can still be checked.
_IN_PLACE: Table = {
    "key": "nameless",
    "hypothesis": "?",
    "owner": "?",
    "status": "draft",
    "salt": "nameless-salt",
    "control": "nameless",
    "primary_metric": "nameless",
    "window_days": 1,
    "min_run_days": 1,
    "smallest_effect": 1.0,
    "weight": 0.5,
    "policy": {"kind": "no_retry"},
    "margin": 1.0,
}


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read.

    Args:
        definition: What it states; where there are faults, with placeholders for what cannot be used, and None where
            that is too much.
        faults: What is wrong, in the order of the file's fields.
        unusable: The keys at fault, whose placeholders mean nothing.
    """

    file: str
    definition: Definition | None
    faults: tuple[Fault, ...] = ()
    unusable: tuple[str, ...] = ()

    def spoilt(self, key: str) -> bool:
        """Whether a key, something in it or what it is in could not be used."""
        return any(key == bad or key.startswith(f"{bad}.") or bad.startswith(f"{key}.") for bad in self.unusable)


def read_definition(text: str, file: str) -> Read:
    """The definition in a TOML text; what is wrong is gathered, never raised."""
    try:
        tree: Table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Read(file, None, (Fault(file, "the file", "its text", f"expected TOML, but {error}"),))
    found: dict[Location, Fault] = {}
    for _ in range(_ROUNDS):
        try:
            definition = _adapter().validate_json(json.dumps(tree, default=_plain))
        except ValidationError as error:
            errors = _telling(error.errors(include_url=False))
        else:
            return Read(file, definition, tuple(found.values()), tuple(fault.key for fault in found.values()))
        for one in errors:
            place = _written(one)
            if not any(place == known[: len(place)] for known in found):
                found[place] = _fault(file, place, one, tree)
            _mend(tree, place)
    return Read(file, None, tuple(found.values()), tuple(fault.key for fault in found.values()))


def definition_to_json(definition: Definition) -> bytes:
    """A definition for another process of the same version."""
    return _adapter().dump_json(definition)


def definition_from_json(text: bytes) -> Definition:
    """The definition that `definition_to_json` wrote."""
    return _adapter().validate_json(text)


def definition_schema() -> Table:
    """JSON Schema of a definition's file, for editors."""
    schema = _adapter().json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Experiment",
        "description": "An experiment of Recoup; recoup experiment check says more than a schema can.",
    } | {name: value for name, value in schema.items() if name not in {"title", "description"}}


def _plain(value: object) -> str:
    """A date or time, which TOML has and JSON has not."""
    return value.isoformat() if isinstance(value, date | time) else str(value)


@cache
def _adapter() -> TypeAdapter[Definition]:
    return TypeAdapter(Definition)


@cache
def _schema() -> Table:
    return cast("Table", _adapter().json_schema())


def _telling(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """The errors without those of a list or table that is at fault only because its entries are."""
    return [e for e in errors if not any(e["loc"] == o["loc"][: len(e["loc"])] and e is not o for o in errors)]


def _written(error: ErrorDetails) -> Location:
    """The place as the file writes it, without the marks of the reader."""
    kept: list[int | str] = []
    for part in error["loc"]:
        if part != "[key]" and not (kept and kept[-1] == "policy" and part in _kinds()):
            kept.append(part)
    return (*kept, "kind") if error["type"].startswith("union_tag") else tuple(kept)


def _fault(file: str, place: Location, error: ErrorDetails, tree: Table) -> Fault:
    key, value = _path(place), _value(tree, place)
    if error["type"] == _UNKNOWN:
        return Fault(file, key, value, _known(place, tree))
    if "[key]" in error["loc"]:
        return Fault(file, key, str(place[-1]), "expected a name of lower-case words joined by hyphens")
    if error["type"].startswith("union_tag"):
        return Fault(file, key, value, f"expected one of {', '.join(sorted(_kinds()))}")
    return Fault(file, key, value, f"expected {_meaning(place, tree) or error['msg']}")


def _path(place: Location) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _value(tree: object, place: Location) -> object:
    for part in place:
        if isinstance(tree, dict) and isinstance(part, str):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def _mend(tree: Table, place: Location) -> None:
    """Take what cannot be used out; put what stands in for it where something has to stand."""
    above, name = _value(tree, place[:-1]), place[-1]
    if isinstance(above, list) or name == "kind":
        _mend(tree, place[:-1])
    elif isinstance(above, dict) and isinstance(name, str):
        above.pop(name, None)
        if name in _IN_PLACE and name in _properties(place[:-1], tree):
            above[name] = _IN_PLACE[name]


def _known(place: Location, tree: Table) -> str:
    known = _properties(place[:-1], tree)
    near = get_close_matches(str(place[-1]), known, n=1)
    return f"no such key is known here; did you mean {near[0]}?" if near else f"known here are {', '.join(known)}"


def _meaning(place: Location, tree: Table) -> str | None:
    """What the field at a place, or the list or table that it is in, may hold."""
    for end in range(len(place), 0, -1):
        said = _at(place[:end], tree).get("description")
        if isinstance(said, str):
            return said
    return None


def _properties(place: Location, tree: Table) -> list[str]:
    found = _resolved(_at(place, tree), _value(tree, place)).get("properties")
    return list(found) if isinstance(found, dict) else []


def _at(place: Location, tree: Table) -> Table:
    """The schema of the field at a place."""
    schema, value = _schema(), cast("object", tree)
    for part in place:
        schema = _resolved(schema, value)
        properties = schema.get("properties")
        inner = properties.get(part) if isinstance(properties, dict) else None
        if inner is None:
            inner = schema.get("items") if isinstance(part, int) else schema.get("additionalProperties")
            inner = inner or next(iter(cast("dict[str, object]", schema.get("patternProperties", {})).values()), None)
        schema, value = (cast("Table", inner) if isinstance(inner, dict) else {}), _value(value, (part,))
    return schema


def _resolved(schema: Table, value: object) -> Table:
    """The schema behind references and choices, for a value."""
    options = schema.get("oneOf") or schema.get("anyOf")
    if isinstance(options, list):
        kind = value.get("kind") if isinstance(value, dict) else None
        resolved = [_resolved(option, value) for option in options]
        tagged = [one for one in resolved if _kind_of(one) == kind] if kind else []
        return next(iter([*tagged, *(one for one in resolved if one.get("type") != "null")]), {})
    reference = schema.get("$ref")
    if isinstance(reference, str):
        named = cast("dict[str, Table]", _schema()["$defs"])[reference.rsplit("/", 1)[-1]]
        return _resolved(named, value)
    return schema


def _kind_of(schema: Table) -> object:
    properties = schema.get("properties")
    kind = properties.get("kind") if isinstance(properties, dict) else None
    return kind.get("const") if isinstance(kind, dict) else None


@cache
def _kinds() -> frozenset[str]:
    defs = cast("dict[str, Table]", _schema()["$defs"])
    return frozenset(str(kind) for one in defs.values() if (kind := _kind_of(one)) is not None)
