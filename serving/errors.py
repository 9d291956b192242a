"""Refusals of a request as RFC 9457 problem details: one sentence, and every field that is at fault."""

from dataclasses import dataclass
from enum import Enum

import orjson

from features.card_number import mask_card_numbers
from features.errors import RecoupError

MEDIA_TYPE = "application/problem+json"
FieldValue = str | int | float | bool | None


class Kind(Enum):
    """The kinds of problem: slug of the `type`, HTTP status, title."""

    MALFORMED_JSON = ("malformed-json", 400, "The body is not JSON")
    NOT_SIGNED = ("not-signed", 401, "The delivery was not signed by its sender")
    UNAUTHENTICATED = ("unauthenticated", 401, "A key is asked for and none that can be used was sent")
    FORBIDDEN = ("forbidden", 403, "The key does not allow this")
    NOT_FOUND = ("not-found", 404, "There is nothing at this address")
    UNKNOWN_ID = ("unknown-id", 404, "Nothing of this id is known")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "This address does not take this HTTP method")
    CONFLICT = ("conflict", 409, "The request contradicts what is recorded already")
    KEY_REUSED = ("idempotency-key-reused", 409, "The idempotency key stands for another request")
    IN_PROGRESS = ("in-progress", 409, "The same request is being answered")
    TOO_LARGE = ("too-large", 413, "The body is too large")
    MEDIA_TYPE = ("media-type", 415, "The body must be application/json")
    INVALID_REQUEST = ("invalid-request", 422, "The request cannot be used as it is")
    CARD_NUMBER = ("card-number", 422, "A field holds a card number")
    TOO_MANY = ("too-many-requests", 429, "The key asks too often")
    HEADERS_TOO_LARGE = ("headers-too-large", 431, "The address and the header fields are too large")
    OTHER = ("http", 400, "The request was refused")
    INTERNAL = ("internal", 500, "The service failed")
    REPORT_FAILED = ("report-failed", 500, "The report cannot be computed")
    LEDGER_UNAVAILABLE = ("ledger-unavailable", 503, "The ledger cannot be asked")

    @property
    def slug(self) -> str:
        """Last part of the problem's `type`."""
        return self.value[0]

    @property
    def status(self) -> int:
        """HTTP status it is sent with."""
        return self.value[1]

    @property
    def title(self) -> str:
        """What all problems of this kind have in common, for people."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault.

    Args:
        field: Path as the caller wrote it, such as `attempts[0].amount_minor`.
        value: What stood there, shortened; None where nothing did or where it may not be repeated.
        expected: What would be right, as a phrase.
    """

    field: str
    value: FieldValue
    expected: str

    def __str__(self) -> str:
        stood = "is missing" if self.value is None else f"{self.value!r} is not accepted"
        return f"{self.field}: {stood}; expected {self.expected}"


class RequestError(RecoupError):
    """A request that cannot be answered, with the kind of problem and the fields at fault.

    Args:
        retry_after_s: In how many seconds to ask again, where that helps.
    """

    def __init__(
        self, kind: Kind, detail: str, errors: tuple[FieldError, ...] = (), retry_after_s: int | None = None
    ) -> None:
        self.kind = kind
        self.errors = errors
        self.retry_after_s = retry_after_s
        super().__init__(detail)


def invalid_request(errors: tuple[FieldError, ...]) -> RequestError:
    """A refusal for one or more fields; the first is told in the sentence, all are in the list."""
    more = len(errors) - 1
    rest = "" if not more else f" (and {more} more {'field is' if more == 1 else 'fields are'} at fault)"
    return RequestError(Kind.INVALID_REQUEST, f"{errors[0]}{rest}", errors)


def problem_body(
    kind: Kind, detail: str, instance: str, errors: tuple[FieldError, ...] = (), status: int | None = None
) -> bytes:
    """The problem document; nothing that looks like a card number survives in it."""
    document = {
        "type": f"urn:recoup:problem:{kind.slug}",
        "title": kind.title,
        "status": status or kind.status,
        "detail": mask_card_numbers(detail),
        "instance": mask_card_numbers(instance),
        "errors": [
            {"field": mask_card_numbers(e.field), "value": _masked(e.value), "expected": mask_card_numbers(e.expected)}
            for e in errors
        ],
    }
    return orjson.dumps(document)


def _masked(value: FieldValue) -> FieldValue:
    return mask_card_numbers(value) if isinstance(value, str) else value
