"""The shape of what is told of money that went back over HTTP."""

from pydantic import Field

from features.sources.statement import Way
from serving.ledger_schemas import Id
from serving.schemas import AmountMinor, Instant, Shape


class ToldOfMoneyBack(Shape):
    """Money of an approved attempt that went back to the payer; the payment is not owed again by it."""

    merchant_id: Id = Field(description="whose attempt it is")
    event_id: Id = Field(description="the source's own id of what it tells; told twice under one id it counts once")
    kind: Way = Field(description="refund, or chargeback of a card; a debit that came back is a reversed attempt")
    amount_minor: AmountMinor | None = Field(default=None, description="in the currency of the attempt; all if absent")
    happened_at: Instant = Field(description="when it went back, by the source's own clock")
