"""The simulated methods on file: cards and mandates, when they expire, die and are replaced."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.causes import Cause
from experiments.simulator.draws import Stream, exponential, pick, uniform
from experiments.simulator.landscape import NETWORKS, Landscape
from experiments.simulator.markets import markets
from experiments.simulator.population import Customers
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]
Draw = Callable[[int], Float64s]

SLOTS = 4  # first choice, its replacement once it died, second choice, third choice
PRIMARY, REPLACEMENT, SECOND, THIRD = range(SLOTS)
NEVER = 2_000_000  # an hour (and day) that does not come: the year 2198
_SECOND_SHARE, _THIRD_SHARE = 0.34, 0.28  # of customers; of those with a second
_REPLACED_SHARE, _REPLACED_DAYS = 0.70, 14
_FIXED_SHARE, _FIXED_DAYS = 0.55, 21  # expiry dates that customers correct themselves
_LIFE_MONTHS = 48
_RENEWED_YEARS = 3
_CREDIT_COMFORT, _CREDIT_SPENDING = 0.75, 0.45  # credit cards: more room, less of a cycle
# Chance a month that a method dies of each cause, cards and debits.
_CARD_DEATHS = {Cause.LOST: 0.0030, Cause.STOLEN: 0.0016, Cause.CLOSED: 0.0032, Cause.NEW_ACCOUNT: 0.0030}
_DEBIT_DEATHS = {Cause.CLOSED: 0.0030, Cause.NEW_ACCOUNT: 0.0015, Cause.REVOKED: 0.0035}
_DAYS_A_MONTH = 30.4
_DEBIT = 1
PAN, TOKEN, ACCOUNT = 0, 1, 2
DEBIT_CARD, CREDIT_CARD, NO_FUNDING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Methods:
    """`SLOTS` positions a customer, dense: method m of customer c stands at c * SLOTS + m.

    Args:
        network: Position in `NETWORKS`, or -1 where the customer has no such method.
        issuer: Position in the issuers.
        funding: DEBIT_CARD, CREDIT_CARD or NO_FUNDING.
        credential: PAN, TOKEN or ACCOUNT.
        expires_day: Day number of the last valid day on file; for debits far away.
        refreshed_day: Day number on which the merchant gets a renewed expiry.
        added_hour: Hour (since 1970, UTC) from which it is on file.
        dead_hour: Hour from which it is dead for good.
        death: Cause it then answers with.
        advises: 1 where its issuer comments lack of funds.
        ease: Added to the customer's ease of paying, probit units.
        cycle: Share of the customer's spending cycle that the method feels.
        statement_day: Days after the payday at which a credit card's cycle begins; 0 for the others.
    """

    network: Int64s
    issuer: Int64s
    funding: Int64s
    credential: Int64s
    expires_day: Int64s
    refreshed_day: Int64s
    added_hour: Int64s
    dead_hour: Int64s
    death: Int64s
    advises: Int64s
    ease: Float64s
    cycle: Float64s
    statement_day: Int64s


def methods(land: Landscape, people: Customers) -> Methods:
    """Draw every method of the customers."""
    number = np.repeat(people.number, SLOTS)
    slot = np.tile(np.arange(SLOTS), people.number.size)
    market = np.repeat(people.market, SLOTS)
    joined_hour = np.repeat(np.maximum(people.joined_day, land.settings.first_day - 400) * 24, SLOTS)
    seed = land.settings.seed

    def draw(part: int) -> Float64s:
        return uniform(seed, Stream.METHOD, number, slot, part)

    is_debit = _is_debit(market, slot, draw(0))
    network = np.where(is_debit, _debit_network(market), _card_network(market, draw(1)))
    dead_hour, death = _deaths(land, number, slot, is_debit, joined_hour)
    added_hour = _added(draw, people.number.size, joined_hour, dead_hour)
    dead_hour[slot == REPLACEMENT] = NEVER
    issuer = _issuer(land, market, draw(2))
    funding = np.where(is_debit, NO_FUNDING, np.where(_is_credit(market, network, draw(3)), CREDIT_CARD, DEBIT_CARD))
    credential = np.where(is_debit, ACCOUNT, np.where(draw(4) < _of_market(market, "tokens"), TOKEN, PAN))
    expires, refreshed = _expiries(land, draw, issuer, slot, added_hour, is_debit)
    credit = funding == CREDIT_CARD
    return Methods(
        network=np.where(added_hour >= NEVER, -1, network),
        issuer=issuer,
        funding=funding,
        credential=credential,
        expires_day=expires,
        refreshed_day=refreshed,
        added_hour=added_hour,
        dead_hour=dead_hour,
        death=death,
        advises=(draw(5) < land.issuers.advises[issuer]).astype(np.int64),
        ease=np.where(credit, _CREDIT_COMFORT, 0.0) + 1.3 * (draw(6) - 0.5),
        cycle=np.where(credit, _CREDIT_SPENDING, 1.0),
        statement_day=np.where(credit, 2 + (9 * draw(7)).astype(np.int64), 0),
    )


def expiry_on_file(them: Methods, position: Int64s, day: Int64s) -> Int64s:
    """Day number of the expiry that the merchant has on file on a day: a month's end, three years on once renewed."""
    renewed = day >= them.refreshed_day[position]
    month = them.expires_day[position].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return _month_end(month + np.where(renewed, 12 * _RENEWED_YEARS, 0))


