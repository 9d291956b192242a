"""The obligation that attempts try to collect."""

from dataclasses import dataclass
from datetime import datetime

from features.instants import require_aware
from features.money import Money


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount a customer owes.

    Args:
        due_at: When it first fell due (UTC).
        recover_by: After this instant retries stop (UTC); the horizon of the plan.
        market: The merchant's own market label, usually the country; None falls back to the issuer's country.
        merchant_country: Where the merchant is acquired, for cross-border fees and regional rules.

    Raises:
        InvalidValueError: An instant has no time zone.
    """

    payment_id: str
    merchant_id: str
    customer_id: str
    amount: Money
    due_at: datetime
    recover_by: datetime
    market: str | None = None
    merchant_country: str | None = None
    purpose: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "due_at", require_aware("due_at", self.due_at))
        object.__setattr__(self, "recover_by", require_aware("recover_by", self.recover_by))
