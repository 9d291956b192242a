"""How the ledger's addresses are described: their bodies with worked examples, and their refusals."""

from collections.abc import Mapping

from pydantic import BaseModel

from serving.errors import Kind
from serving.openapi import REF, Json, problem_response

_INVALID = "attempt.outcome: 'failed' is not accepted; expected one of approved, declined, error, unknown"
_REFUSALS: dict[str, tuple[Kind, str]] = {
    "malformed": (Kind.MALFORMED_JSON, "The body is not JSON: unexpected end of data at line 1 column 2"),
    "too_large": (Kind.TOO_LARGE, "The body is larger than 1,000,000 bytes; send only what is needed"),
    "media": (Kind.MEDIA_TYPE, "The content type is text/plain; expected application/json"),
    "invalid": (Kind.INVALID_REQUEST, _INVALID),
    "unknown": (Kind.UNKNOWN_ID, "reservation_id: 'rsv_1' is not accepted; expected the id of a reservation"),
    "conflict": (Kind.CONFLICT, "Reservation rsv_1 was spent by attempt att_1, not by att_2"),
    "ledger": (Kind.LEDGER_UNAVAILABLE, "The ledger cannot be reached; nothing was recorded, try again"),
}


def refusals(*names: str) -> dict[int | str, Json]:
    """The responses of these refusals, and of a failure of the service."""
    chosen = [_REFUSALS[name] for name in names]
    chosen.append((Kind.INTERNAL, "The service failed on this request; its log tells why under request id 6d1f0c"))
    return {kind.status: problem_response(kind, detail, "/v1/reservations/rsv_1/settle") for kind, detail in chosen}


def body_of(model: type[BaseModel], examples: Mapping[str, Json], *, most: int | None = None) -> Json:
    """The body of an address: one of the shape or, with `most`, an array of up to that many too."""
    one: Json = {"$ref": f"{REF}{model.__name__}"}
    schema = one if most is None else {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]}
    content = {"application/json": {"schema": schema, "examples": dict(examples)}}
    return {"requestBody": {"required": True, "content": content}}
