"""Writes the shapes and the operations of `serving.client` from the OpenAPI document; `recoup openapi` calls it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

Json = Mapping[str, object]
_WIDTH = 120
_REF = "#/components/schemas/"
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_FORMATS = {"date-time": "datetime", "date": "date"}
_NOT_ASKED = ("/webhooks/", "/metrics")
"""What senders of webhooks and scrapers ask; a client of Recoup does not."""

NAMES: Mapping[tuple[str, str], str] = {
    ("post", "/v1/decisions"): "decide",
    ("post", "/v1/decisions/batch"): "decide_many",
    ("post", "/v1/attempts"): "report_attempts",
    ("post", "/v1/payments/{payment_id}/events"): "tell_of_payment",
    ("get", "/v1/methods/{method_id}/attempts"): "attempts_of_method",
    ("get", "/v1/methods/{method_id}/budgets"): "budgets_of_method",
    ("post", "/v1/reservations/{reservation_id}/check"): "check",
    ("post", "/v1/reservations/{reservation_id}/settle"): "settle",
    ("post", "/v1/reservations/{reservation_id}/release"): "release",
    ("post", "/v1/admin/stop"): "stop",
    ("post", "/v1/admin/resume"): "resume",
    ("get", "/v1/declines/{processor}/{code}"): "decline",
    ("delete", "/v1/sandbox"): "wipe_sandbox",
    ("put", "/v1/sandbox/clock"): "set_sandbox_clock",
    ("put", "/v1/sandbox/answers"): "set_sandbox_answers",
    ("post", "/v1/sandbox/payments/{payment_id}/attempt"): "attempt_in_sandbox",
    ("post", "/v1/sandbox/reservations/{reservation_id}/attempt"): "attempt_reserved_in_sandbox",
    ("get", "/v1/sandbox/events"): "sandbox_events",
}
"""Names of operations where that of the service's own function says too little by itself."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the interface.

    Args:
        template: The address with its ids in braces.
        query: Names of parameters in the query.
        body: Type of the body; None for none.
        answer: Shapes that the answer may be, the one with most fields first.
        accepts: Statuses from 400 on with an answer of the same shape.
        pages: Of a list, the field that holds the items and their type.
        many: Whether the answer is a list of such shapes, one for each of the body.
        keyed: Whether it takes an idempotency key.
    """

    name: str
    method: str
    template: str
    query: tuple[str, ...]
    body: str | None
    answer: tuple[str, ...]
    accepts: tuple[int, ...]
    pages: tuple[str, str] | None
    many: bool
    keyed: bool
    summary: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the address."""
        return tuple(re.findall(r"{(\w+)}", self.template))


def operations_of(document: Json) -> tuple[Operation, ...]:
    """What a client can ask, in the order of the document."""
    schemas = _schemas(document)
    found = []
    for path, methods in _object(document["paths"]).items():
        if not path.startswith(_NOT_ASKED):
            found += [_operation(path, method, _object(one), schemas) for method, one in _object(methods).items()]
    return tuple(found)


def shapes_text(document: Json) -> str:
    """The module of shapes: enums first, then each dataclass after those that it holds."""
    schemas = _schemas(document)
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


def operations_text(document: Json) -> str:
    """The module of operations, once for threads and once for asyncio."""
    operations = operations_of(document)
    names = sorted(_shape_names(operations), key=str.lower)
    imports = "".join(f"    {name},\n" for name in names)
    return (
        '"""What can be asked. Written by `recoup openapi` from docs/openapi.json: change that."""\n\n'
        "from abc import ABC, abstractmethod\nfrom collections.abc import AsyncIterator, Iterator, Sequence\n\n"
        "from serving.client.calls import Answer, Call, call\n"
        "from serving.client.codec import decode, decode_either, decode_many\n"
        f"from serving.client.shapes import (\n{imports})\n\n\n"
        + _class(operations, asynchronous=False)
        + "\n\n"
        + _class(operations, asynchronous=True)
    )


