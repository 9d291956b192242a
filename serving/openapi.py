"""The OpenAPI document: what the code says of itself, with worked examples and every refusal."""

from collections.abc import Mapping

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from model.decision import CODE_VERSION
from serving.admin_schemas import StopRequest
from serving.answer_schemas import DecisionAnswer, Problem
from serving.batch_schemas import BatchDecision, BatchEntry, BatchRefusal
from serving.customer_schemas import ToldOfCustomer
from serving.errors import MEDIA_TYPE, Kind
from serving.examples import EXAMPLES
from serving.idempotency import OWN_KEYS
from serving.ledger_answers import ReservedDecisionAnswer
from serving.ledger_schemas import AttemptReport, CheckRequest, PaymentEvent, ReleaseRequest, SettleRequest
from serving.money_back_schemas import ToldOfMoneyBack
from serving.openapi_links import Operation, add_links
from serving.paging import DEFAULT_LIMIT, MOST
from serving.questions import only_reads
from serving.sandbox.schemas import SandboxAnswers, SandboxAttempt, SandboxClock
from serving.schemas import DecisionRequest

Json = dict[str, object]


REF = "#/components/schemas/"
_DESCRIPTION = """\
Decides what to do about a failed recurring payment: when to retry it, with which stored method and through which
processor, or to stop, under every network and issuer limit that applies; and says why.

Recoup never charges anything and never takes a card number: methods are known by token. Any request that holds what
looks like a card number is refused without being stored.

Refusals are problem details (RFC 9457) that name every field at fault. Amounts are whole minor units (cents, pence,
whole yen). Instants carry a time zone; answers are in UTC, with the issuer's local time beside them.
Callers are known by API keys (`Authorization: Bearer recoup_…`), each of one merchant and of a scope: `read` for GET,
`decide` for POST too, `admin` for everything. Every POST takes an `Idempotency-Key`; one that only reads, as the check
before charging, is answered anew all the same. Lists come in pages: `has_more` says whether the list goes on,
`next_cursor` where.
Send `X-Request-Id` to find a request again in the log; every answer carries it back.
"""
_KEYS = "An API key of one merchant, as `recoup keys create` makes it. Not asked for on 127.0.0.1 while there are none."
_TAGS: list[Json] = [
    {"name": "decisions", "description": "Ask what to do about a failed payment."},
    {"name": "reservations", "description": "Hold a place under every limit, check before charging, settle, release."},
    {"name": "payments", "description": "See payments and what happened to each, page by page."},
    {"name": "attempts", "description": "Tell of attempts, and where payments and consents stand."},
    {"name": "methods", "description": "See what is left of every limit."},
    {"name": "webhooks", "description": "Take in what payment providers and billing systems deliver."},
    {
        "name": "experiments",
        "description": "See experiments, their variants, whom each answered for, and their reports.",
    },
    {"name": "rules", "description": "See the limits in force and how decline codes are read."},
    {"name": "admin", "description": "Stop and resume advice; for keys of scope admin."},
    {"name": "sandbox", "description": "Set the clock and the answers of your sandbox; for its keys."},
    {"name": "operation", "description": "See whether and with what the service answers."},
]
_REFUSALS: dict[Kind, str] = {
    Kind.MALFORMED_JSON: "The body is not JSON: unexpected end of data at line 1 column 2",
    Kind.TOO_LARGE: "The body is larger than 1,000,000 bytes; send only what one decision needs",
    Kind.MEDIA_TYPE: "The content type is text/plain; expected application/json",
    Kind.INVALID_REQUEST: "payment.currency: 'EURO' is not accepted; expected an ISO 4217 code in capitals",
    Kind.INTERNAL: "The service failed on this request; its log tells why under request id 6d1f0c",
    Kind.LEDGER_UNAVAILABLE: "The ledger cannot be reached; nothing was decided or recorded, try again",
}


def problem_response(kind: Kind, detail: str, instance: str = "/v1/decisions") -> Json:
    """The response of a refusal, with an example."""
    example: Json = {
        "type": f"urn:recoup:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
        "errors": [],
    }
    if kind is Kind.INVALID_REQUEST:
        field, _, rest = detail.partition(": ")
        value, _, expected = rest.partition(" is not accepted; expected ")
        example["errors"] = [{"field": field, "value": value.strip("'"), "expected": expected}]
    return {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}, "example": example}},
    }


DECISION_RESPONSES: dict[int | str, Json] = {
    200: {
        "description": "What to do, what it is worth, why, and under which limits",
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"$ref": f"{REF}ReservedDecisionAnswer"}, {"$ref": f"{REF}DecisionAnswer"}]}
            }
        },
    },
    **{kind.status: problem_response(kind, detail) for kind, detail in _REFUSALS.items()},
}
DECISION_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"{REF}DecisionRequest"},
                "examples": {
                    example.name: {
                        "summary": example.title,
                        "description": example.story,
                        "value": orjson.loads(example.body),
                    }
                    for example in EXAMPLES
                },
            }
        },
    }
}


