"""The shape of what is told of customers over HTTP."""

from enum import StrEnum

from pydantic import Field

from serving.ledger.customers import CustomerWord
from serving.ledger_schemas import Id
from serving.schemas import AmountMinor, Currency, Instant, Shape


class CustomerEventKind(StrEnum):
    """What is told of a customer."""

    COMPLAINED = "customer_complained"
    UNSUBSCRIBED = "customer_unsubscribed"
    DISPUTED = "customer_disputed"
    LOST = "customer_lost"
    LEFT = "customer_left"
    PAID = "customer_paid"
    REFUNDED = "customer_refunded"

    @property
    def word(self) -> CustomerWord:
        """As the ledger says it."""
        return CustomerWord(self.value.removeprefix("customer_"))


class ToldOfCustomer(Shape):
    """What befell a customer; experiments ask it, and no limit counts it."""

    merchant_id: Id = Field(description="whose customer it is")
    event_id: Id = Field(description="the source's own id of what it tells; told twice under one id it counts once")
    kind: CustomerEventKind = Field(
        description="complained; unsubscribed from messages; disputed a charge; lost, ended for want of payment; left, "
        "ended by the customer's wish; paid anything, recovered payments too; refunded"
    )
    amount_minor: AmountMinor | None = Field(default=None, description="of what was paid or refunded, in minor units")
    currency: Currency | None = Field(default=None, description="ISO 4217 in capitals; with the amount")
    happened_at: Instant = Field(description="when it happened, by the source's own clock")
