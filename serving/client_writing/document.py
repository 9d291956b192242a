"""The parts of an OpenAPI document, with their kinds checked."""

from collections.abc import Mapping, Sequence

Json = Mapping[str, object]
_REF = "#/components/schemas/"


def content_of(given: Json) -> Json:
    """The schema of a JSON body or answer; empty where there is none."""
    content = as_object(given.get("content", {}))
    return as_object(as_object(content.get("application/json", {})).get("schema", {}))


def shapes_in(schema: Json) -> tuple[str, ...]:
    """The shapes that a schema names, or that the items of a list may have."""
    if schema.get("type") == "array":
        return shapes_in(as_object(schema["items"]))
    if "$ref" in schema:
        return (name_in(schema),)
    options = [as_object(one) for one in as_list(schema.get("anyOf", []))]
    return tuple(name_in(one) for one in options if "$ref" in one)


def name_in(schema: Json) -> str:
    """The name of the shape that a reference leads to."""
    return str(schema["$ref"]).removeprefix(_REF)


def named_in(tree: object) -> set[str]:
    """Every shape that a part of the document names, however deep."""
    if isinstance(tree, Mapping):
        own = {name_in(tree)} if isinstance(tree.get("$ref"), str) else set()
        return own.union(*(named_in(one) for one in tree.values()))
    return set().union(*(named_in(one) for one in tree)) if isinstance(tree, list) else set()


def schemas_of(document: Json) -> Mapping[str, Json]:
    """Every shape by its name."""
    schemas = as_object(as_object(document["components"])["schemas"])
    return {name: as_object(one) for name, one in schemas.items()}


def as_object(value: object) -> Json:
    """The value, which must be an object.

    Raises:
        TypeError: It is another.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object in the OpenAPI document, found {value!r}")
    return value


def as_list(value: object) -> Sequence[object]:
    """The value, which must be a list.

    Raises:
        TypeError: It is another.
    """
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list in the OpenAPI document, found {value!r}")
    return value
