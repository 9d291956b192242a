"""The module of operations: one method an address, once for threads and once for asyncio."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from serving.client_writing.document import Json, as_list, as_object, content_of, name_in, schemas_of, shapes_in

_NOT_ASKED = ("/webhooks/", "/metrics")
"""What senders of webhooks and scrapers ask; a client of Recoup does not."""

NAMES: Mapping[tuple[str, str], str] = {
    ("post", "/v1/decisions"): "decide",
    ("post", "/v1/decisions/batch"): "decide_many",
    ("post", "/v1/attempts"): "report_attempts",
    ("post", "/v1/payments/{payment_id}/events"): "tell_of_payment",
    ("post", "/v1/customers/{customer_id}/events"): "tell_of_customer",
    ("post", "/v1/attempts/{attempt_id}/money-back"): "tell_of_money_back",
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
        keyed: Whether it takes an idempotency key that means something.
        only_reads: Whether it is a POST that changes nothing.
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
    only_reads: bool
    summary: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the address."""
        return tuple(re.findall(r"{(\w+)}", self.template))


def operations_of(document: Json) -> tuple[Operation, ...]:
    """What a client can ask, in the order of the document."""
    schemas = schemas_of(document)
    found = []
    for path, methods in as_object(document["paths"]).items():
        if not path.startswith(_NOT_ASKED):
            found += [_operation(path, method, as_object(one), schemas) for method, one in as_object(methods).items()]
    return tuple(found)


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
    parameters = [as_object(one) for one in as_list(given.get("parameters", []))]
    query = tuple(str(one["name"]) for one in parameters if one.get("in") == "query")
    responses = as_object(given["responses"])
    content = content_of(as_object(responses["200"]))
    many, answer = content.get("type") == "array", shapes_in(content)
    named = {str(one.get("$ref", "")).rpartition("/")[2] for one in parameters}
    keyed, only_reads = "IdempotencyKey" in named, "IdempotencyKeyWithoutEffect" in named
    accepts = tuple(
        int(status)
        for status, one in responses.items()
        if status != "200" and "$ref" not in as_object(one) and shapes_in(content_of(as_object(one))) == answer
    )
    pages = _pages(schemas[answer[0]]) if "cursor" in query else None
    summary = str(given.get("summary", own))
    name = NAMES.get((method, path), own)
    body = _body_type(given)
    return Operation(name, method.upper(), path, query, body, answer, accepts, pages, many, keyed, only_reads, summary)


def _body_type(given: Json) -> str | None:
    if "requestBody" not in given:
        return None
    schema = content_of(as_object(given["requestBody"]))
    if schema.get("type") == "array":
        return f"Sequence[{shapes_in(schema)[0]}]"
    names = shapes_in(schema)
    return f"{names[0]} | Sequence[{names[0]}]" if "anyOf" in schema else names[0]


def _pages(page: Json) -> tuple[str, str]:
    for name, one in as_object(page["properties"]).items():
        if as_object(one).get("type") == "array":
            return name, name_in(as_object(as_object(one)["items"]))
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
    yield from _how_often(one)
    if one.accepts:
        yield f"                accepts=frozenset({{{', '.join(map(str, one.accepts))}}}),"
    yield "            )"
    yield "        )"


def _how_often(one: Operation) -> Iterator[str]:
    """What lets a POST be sent again, if anything does."""
    if one.keyed:
        yield "                idempotency_key=idempotency_key,"
    elif one.only_reads:
        yield "                only_reads=True,"
    elif one.method == "POST":
        yield "                keyed=False,"


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
