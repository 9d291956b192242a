"""The client is the OpenAPI document's: every operation, every shape, every field, every word, and nothing else."""

import ast
import enum
import inspect
import sys
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import orjson
import pytest

from serving.client import AsyncRecoup, Recoup, shapes
from serving.client.errors import BY_SLUG
from serving.client_writing import operations_of, operations_text, shapes_text
from serving.errors import Kind

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "serving" / "client"
DOCUMENT: dict[str, Any] = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]


def test_what_is_written_from_the_document_is_what_stands_there() -> None:
    assert (FOLDER / "shapes.py").read_text("utf-8") == shapes_text(DOCUMENT), "run make openapi"
    assert (FOLDER / "operations.py").read_text("utf-8") == operations_text(DOCUMENT), "run make openapi"


def test_every_operation_can_be_asked_in_both_ways_and_there_is_no_other() -> None:
    wanted = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if path != "/webhooks/{source}"
    }
    assert {(one.method, one.template) for one in operations_of(DOCUMENT)} == wanted
    names = [one.name for one in operations_of(DOCUMENT)]
    assert len(names) == len(set(names))
    for client in (Recoup, AsyncRecoup):
        assert set(names) <= {name for name, _ in inspect.getmembers(client, inspect.isfunction)}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_and_every_word_of_a_shape_is_known(name: str) -> None:
    schema, shape = SCHEMAS[name], getattr(shapes, name)
    if "enum" in schema:
        assert issubclass(shape, enum.Enum)
        assert [one.value for one in shape] == schema["enum"]
        return
    assert is_dataclass(shape)
    assert [field.name for field in fields(shape)] == list(schema.get("properties", {}))
    required = [field.name for field in fields(shape) if field.default is MISSING]
    assert set(required) == set(schema.get("required", []))
    hints = get_type_hints(shape)
    for field, one in schema.get("properties", {}).items():
        options = one.get("anyOf", [one])
        assert (type(None) in get_args(hints[field])) is (
            {"type": "null"} in options or field not in schema.get("required", [])
        )


def test_every_kind_of_refusal_has_its_class() -> None:
    assert set(BY_SLUG) == {kind.slug for kind in Kind}


def test_it_imports_nothing_of_the_service_and_little_else() -> None:
    allowed = {"httpx", "serving.client", *sys.stdlib_module_names}
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("serving.client") or name.split(".")[0] in allowed, (file.name, name)
