"""What an excess attempt costs, by region and date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from features.money import Money

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Fee:
    """One price.

    Args:
        amount: Per attempt; where the price is less than a minor unit or a share, the most it can be, rounded up.
        regions: Countries of the merchant (ISO 3166-1 alpha-2); empty means everywhere.
        not_regions: Where it does not apply.
        cross_border: Whether issuer and merchant must be in different countries; None means either.
        stated: The price as published, where `amount` cannot say it.
    """

    amount: Money
    regions: tuple[str, ...] = ()
    not_regions: tuple[str, ...] = ()
    cross_border: bool | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    stated: str = ""

    def applies(self, home: str, issuer: str | None, day: date) -> bool:
        """Whether a merchant of that country pays it on that day (UTC) for an issuer of that country, if known."""
        if (self.regions and home not in self.regions) or home in self.not_regions:
            return False
        if self.cross_border is not None and issuer and self.cross_border is not (home != issuer):
            return False
        return self.in_force_on(day)

    def in_force_on(self, day: date) -> bool:
        """Whether the price holds on that day (UTC)."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """Prices that several rules charge, or that are charged whatever the rules say.

    Args:
        what: What is charged, as a clause.
    """

    schedule_id: str
    who: str
    what: str
    fees: tuple[Fee, ...]
    sources: tuple[str, ...]
    confidence: Confidence
    note: str = ""


def dearest(fees: Iterable[Fee], home: str, issuer: str | None, day: date) -> Money | None:
    """The dearest of what may apply; None where no price is known."""
    known = (fee.amount for fee in fees if fee.applies(home, issuer, day))
    return max(known, key=lambda money: money.amount_minor, default=None)
