"""Where a method's issuer lives: its country, its clock and its bank calendar."""

from dataclasses import dataclass

from features.calendars import calendar_of
from features.context import Context
from features.method import Method
from features.time_zones import zone_name


@dataclass(frozen=True, slots=True)
class IssuerClock:
    """How an issuer reads an instant.

    Args:
        country: ISO 3166-1 alpha-2, or None where neither the issuer's country nor a country as market is known.
        zone: IANA time zone; UTC where nothing is known.
        calendar: Bank calendar of the debit scheme or country, as `features.calendars` names it.
    """

    country: str | None
    zone: str
    calendar: str


def issuer_clock(context: Context, method: Method) -> IssuerClock:
    """The clock of the method's issuer; the payment's market stands in for a country that is not stated."""
    country = method.issuer.country or _as_country(context.payment.market)
    return IssuerClock(country, zone_name(method.issuer.time_zone, country), calendar_of(country, method.network))


def _as_country(market: str | None) -> str | None:
    return market if market is not None and len(market) == 2 and market.isalpha() and market.isupper() else None