_TOLD: tuple[type[BaseModel], ...] = (
    *(
        DecisionRequest,
        AttemptReport,
        PaymentEvent,
        ToldOfCustomer,
        ToldOfMoneyBack,
        CheckRequest,
        SettleRequest,
        ReleaseRequest,
        StopRequest,
    ),
    *(BatchEntry, SandboxClock, SandboxAnswers, SandboxAttempt),
)
_ANSWERED: tuple[type[BaseModel], ...] = (
    *(DecisionAnswer, ReservedDecisionAnswer, BatchDecision, BatchRefusal, Problem),
)


# What a key, its limit and an idempotency key may answer with, at every address under /v1.
_GATE: dict[Kind, str] = {
    Kind.UNAUTHENTICATED: "The key is not known. Send a key as Authorization: Bearer recoup_…",
    Kind.FORBIDDEN: "merchant_id: 'other' is not accepted; expected the merchant whose key was sent",
    Kind.TOO_MANY: "Key qhzkvmwnepta may ask 100 times a second; try again when Retry-After is over",
}
_RESPONSES = "#/components/responses/"
_KEY_REUSED = "The Idempotency-Key stands for another address or body already; use a new key for a new request"
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key of your own for this request, such as a UUID. For 24 hours the same address and body under "
    "the same key get the same answer, marked Idempotent-Replayed; another address or body under it is refused with "
    "409. Failures (5xx) and refusals of a header (415) are not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_IDEMPOTENCY_KEY_WITHOUT_EFFECT: Json = _IDEMPOTENCY_KEY | {
    "description": "Checked for its form and otherwise without effect: this only reads, so that every answer is of "
    "now, and none is kept or given again.",
}
_PARAMETERS: dict[str, Json] = {
    "limit": {
        "description": "how many at most",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
    },
    "cursor": {"description": "the next_cursor of the page before", "schema": {"type": "string"}},
    "merchant_id": {
        "description": "the merchant; may be left out with a key, whose merchant it is then",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
}


_HEADERS: dict[str, Json] = {
    "X-Request-Id": {
        "description": "the id that was sent with the request, or one made for it; the log names it",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100},
    },
    "Retry-After": {
        "description": "in how many seconds to ask again",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "how to authenticate", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "true where the answer was given before, under the same Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
_HEADER_OF: Mapping[str, str] = {"202": "Retry-After", "409": "Retry-After", "429": "Retry-After", "503": "Retry-After"}


def describe(app: FastAPI) -> None:
    """Give the application its OpenAPI document, made once when first asked for."""

    def document() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way FastAPI documents for extending its schema


def as_text(document: Json) -> bytes:
    """The document as it stands in docs/openapi.json."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _document(app: FastAPI) -> Json:
    made = get_openapi(title="Recoup", version=CODE_VERSION, description=_DESCRIPTION, routes=app.routes, tags=_TAGS)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, own = models_json_schema(
        [*((shape, "validation") for shape in _TOLD), *((shape, "serialization") for shape in _ANSWERED)],
        ref_template=f"{REF}{{model}}",
    )
    schemas |= own["$defs"]
    components["schemas"] = dict(sorted(schemas.items()))
    components["parameters"] = {
        "IdempotencyKey": _IDEMPOTENCY_KEY,
        "IdempotencyKeyWithoutEffect": _IDEMPOTENCY_KEY_WITHOUT_EFFECT,
    }
    shared = _GATE | {Kind.KEY_REUSED: _KEY_REUSED}
    components["responses"] = {kind.slug: problem_response(kind, detail) for kind, detail in shared.items()}
    components["headers"] = _HEADERS
    for kind in shared:
        header = "WWW-Authenticate" if kind is Kind.UNAUTHENTICATED else _HEADER_OF.get(str(kind.status))
        _describe_headers(components["responses"][kind.slug], header)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": _KEYS}}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _describe_gate(path, method, operation)
            replays = method == "post" and path.startswith("/v1/") and not only_reads(path)
            for status, response in operation["responses"].items():
                header = "Idempotent-Replayed" if replays and status == "200" else _HEADER_OF.get(status)
                _describe_headers(response, header)
    add_links(made["paths"])
    return made


def _describe_headers(response: Json, own: str | None) -> None:
    """Name the headers that an answer carries; one that is only referred to is described where it stands."""
    if "$ref" not in response:
        names = ("X-Request-Id",) if own is None else ("X-Request-Id", own)
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _describe_gate(path: str, method: str, operation: Operation) -> None:
    """What holds for every address: the key, the idempotency key of a POST, what both may answer with, and pages."""
    if not path.startswith("/v1/"):
        return
    operation["security"] = [{"key": []}]
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        parameter.update(_PARAMETERS.get(str(parameter.get("name")), {}))
    responses = operation["responses"]
    responses |= {str(kind.status): {"$ref": f"{_RESPONSES}{kind.slug}"} for kind in _GATE}
    if method == "post" and only_reads(path):
        parameters.append({"$ref": "#/components/parameters/IdempotencyKeyWithoutEffect"})
    elif method == "post" and not path.startswith(OWN_KEYS):
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
        responses.setdefault(str(Kind.KEY_REUSED.status), {"$ref": f"{_RESPONSES}{Kind.KEY_REUSED.slug}"})
    operation["responses"] = dict(sorted(responses.items()))
