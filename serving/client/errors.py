"""What can go wrong in asking Recoup: one small tree, with a class for every kind of refusal."""

from collections.abc import Mapping
from dataclasses import dataclass


class RecoupClientError(Exception):
    """Whatever the client raises."""


class NotReachedError(RecoupClientError):
    """The service could not be reached, however often it was tried. What was sent may have been taken."""


class SignatureError(RecoupClientError):
    """A delivery was not signed by the secret, or not just now."""


class UnexpectedAnswerError(RecoupClientError):
    """An answer is not of the shape that this client knows; the service may be of another version."""

    def __init__(self, place: str, value: object, expected: str) -> None:
        shown = repr(value)[:80]
        super().__init__(f"{place or 'the answer'}: {shown} came; expected {expected}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One field at fault.

    Args:
        field: Its path in the request, such as `attempts[0].amount_minor`.
        value: What stood there; None where nothing did or where it is not repeated.
    """

    field: str
    value: str | int | float | bool | None
    expected: str


class RefusedError(RecoupClientError):
    """The service refused the request (RFC 9457).

    Args:
        slug: The kind of refusal: the last part of the problem's `type`.
        request_id: By which the service's log knows the request.
        retry_after_s: In how many seconds to ask again, where the service said so.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        faults: tuple[Fault, ...] = (),
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.faults = faults
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class InvalidRequestError(RefusedError):
    """Fields are missing, unknown, of the wrong kind or contradict each other; `faults` names each."""


class CardNumberRefusedError(InvalidRequestError):
    """A field holds what looks like a card number."""


class UnauthenticatedError(RefusedError):
    """No key was sent, or it cannot be used."""


class ForbiddenError(RefusedError):
    """The key does not allow this, or it is of another merchant."""


class UnknownIdError(RefusedError):
    """This merchant has nothing of that id."""


class ConflictError(RefusedError):
    """It contradicts what is recorded already."""


class KeyReusedError(ConflictError):
    """The idempotency key stands for another request."""


class InProgressError(ConflictError):
    """The same request is being answered."""


class TooManyRequestsError(RefusedError):
    """The key asks too often."""


class UnavailableError(RefusedError):
    """The service, or its ledger, cannot answer now."""


BY_SLUG: Mapping[str, type[RefusedError]] = {
    "malformed-json": InvalidRequestError,
    "invalid-request": InvalidRequestError,
    "media-type": InvalidRequestError,
    "too-large": InvalidRequestError,
    "headers-too-large": InvalidRequestError,
    "card-number": CardNumberRefusedError,
    "unauthenticated": UnauthenticatedError,
    "not-signed": UnauthenticatedError,
    "forbidden": ForbiddenError,
    "not-found": UnknownIdError,
    "unknown-id": UnknownIdError,
    "conflict": ConflictError,
    "idempotency-key-reused": KeyReusedError,
    "in-progress": InProgressError,
    "too-many-requests": TooManyRequestsError,
    "ledger-unavailable": UnavailableError,
    "method-not-allowed": RefusedError,
    "internal": RefusedError,
    "report-failed": RefusedError,
    "http": RefusedError,
}
"""The class of each kind of refusal that the service knows."""

BY_STATUS: Mapping[int, type[RefusedError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    429: TooManyRequestsError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
"""The class of what is refused without a problem document, by a proxy perhaps."""
