"""The module of shapes: an enum for every list of words, a frozen dataclass for every object."""

import re
from collections.abc import Mapping
from textwrap import wrap

from serving.client_writing.document import (
    Json,
    as_list,
    as_object,
    content_of,
    name_in,
    named_in,
    schemas_of,
    shapes_in,
)

_WIDTH = 120
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_FORMATS = {"date-time": "datetime", "date": "date"}


def shapes_text(document: Json) -> str:
    """The module of shapes: enums first, then each dataclass after those that it holds."""
    schemas = schemas_of(document)
    told = _reachable(schemas, _bodies(document))
    ordered = _ordered(schemas)
    parts = [_enum(name, schemas[name]) for name in ordered if "enum" in schemas[name]]
    parts += [_shape(name, schemas[name], schemas, name in told) for name in ordered if "enum" not in schemas[name]]
    head = (
        '"""The shapes of requests and answers. Written by `recoup openapi` from docs/openapi.json: change that."""\n\n'
        "from collections.abc import Mapping\nfrom dataclasses import dataclass\nfrom datetime import date, datetime\n"
        "from enum import StrEnum\nfrom typing import Literal\n"
    )
    return _without_unused(head, "\n".join(parts))


def _enum(name: str, schema: Json) -> str:
    lines = ["", f"class {name}(StrEnum):", _docstring(schema, name, {})]
    words = [str(word) for word in as_list(schema["enum"])]
    return "\n".join([*lines, *(f'    {_member(word)} = "{word}"{_no_secret(word)}' for word in words), ""])


def _no_secret(word: str) -> str:
    """Tells the linter that a word about tokens is none."""
    return "  # noqa: S105 - a word" if "token" in word else ""


def _member(word: str) -> str:
    name = re.sub(r"\W", "_", word).upper()
    return name if not name[:1].isdigit() else f"N{name}"


def _shape(name: str, schema: Json, schemas: Mapping[str, Json], told: bool) -> str:
    properties = {field: as_object(one) for field, one in as_object(schema.get("properties", {})).items()}
    required = set(as_list(schema.get("required", [])))
    lines = ["", "@dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}:"]
    lines += [_docstring(schema, name, properties)]
    for field, one in properties.items():
        default = "" if field in required else " = None"
        lines.append(f"    {field}: {_type(one, schemas, told)}{default}")
    return "\n".join([*lines, ""])


def _docstring(schema: Json, name: str, properties: Mapping[str, Json]) -> str:
    first = str(schema.get("description", name)).splitlines()[0]
    described = {field: str(one["description"]) for field, one in properties.items() if "description" in one}
    if not described:
        return f'    """{first}"""\n'
    lines = [f'    """{first}', "", "    Args:"]
    for field, text in described.items():
        lines += wrap(f"{field}: {text}", _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12)
    return "\n".join([*lines, '    """\n'])


def _type(schema: Json, schemas: Mapping[str, Json], told: bool) -> str:
    """The Python type of a schema; in answers a word that this client does not know is kept as text."""
    if "$ref" in schema:
        name = name_in(schema)
        return f"{name} | str" if "enum" in schemas[name] and not told else name
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            options = [_type(as_object(one), schemas, told) for one in as_list(schema[choice])]
            return " | ".join(sorted(dict.fromkeys(options), key=lambda one: one == "None"))
    if "const" in schema:
        return f"Literal[{_literal(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(_literal(word) for word in as_list(schema['enum']))}]"
    return _plain(schema, schemas, told)


def _plain(schema: Json, schemas: Mapping[str, Json], told: bool) -> str:
    kind = schema.get("type")
    if kind == "null":
        return "None"
    if kind == "array":
        return f"tuple[{_type(as_object(schema['items']), schemas, told)}, ...]"
    if kind == "object":
        return "Mapping[str, object]"
    return _FORMATS.get(str(schema.get("format")), _SCALARS[str(kind)])


def _literal(word: object) -> str:
    return f'"{word}"' if isinstance(word, str) else repr(word)


def _ordered(schemas: Mapping[str, Json]) -> list[str]:
    """Each name after all that its schema names."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
            for other in sorted(named_in(schemas[name]) - {name}):
                visit(other)
            done[name] = None

    for name in schemas:
        visit(name)
    return list(done)


def _reachable(schemas: Mapping[str, Json], roots: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += sorted(named_in(schemas[name]))
    return found


def _bodies(document: Json) -> set[str]:
    operations = [
        as_object(one) for methods in as_object(document["paths"]).values() for one in as_object(methods).values()
    ]
    return {name for one in operations for name in shapes_in(content_of(as_object(one.get("requestBody", {}))))}


def _without_unused(head: str, body: str) -> str:
    """The module without the imports that nothing in it uses."""
    kept = []
    for line in head.splitlines():
        match = re.match(r"from ([\w.]+) import (.+)", line)
        names = [name for name in match[2].split(", ") if re.search(rf"\b{name}\b", body)] if match else []
        if match is None or names:
            kept.append(line if match is None else f"from {match[1]} import {', '.join(names)}")
    return "\n".join(kept) + "\n\n" + body
