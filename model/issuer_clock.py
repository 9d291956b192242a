"""Where a method's issuer lives: its country, its clock and its bank calendar."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.calendars import calendar_of
from features.context import Context
from features.countries import country_of_market
from features.method import Method
from features.proposed import Proposed
from features.time_zones import local_day, local_micros, zone_name
from features.vocabulary import Network


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
    issuer = method.issuer
    return _clock(issuer.country, issuer.time_zone, context.payment.market, method.network)


@lru_cache(maxsize=4_096)
def _clock(country: str | None, time_zone: str | None, market: str | None, network: Network) -> IssuerClock:
    country = country or country_of_market(market)
    return IssuerClock(country, zone_name(time_zone, country), calendar_of(country, network))


def issuer_day(context: Context, proposed: Proposed) -> NDArray[np.int64]:
    """The day of each retry's issuer on which its slot starts, as days since 1970, shape (n,)."""
    days = np.zeros(len(proposed), dtype=np.int64)
    zones = [issuer_clock(context, context.method(method_id)).zone for method_id, _ in proposed.routes]
    for zone in dict.fromkeys(zones):
        theirs = np.array([name == zone for name in zones], dtype=np.bool_)[proposed.route]
        days[theirs] = local_day(local_micros(zone, proposed.start[theirs]))
    return days
