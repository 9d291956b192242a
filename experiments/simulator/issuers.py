"""The simulated issuing banks: sizes, clocks and hidden habits of refusing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.draws import Stream, normal, pick, uniform
from experiments.simulator.markets import markets, processors

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

HOURS_A_WEEK = 168
_WEEK_HOURS = np.arange(HOURS_A_WEEK)
_MONTH_DAYS = np.arange(32)

# Probit units. A typical issuer refuses 0.8 % of sound first attempts without a reason at its best hour.
_SOUND = 2.42
_SOUND_SPREAD = 0.22
_NIGHT_DIP = 0.42  # batch windows: fewer approvals in the small hours
_DAY_WAVE = 0.16
_WEEKEND_DIP = 0.14
_MONTH_START_DIP = 0.12  # fraud rules tighten when everybody bills
_PROCESSOR_SPREAD = 0.16
_ROUTE_SPREAD = 0.20


@dataclass(frozen=True, slots=True)
class Issuers:
    """Every issuer of every market, one position each.

    Args:
        market: Market index, shape (issuers,).
        zone: Zone index into `zones`, shape (issuers,).
        share: Share of its market, shape (issuers,).
        sound: Readiness to approve a sound attempt, probit, shape (issuers,).
        by_hour: Added by local hour of the week (Monday 00 is 0), shape (issuers, 168).
        by_month_day: Added by day of the month, shape (issuers, 32).
        by_processor: Added by processor, shape (issuers, processors).
        amount_slope: Lost per natural logarithm of amount over the customer's usual, shape (issuers,).
        token_gain: Added for a network token, shape (issuers,).
        opaque: Share of other reasons it reports as "do not honour", shape (issuers,).
        advises: Share of customers whose lack of funds it comments with a Mastercard advice code, shape (issuers,).
        updates: Share of renewed cards whose new details reach the merchant by themselves, shape (issuers,).
        lenient: Share of expired cards it goes on approving, shape (issuers,).
        frailty: Outages a day, shape (issuers,).
    """

    ids: tuple[str, ...]
    zones: tuple[str, ...]
    market: Int64s
    zone: Int64s
    share: Float64s
    sound: Float64s
    by_hour: Float64s
    by_month_day: Float64s
    by_processor: Float64s
    amount_slope: Float64s
    token_gain: Float64s
    opaque: Float64s
    advises: Float64s
    updates: Float64s
    lenient: Float64s
    frailty: Float64s


def issuers(seed: int) -> Issuers:
    """Draw the issuers of a world."""
    zones = tuple(sorted({zone for market in markets() for zone in market.zones}))
    market = np.repeat(np.arange(len(markets())), [m.issuers for m in markets()])
    rank = np.concatenate([np.arange(1, m.issuers + 1) for m in markets()])
    key = np.arange(market.size)

    def spread(part: int, low: float, high: float) -> Float64s:
        return low + (high - low) * uniform(seed, Stream.ISSUER, key, part)

    return Issuers(
        ids=tuple(f"{markets()[m].country}-BANK-{r:02d}" for m, r in zip(market, rank, strict=True)),
        zones=zones,
        market=market,
        zone=_zones_of(seed, market, key, zones),
        share=1.0 / rank,
        sound=_SOUND + _SOUND_SPREAD * normal(seed, Stream.ISSUER, key, 1),
        by_hour=_by_hour(seed, market, key),
        by_month_day=-spread(2, 0.0, 2 * _MONTH_START_DIP)[:, None] * (_MONTH_DAYS <= 3) * (_MONTH_DAYS >= 1),
        by_processor=_by_processor(seed, market, key),
        amount_slope=spread(3, 0.2, 0.6),
        token_gain=spread(4, 0.0, 0.3),
        opaque=spread(5, 0.03, 0.22),
        advises=spread(6, 0.2, 0.9),
        updates=spread(7, 0.45, 0.9),
        lenient=spread(8, 0.0, 0.5),
        frailty=spread(9, 0.004, 0.035),
    )


def _zones_of(seed: int, market: Int64s, key: Int64s, zones: tuple[str, ...]) -> Int64s:
    draws = uniform(seed, Stream.ISSUER, key, 0)
    found = np.zeros(market.size, dtype=np.int64)
    for index, description in enumerate(markets()):
        of_market = market == index
        own = np.array([zones.index(zone) for zone in description.zones])
        found[of_market] = own[pick(draws[of_market], np.array(list(description.zones.values())))]
    return found


def _by_hour(seed: int, market: Int64s, key: Int64s) -> Float64s:
    """A dip at night of the issuer's own depth, a wave over the day with its own peak, a dip at weekends."""
    hour = _WEEK_HOURS % 24
    weekend = np.array([[_is_weekend(m.country, day) for day in range(7)] for m in markets()])
    depth = 2 * _NIGHT_DIP * uniform(seed, Stream.ISSUER, key, 10)
    peak = 9 + 8 * uniform(seed, Stream.ISSUER, key, 11)
    rest = 2 * _WEEKEND_DIP * uniform(seed, Stream.ISSUER, key, 12)
    night = np.clip(1 - np.abs(hour - 2.5) / 3.5, 0, None)
    wave = np.cos((hour[None, :] - peak[:, None]) * np.pi / 12)
    at_rest = weekend[market][:, _WEEK_HOURS // 24]
    result: Float64s = _DAY_WAVE * wave - depth[:, None] * night[None, :] - rest[:, None] * at_rest
    return result


def _is_weekend(country: str, day_of_week: int) -> bool:
    return day_of_week in ((4, 5) if country == "SA" else (5, 6))


def _by_processor(seed: int, market: Int64s, key: Int64s) -> Float64s:
    """How well a processor fares with a market, and how its route to one issuer differs from that."""
    processor = np.arange(len(processors()))
    of_market = _PROCESSOR_SPREAD * normal(seed, Stream.PROCESSOR, market[:, None], processor[None, :])
    of_route = _ROUTE_SPREAD * normal(seed, Stream.AFFINITY, key[:, None], processor[None, :])
    return of_market + of_route