def is_expired(them: Methods, position: Int64s, day: Int64s) -> Flags:
    """Whether a card number is sent with an expiry that has passed; tokens outlive their cards' expiry."""
    passed = (day > them.expires_day[position]) & (day < them.refreshed_day[position])
    result: Flags = (them.credential[position] == PAN) & passed
    return result


def _of_market(market: Int64s, name: str) -> Float64s:
    return np.array([getattr(m, name) for m in markets()])[market]


def _is_debit(market: Int64s, slot: Int64s, draws: Float64s) -> Flags:
    share = np.array([m.debit.share if m.debit else 0.0 for m in markets()])[market]
    by_slot = np.where(slot == PRIMARY, draws < share, (slot == THIRD) & (draws < share))
    # A mandate is replaced by a mandate: the replacement's draw is its primary's.
    return np.where(slot == REPLACEMENT, np.roll(by_slot, 1), by_slot)


def _debit_network(market: Int64s) -> Int64s:
    own = [NETWORKS.index(m.debit.network) if m.debit else NETWORKS.index(Network.UNKNOWN) for m in markets()]
    return np.array(own)[market]


def _card_network(market: Int64s, draws: Float64s) -> Int64s:
    weights = np.array([[m.networks.get(network, 0.0) for network in NETWORKS] for m in markets()])
    found = np.zeros(market.size, dtype=np.int64)
    for index in range(len(markets())):
        of_market = market == index
        found[of_market] = pick(draws[of_market], weights[index])
    return found


def _is_credit(market: Int64s, network: Int64s, draws: Float64s) -> Flags:
    only_credit = network == NETWORKS.index(Network.AMERICAN_EXPRESS)
    only_debit = network == NETWORKS.index(Network.MADA)
    result: Flags = (draws < _of_market(market, "credit")) & ~only_debit | only_credit
    return result


def _issuer(land: Landscape, market: Int64s, draws: Float64s) -> Int64s:
    found = np.zeros(market.size, dtype=np.int64)
    for index in range(len(markets())):
        of_market = market == index
        own = np.flatnonzero(land.issuers.market == index)
        found[of_market] = own[pick(draws[of_market], land.issuers.share[own])]
    return found


def _deaths(
    land: Landscape, number: Int64s, slot: Int64s, is_debit: Flags, joined_hour: Int64s
) -> tuple[Int64s, Int64s]:
    """When each method dies, and of what; most outlive the world."""
    seed = land.settings.seed
    deaths = (_CARD_DEATHS, _DEBIT_DEATHS)
    rate = np.array([sum(table.values()) for table in deaths])[is_debit.astype(np.int64)]
    months = exponential(seed, Stream.METHOD, number, slot, 20) / rate
    start = np.maximum(joined_hour, (land.settings.first_day - 20) * 24)
    hour = np.minimum(start + (months * _DAYS_A_MONTH * 24).astype(np.int64), NEVER)
    draws = uniform(seed, Stream.METHOD, number, slot, 21)
    cause = np.zeros(number.size, dtype=np.int64)
    for kind, table in enumerate(deaths):
        chosen = is_debit == (kind == _DEBIT)
        cause[chosen] = np.array(list(table))[pick(draws[chosen], np.array(list(table.values())))]
    return hour, cause


def _added(draw: Draw, people: int, joined_hour: Int64s, dead_hour: Int64s) -> Int64s:
    """Hour from which each slot is on file: the primary at joining, its replacement some time after its death."""
    added = joined_hour.reshape(people, SLOTS).copy()
    share, delay = draw(8).reshape(people, SLOTS), draw(9).reshape(people, SLOTS)
    replaced = share[:, REPLACEMENT] < _REPLACED_SHARE
    wait = 24 - _REPLACED_DAYS * 24 * np.log(delay[:, REPLACEMENT])
    died = dead_hour.reshape(people, SLOTS)[:, PRIMARY]
    added[:, REPLACEMENT] = np.where(replaced, np.minimum(died + wait.astype(np.int64), NEVER), NEVER)
    has_second = share[:, SECOND] < _SECOND_SHARE
    added[~has_second, SECOND] = NEVER
    added[~(has_second & (share[:, THIRD] < _THIRD_SHARE)), THIRD] = NEVER
    return added.reshape(-1)


def _expiries(
    land: Landscape, draw: Draw, issuer: Int64s, slot: Int64s, added_hour: Int64s, is_debit: Flags
) -> tuple[Int64s, Int64s]:
    """Last valid day (a month's end) and the day on which new details arrive, by updater or customer or never."""
    starts = np.where(slot == REPLACEMENT, np.minimum(added_hour // 24, 60_000), land.settings.first_day)
    age = np.where(slot == REPLACEMENT, 30, 0) + (_LIFE_MONTHS * draw(10)).astype(np.int64)
    month = starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + age
    expires = _month_end(month)
    by_updater = draw(11) < land.issuers.updates[issuer]
    by_customer = draw(12) < _FIXED_SHARE
    wait = (1 - _FIXED_DAYS * np.log(draw(13))).astype(np.int64)
    refreshed = np.where(by_updater, expires - 5, np.where(by_customer, expires + wait, NEVER))
    return np.where(is_debit, NEVER, expires), np.where(is_debit, NEVER, refreshed)


def _month_end(month: Int64s) -> Int64s:
    """Day number of the last day of months counted since 1970-01."""
    result: Int64s = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1
    return result