def _operation(path: str, method: str, given: Json, schemas: Mapping[str, Json]) -> Operation:
    own = str(given["operationId"]).split("_v1_")[0].removesuffix(f"_{path.strip('/')}_{method}")
    parameters = [_object(one) for one in _list(given.get("parameters", []))]
    query = tuple(str(one["name"]) for one in parameters if one.get("in") == "query")
    responses = _object(given["responses"])
    content = _content(_object(responses["200"]))
    many = content.get("type") == "array"
    answer = _refs(_object(content["items"]) if many else content)
    keyed = any(str(one.get("$ref", "")).endswith("/IdempotencyKey") for one in parameters)
    accepts = tuple(
        int(status)
        for status, one in responses.items()
        if status != "200" and "$ref" not in _object(one) and _refs(_content(_object(one))) == answer
    )
    pages = _pages(schemas[answer[0]]) if "cursor" in query else None
    summary = str(given.get("summary", own))
    name = NAMES.get((method, path), own)
    body = _body_type(given)
    return Operation(name, method.upper(), path, query, body, answer, accepts, pages, many, keyed, summary)


def _body_type(given: Json) -> str | None:
    if "requestBody" not in given:
        return None
    schema = _content(_object(given["requestBody"]))
    if schema.get("type") == "array":
        return f"Sequence[{_name_in(_object(schema['items']))}]"
    names = _refs(schema)
    return f"{names[0]} | Sequence[{names[0]}]" if "anyOf" in schema else names[0]


def _content(given: Json) -> Json:
    content = _object(given.get("content", {}))
    return _object(_object(content.get("application/json", {})).get("schema", {}))


def _refs(schema: Json) -> tuple[str, ...]:
    """The shapes that a schema names."""
    if "$ref" in schema:
        return (_name_in(schema),)
    options = [_object(one) for one in _list(schema.get("anyOf", []))]
    return tuple(_name_in(one) for one in options if "$ref" in one)


def _pages(page: Json) -> tuple[str, str]:
    for name, one in _object(page["properties"]).items():
        if _object(one).get("type") == "array":
            return name, _name_in(_object(_object(one)["items"]))
    raise ValueError("a page without a list of items")


def _class(operations: Sequence[Operation], *, asynchronous: bool) -> str:
    name, word = ("AsyncOperations", "async def") if asynchronous else ("Operations", "def")
    title = "for asyncio" if asynchronous else "for threads"
    lines = [
        f"class {name}(ABC):",
        f'    """Every operation of the interface, {title}; raises what `send` raises."""',
        "",
        "    @abstractmethod",
        f"    {word} send(self, one: Call[Answer]) -> Answer:",
        '        """Send a call."""',
        "",
    ]
    for operation in operations:
        lines += [*_method(operation, asynchronous=asynchronous), ""]
        if operation.pages:
            lines += [*_all_pages(operation, operation.pages, asynchronous=asynchronous), ""]
    return "\n".join(lines)


def _method(one: Operation, *, asynchronous: bool) -> Iterator[str]:
    word, wait = ("async def", "await ") if asynchronous else ("def", "")
    yield f"    {word} {one.name}("
    yield "        self,"
    yield from (f"        {name}: str," for name in one.ids)
    if one.body:
        yield f"        request: {one.body},"
    if one.query or one.keyed:
        yield "        *,"
    yield from (f"        {name}: {_query_type(name)} | None = None," for name in one.query)
    if one.keyed:
        yield "        idempotency_key: str | None = None,"
    either = " | ".join(one.answer)
    yield f"    ) -> {f'tuple[{either}, ...]' if one.many else either}:"
    yield f'        """{one.summary.rstrip(".")}: `{one.method} {one.template}`."""'
    yield f"        return {wait}self.send("
    yield "            call("
    yield f'                "{one.method}",'
    yield f'                "{one.template}",'
    read = "decode_many" if one.many else "decode" if len(one.answer) == 1 else "decode_either"
    yield f"                lambda value: {read}({', '.join((*one.answer, 'value'))}),"
    if one.ids:
        given = ", ".join(f'"{name}": {name}' for name in one.ids)
        yield f"                path={{{given}}},"
    if one.query:
        yield "                query={"
        yield from (f'                    "{name}": {name},' for name in one.query)
        yield "                },"
    if one.body:
        yield "                body=request,"
    if one.keyed:
        yield "                idempotency_key=idempotency_key,"
    elif one.method == "POST":
        yield "                keyed=False,"
    if one.accepts:
        yield f"                accepts=frozenset({{{', '.join(map(str, one.accepts))}}}),"
    yield "            )"
    yield "        )"


