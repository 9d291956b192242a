"""One call as it is sent, and what its answer says: the part that needs no network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

from serving.client.codec import encode
from serving.client.errors import BY_SLUG, BY_STATUS, Fault, RefusedError, UnexpectedAnswerError

Answer = TypeVar("Answer")
_REDIRECTED = 300


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One request.

    Args:
        read: Makes the answer of the JSON that came.
        body: JSON as it is sent, the same bytes with every try; None sends none.
        idempotency_key: Under which the service answers once; every POST that changes something has one, except that
            of many decisions.
        accepts: Statuses from 400 on whose bodies are answers all the same.
        only_reads: Whether it changes nothing, so that each try is answered anew.
    """

    method: str
    path: str
    read: Callable[[object], Answer]
    body: bytes | None = None
    idempotency_key: str | None = None
    accepts: frozenset[int] = frozenset()
    only_reads: bool = False


def call(
    method: str,
    template: str,
    read: Callable[[object], Answer],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str | int | None] | None = None,
    body: object = None,
    idempotency_key: str | None = None,
    accepts: frozenset[int] = frozenset(),
    keyed: bool = True,
    only_reads: bool = False,
) -> Call[Answer]:
    """A request to an address; a POST that changes something and has no idempotency key is given one.

    Args:
        template: The address with its ids in braces.
        body: A shape, or a sequence of shapes.
        keyed: Whether the address takes a key; one that does not is asked once, unless it only reads.
        only_reads: Whether a POST changes nothing.
    """
    address = template.format(**{name: quote(value, safe="") for name, value in (path or {}).items()})
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    if asked:
        address += f"?{urlencode(asked)}"
    content = None if body is None else json.dumps(encode(body)).encode()
    # Without dashes: digits grouped by them may read as a card number, which the service refuses.
    key = (idempotency_key or uuid4().hex) if method == "POST" and keyed and not only_reads else None
    return Call(method, address, read, content, key, accepts, only_reads)


def headers_of(one: Call[Answer]) -> dict[str, str]:
    """What is sent with it beside the API key."""
    headers = {"accept": "application/json"}
    if one.body is not None:
        headers["content-type"] = "application/json"
    if one.idempotency_key is not None:
        headers["idempotency-key"] = one.idempotency_key
    return headers


def answer_of(one: Call[Answer], status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """The answer, or the refusal that came instead.

    Raises:
        RefusedError: The service refused; of the class of its kind.
        UnexpectedAnswerError: What came is not of the shape that this client knows.
    """
    if status >= _REDIRECTED and status not in one.accepts:
        raise refusal_of(status, headers, content)
    try:
        value = json.loads(content)
    except ValueError:
        raise UnexpectedAnswerError("", content[:80], "JSON") from None
    return one.read(value)


def refusal_of(status: int, headers: Mapping[str, str], content: bytes) -> RefusedError:
    """The refusal in a problem document; by its status alone where somebody in between answered instead."""
    problem = _object(content)
    slug = str(problem.get("type", "")).rpartition(":")[2]
    kind = BY_SLUG.get(slug) or BY_STATUS.get(status, RefusedError)
    detail = str(problem.get("detail") or f"the answer was {status} without a problem document")
    faults = problem.get("errors")
    listed = faults if isinstance(faults, list) else []
    return kind(
        status,
        slug or "http",
        detail,
        tuple(_fault(fault) for fault in listed if isinstance(fault, dict)),
        headers.get("x-request-id"),
        retry_after(headers),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in `Retry-After`; None where there are none, a date included."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fault(given: dict[str, object]) -> Fault:
    value = given.get("value")
    shown = value if isinstance(value, str | int | float | bool) else None
    return Fault(str(given.get("field", "")), shown, str(given.get("expected", "")))
