"""One try to collect a payment, wherever it was made."""

from dataclasses import dataclass
from datetime import date, datetime

from features.decline import Decline
from features.instants import require_aware
from features.money import Money
from features.vocabulary import Credential, Initiator, Outcome, Precision


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and what came of it.

    Args:
        at: When it was made (UTC).
        outcome_at: When its outcome became known (UTC): at once for cards, days later for debits. Defaults to `at`.
        precision: `day` where only the date of `at` is known.
        decline: Why it failed; None when approved or not yet known.
        three_d_secure: Whether the payer was authenticated; None for not known.
        expires_on: Last day the credential was valid, as it was on file then; None takes the method's of today.
        credential: Form of the credential then; None takes the method's of today.
        source: Who reported it: history, advised, webhook, reported ….

    Raises:
        InvalidValueError: An instant has no time zone.
    """

    attempt_id: str
    payment_id: str
    method_id: str
    processor: str
    amount: Money
    at: datetime
    outcome: Outcome
    initiator: Initiator = Initiator.MERCHANT
    decline: Decline | None = None
    outcome_at: datetime | None = None
    precision: Precision = Precision.INSTANT
    three_d_secure: bool | None = None
    expires_on: date | None = None
    credential: Credential | None = None
    source: str = "history"

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", require_aware("at", self.at))
        if self.outcome_at is not None:
            object.__setattr__(self, "outcome_at", require_aware("outcome_at", self.outcome_at))

    @property
    def known_at(self) -> datetime:
        """When the outcome became known; never None."""
        return self.outcome_at or self.at