def _all_pages(one: Operation, pages: tuple[str, str], *, asynchronous: bool) -> Iterator[str]:
    field, item = pages
    word, wait, kind = ("async def", "await ", "AsyncIterator") if asynchronous else ("def", "", "Iterator")
    others = [name for name in one.query if name != "cursor"]
    yield f"    {word} all_{one.name}("
    yield "        self,"
    yield from (f"        {name}: str," for name in one.ids)
    yield "        *,"
    yield from (f"        {name}: {_query_type(name)} | None = None," for name in others)
    yield f"    ) -> {kind}[{item}]:"
    yield f'        """{one.summary.rstrip(".")}, from every page."""'
    yield "        cursor: str | None = None"
    yield "        while True:"
    yield f"            page = {wait}self.{one.name}("
    yield from (f"                {name}," for name in one.ids)
    yield from (f"                {name}={name}," for name in others)
    yield "                cursor=cursor,"
    yield "            )"
    if asynchronous:
        yield f"            for one in page.{field}:"
        yield "                yield one"
    else:
        yield f"            yield from page.{field}"
    yield "            if page.next_cursor is None:"
    yield "                return"
    yield "            cursor = page.next_cursor"


def _query_type(name: str) -> str:
    return "int" if name == "limit" else "str"


def _shape_names(operations: Sequence[Operation]) -> set[str]:
    names = {name for one in operations for name in one.answer}
    names |= {one.pages[1] for one in operations if one.pages}
    return names | {re.findall(r"\w+", one.body)[-1] for one in operations if one.body}


def _enum(name: str, schema: Json) -> str:
    lines = ["", f"class {name}(StrEnum):", _docstring(schema, name, {})]
    words = [str(word) for word in _list(schema["enum"])]
    return "\n".join([*lines, *(f'    {_member(word)} = "{word}"{_no_secret(word)}' for word in words), ""])


def _no_secret(word: str) -> str:
    """Tells the linter that a word about tokens is none."""
    return "  # noqa: S105 - a word" if "token" in word else ""


def _member(word: str) -> str:
    name = re.sub(r"\W", "_", word).upper()
    return name if not name[:1].isdigit() else f"N{name}"


def _shape(name: str, schema: Json, schemas: Mapping[str, Json], told: bool) -> str:
    properties = {field: _object(one) for field, one in _object(schema.get("properties", {})).items()}
    required = set(_list(schema.get("required", [])))
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
        name = _name_in(schema)
        return f"{name} | str" if "enum" in schemas[name] and not told else name
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            options = [_type(_object(one), schemas, told) for one in _list(schema[choice])]
            return " | ".join(sorted(dict.fromkeys(options), key=lambda one: one == "None"))
    if "const" in schema:
        return f"Literal[{_literal(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(_literal(word) for word in _list(schema['enum']))}]"
    return _plain(schema, schemas, told)


def _plain(schema: Json, schemas: Mapping[str, Json], told: bool) -> str:
    kind = schema.get("type")
    if kind == "null":
        return "None"
    if kind == "array":
        return f"tuple[{_type(_object(schema['items']), schemas, told)}, ...]"
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
            for other in sorted(_named(schemas[name]) - {name}):
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
            waiting += sorted(_named(schemas[name]))
    return found


def _bodies(document: Json) -> set[str]:
    operations = [_object(one) for methods in _object(document["paths"]).values() for one in _object(methods).values()]
    contents = [_content(_object(one.get("requestBody", {}))) for one in operations]
    return {name for one in contents for name in _refs(_object(one.get("items", one)))}


def _named(tree: object) -> set[str]:
    if isinstance(tree, Mapping):
        own = {_name_in(tree)} if isinstance(tree.get("$ref"), str) else set()
        return own.union(*(_named(one) for one in tree.values()))
    return set().union(*(_named(one) for one in tree)) if isinstance(tree, list) else set()


def _name_in(schema: Json) -> str:
    return str(schema["$ref"]).removeprefix(_REF)


def _without_unused(head: str, body: str) -> str:
    """The module without the imports that nothing in it uses."""
    kept = []
    for line in head.splitlines():
        match = re.match(r"from ([\w.]+) import (.+)", line)
        names = [name for name in match[2].split(", ") if re.search(rf"\b{name}\b", body)] if match else []
        if match is None or names:
            kept.append(line if match is None else f"from {match[1]} import {', '.join(names)}")
    return "\n".join(kept) + "\n\n" + body


def _schemas(document: Json) -> Mapping[str, Json]:
    schemas = _object(_object(document["components"])["schemas"])
    return {name: _object(one) for name, one in schemas.items()}


def _object(value: object) -> Json:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object in the OpenAPI document, found {value!r}")
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list in the OpenAPI document, found {value!r}")
    return value
