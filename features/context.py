"""Everything known about one payment at one instant, and nothing later."""

from dataclasses import dataclass, field
from datetime import date, datetime

from features.attempt import Attempt
from features.errors import InvalidValueError
from features.instants import require_aware
from features.method import Method
from features.payment import Payment


@dataclass(frozen=True, slots=True)
class Context:
    """One payment, its customer's methods and attempts, cut at `as_of`.

    Args:
        attempts: Every known attempt of the customer, of this payment and of earlier ones, oldest first.
            All were made at or before `as_of`; outcomes that became known later must not be in here.
        history_known: False when the caller sent only this payment's attempts, so that nothing may be
            concluded from the absence of others.
        own_attempts: Those of this payment, oldest first; a decision looks at them once a route.

    Raises:
        InvalidValueError: An attempt is later than `as_of`, or names a method that is not listed.
    """

    payment: Payment
    methods: tuple[Method, ...]
    attempts: tuple[Attempt, ...]
    as_of: datetime
    customer_since: date | None = None
    history_known: bool = True
    own_attempts: tuple[Attempt, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "as_of", require_aware("as_of", self.as_of))
        object.__setattr__(self, "attempts", tuple(sorted(self.attempts, key=lambda a: (a.at, a.attempt_id))))
        own = tuple(a for a in self.attempts if a.payment_id == self.payment.payment_id)
        object.__setattr__(self, "own_attempts", own)
        for attempt in self.attempts:
            if attempt.known_at > self.as_of:
                raise InvalidValueError(
                    f"attempts[{attempt.attempt_id}].outcome_at",
                    attempt.known_at.isoformat(),
                    f"an instant not after as_of ({self.as_of.isoformat()})",
                )

    def method(self, method_id: str) -> Method:
        """The listed method of that id.

        Raises:
            InvalidValueError: No such method is listed.
        """
        for method in self.methods:
            if method.method_id == method_id:
                return method
        raise InvalidValueError("method_id", method_id, "one of the listed methods")
