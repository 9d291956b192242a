"""How the address for many decisions is described."""

from serving.batch import LONGEST, MOST
from serving.errors import Kind
from serving.openapi import REF, Json, problem_response

_REFUSALS: dict[Kind, str] = {
    Kind.MALFORMED_JSON: "The body is not JSON: unexpected end of data at line 1 column 2",
    Kind.TOO_LARGE: f"The body is larger than {LONGEST:,} bytes; send only what one decision needs",
    Kind.MEDIA_TYPE: "The content type is text/plain; expected application/json or application/x-ndjson",
    Kind.INVALID_REQUEST: f"body: 'a list of 0' is not accepted; expected a list of 1 to {MOST:,} requests",
    Kind.INTERNAL: "The service failed on this request; its log tells why under request id 6d1f0c",
}


BATCH_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {"$ref": f"{REF}BatchEntry"},
                    "minItems": 1,
                    "maxItems": MOST,
                }
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "a BatchEntry a line; UTF-8, no line breaks within one"}
            },
        },
    }
}
_ANSWERS: list[Json] = [{"$ref": f"{REF}{name}"} for name in ("BatchDecision", "BatchRefusal")]
BATCH_RESPONSES: dict[int | str, Json] = {
    200: {
        "description": "The answers in the order of the entries",
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"anyOf": _ANSWERS}}},
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "a BatchDecision or BatchRefusal a line"}
            },
        },
    },
    **{kind.status: problem_response(kind, detail, "/v1/decisions/batch") for kind, detail in _REFUSALS.items()},
}
