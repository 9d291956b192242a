"""The shapes of stopping and resuming advice."""

from typing import Literal

from pydantic import AwareDatetime, Field

from serving.ledger_schemas import Id
from serving.schemas import Shape


class StopRequest(Shape):
    """Whose retries are to be stopped, or to go on."""

    merchant_id: Id | None = Field(
        default=None, description="the merchant; absent, the key's own, and of an operator's key all merchants"
    )
    reason: Id = Field(description="why, in your words; every answer repeats it meanwhile")


class StopOut(Shape):
    """A stop in force."""

    merchant_id: str | None = Field(description="null for all merchants")
    reason: str
    since: AwareDatetime
    by: Literal["operator", "merchant"] = Field(description="who stopped: a merchant's key lifts its own stops alone")


class StopsAnswer(Shape):
    """The stops in force that hold for the key's merchant; of an operator's key, all of them."""

    stops: tuple[StopOut, ...]
    warnings: tuple[str, ...] = Field(
        description="what is odd about what was asked: a merchant that nobody knows is perhaps misspelt"
    )
