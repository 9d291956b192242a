"""What an attempt comes to: a pure function of the hidden truth, the payment, the method, the processor and the hour.

It never looks at other attempts, so any schedule can be replayed against the same world and two schedules meet the
same luck. Velocity rules that count attempts are therefore not simulated; the limits that matter are caps, which the
caller keeps.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from experiments.simulator.causes import Cause
from experiments.simulator.codes import FUNDS_ADVICE, codebook
from experiments.simulator.draws import Stream, normal, uniform
from experiments.simulator.landscape import NETWORKS, Landscape
from experiments.simulator.markets import markets
from experiments.simulator.methods import SLOTS, TOKEN, Methods, is_expired
from experiments.simulator.money import days_to_pay, funds_mean, funds_noise
from experiments.simulator.population import Customers
from features.calendars import day_of_month
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.time_zones import weekday
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

# An issuer's unexplained refusal: shares of its variance that stay with the payment and method, with the route on
# top of that, and with the hour. What stays makes repeating pointless; what moves makes retrying useful.
PAYMENT_SHARE, ROUTE_SHARE, HOUR_SHARE = 0.945, 0.04, 0.015

_REACHED_IN_OUTAGE = 0.12  # share of requests that get through an outage
_TECHNICAL = 0.0022
_LIMIT_DAY = 0.0011  # share of card-days on which a spending or frequency limit is used up
_HOLD_DAYS = 10
_FRAUD_HOLD, _RESTRICTED_HOLD = 0.010, 0.006  # share of 10-day spells in which a card is held for 1 to 9 days
_STEP_UP_DAYS = 30
_TOLD_RIGHT = 0.70  # share of advice codes that tell the next payday right
_ADVICE_DAYS = np.array([0, 1, 2, 4, 6, 8, 10])


@dataclass(frozen=True, slots=True)
class Asks:
    """Attempts to be answered, one position each, shape (n,).

    Args:
        customer: Positions in the world's customers.
        payment: Month of billing; with the customer it identifies the payment.
        slot: Method slots.
        processor: Positions in the processors.
        at: UTC microseconds; answers differ by hour, never within one.
        amount: Minor units.
        gone_hour: Hour from which the customer has withdrawn every permission.
    """

    customer: Int64s
    payment: Int64s
    slot: Int64s
    processor: Int64s
    at: Int64s
    amount: Int64s
    gone_hour: Int64s

    def take(self, chosen: Int64s | Flags) -> "Asks":
        """The attempts at those positions."""
        return Asks(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Replies:
    """What the attempts came to, shape (n,).

    Args:
        cause: The hidden `Cause`.
        reported: The `Cause` that the code tells.
        code: Position in the codebook's codes; 0 is none.
        advice: Position in the codebook's advice; 0 is none.
        known_at: UTC microseconds at which the outcome became known.
    """

    cause: Int64s
    reported: Int64s
    code: Int64s
    advice: Int64s
    known_at: Int64s

    def take(self, chosen: Int64s | Flags) -> "Replies":
        """The replies at those positions."""
        return Replies(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Hidden:
    """The truth that answers are made of."""

    land: Landscape
    people: Customers
    methods: Methods


def answer(hidden: Hidden, asks: Asks) -> Replies:
    """Answer every attempt."""
    cause = _causes(hidden, asks)
    reported = _reported(hidden, asks, cause)
    code, advice = _code(hidden, asks, reported)
    return Replies(cause, reported, code, _with_funds_advice(hidden, asks, reported, advice), known_at(hidden, asks))


def chance(hidden: Hidden, asks: Asks) -> Float64s:
    """P(approved) given everything but the noise: the hidden state with funds and refusals averaged over their draws.

    An upper bound for what can be known before an attempt; no merchant sees the state.
    """
    sound = _standing(hidden, asks) == Cause.APPROVED
    funds = ndtr(
        funds_mean(hidden.land, hidden.people, hidden.methods, asks.customer, asks.slot, _hour(asks), asks.amount)
    )
    return np.where(sound, funds * np.where(_is_debit(hidden, asks), 1.0, ndtr(_readiness(hidden, asks))), 0.0)


def known_at(hidden: Hidden, asks: Asks) -> Int64s:
    """When outcomes become known: cards at once, debits after their scheme's banking days, at 10:00 local."""
    land, people = hidden.land, hidden.people
    zone, market = people.zone[asks.customer], people.market[asks.customer]
    day = land.local(zone, asks.at) // MICROS_PER_DAY
    settled = asks.at.copy()
    debit = _is_debit(hidden, asks)
    for index, open_days in enumerate(land.banking_days):
        chosen = debit & (market == index)
        position = np.searchsorted(open_days, day[chosen]) + land.return_days[index]
        local = open_days[np.minimum(position, open_days.size - 1)] * MICROS_PER_DAY + 10 * MICROS_PER_HOUR
        settled[chosen] = np.maximum(land.utc(zone[chosen], local), asks.at[chosen])
    return settled


def _causes(hidden: Hidden, asks: Asks) -> Int64s:
    """The cause that outranks the others, method and route first, then funds, then the issuer's mood."""
    cause = _standing(hidden, asks)
    open_ask = np.flatnonzero(cause == Cause.APPROVED)
    rest = asks.take(open_ask)
    refused = ~_is_debit(hidden, rest) & (_readiness(hidden, rest) + _mood(hidden, rest) < 0)
    cause[open_ask[refused]] = Cause.DO_NOT_HONOR
    cause[open_ask[~_has_funds(hidden, rest)]] = Cause.NO_FUNDS
    return cause


def _has_funds(hidden: Hidden, asks: Asks) -> Flags:
    land, people, them, hour = hidden.land, hidden.people, hidden.methods, _hour(asks)
    mean = funds_mean(land, people, them, asks.customer, asks.slot, hour, asks.amount)
    covered: Flags = mean + funds_noise(land, people, them, asks.customer, asks.slot, hour) > 0
    return covered


def _standing(hidden: Hidden, asks: Asks) -> Int64s:
    """The cause that refuses whatever the balance and the mood; APPROVED where there is none."""
    land, people, them = hidden.land, hidden.people, hidden.methods
    position, hour, card = asks.customer * SLOTS + asks.slot, _hour(asks), ~_is_debit(hidden, asks)
    column, issuer = land.hour_column(hour), them.issuer[position]
    day = land.local(land.issuers.zone[issuer], hour * MICROS_PER_HOUR) // MICROS_PER_DAY
    reach = uniform(land.settings.seed, Stream.OUTAGE_REACH, people.number[asks.customer], hour, asks.processor)
    unreached = reach > _REACHED_IN_OUTAGE
    cause = np.full(hour.shape, int(Cause.APPROVED), dtype=np.int64)
    for found, flags in (
        (Cause.AMOUNT_LIMIT, card & _limited(hidden, asks, day, 0)),
        (Cause.VELOCITY, card & _limited(hidden, asks, day, 1)),
        (Cause.AUTHENTICATION, card & _stepped_up(hidden, asks, day)),
        (Cause.RESTRICTED, card & _held(hidden, asks, hour, Cause.RESTRICTED, _RESTRICTED_HOLD)),
        (Cause.FRAUD_HOLD, card & _held(hidden, asks, hour, Cause.FRAUD_HOLD, _FRAUD_HOLD)),
        (Cause.EXPIRED, card & is_expired(them, position, day) & ~_lenient(hidden, asks)),
    ):
        cause[flags] = found
    dead = hour >= them.dead_hour[position]
    cause[dead] = them.death[position][dead]
    cause[hour >= asks.gone_hour] = Cause.REVOKED
    cause[card & land.issuer_down[issuer, column] & unreached] = Cause.ISSUER_DOWN
    technical = uniform(land.settings.seed, Stream.TECHNICAL, people.number[asks.customer], hour, asks.processor)
    cause[card & (technical < _TECHNICAL)] = Cause.TECHNICAL
    cause[land.processor_down[asks.processor, column] & unreached] = Cause.PROCESSOR_DOWN
    return cause


def _readiness(hidden: Hidden, asks: Asks) -> Float64s:
    """The issuer's readiness to approve in probit units: its hour, its day, the route, the amount, the credential."""
    land, people, them, issuers = hidden.land, hidden.people, hidden.methods, hidden.land.issuers
    position = asks.customer * SLOTS + asks.slot
    issuer = them.issuer[position]
    local = land.local(issuers.zone[issuer], _hour(asks) * MICROS_PER_HOUR)
    day = local // MICROS_PER_DAY
    hour_of_week = weekday(day) * 24 + (local % MICROS_PER_DAY) // MICROS_PER_HOUR
    result: Float64s = (
        issuers.sound[issuer]
        + issuers.by_hour[issuer, hour_of_week]
        + issuers.by_month_day[issuer, day_of_month(day)]
        + issuers.by_processor[issuer, asks.processor]
        + issuers.token_gain[issuer] * (them.credential[position] == TOKEN)
        - issuers.amount_slope[issuer] * np.log(asks.amount / people.amount[asks.customer])
    )
    return result


def _mood(hidden: Hidden, asks: Asks) -> Float64s:
    """The refusal's noise, N(0, 1): most of it stays with the payment and method."""
    seed, number = hidden.land.settings.seed, hidden.people.number[asks.customer]
    result: Float64s = (
        np.sqrt(PAYMENT_SHARE) * normal(seed, Stream.MOOD_PAYMENT, number, asks.payment, asks.slot)
        + np.sqrt(ROUTE_SHARE) * normal(seed, Stream.MOOD_ROUTE, number, asks.payment, asks.slot, asks.processor)
        + np.sqrt(HOUR_SHARE) * normal(seed, Stream.MOOD_HOUR, number, asks.slot, asks.processor, _hour(asks))
    )
    return result


def _limited(hidden: Hidden, asks: Asks, day: Int64s, kind: int) -> Flags:
    draws = uniform(hidden.land.settings.seed, Stream.LIMIT, hidden.people.number[asks.customer], asks.slot, day, kind)
    limited: Flags = draws < _LIMIT_DAY
    return limited


def _stepped_up(hidden: Hidden, asks: Asks, day: Int64s) -> Flags:
    people = hidden.people
    share = np.array([m.step_up for m in markets()])[people.market[asks.customer]]
    spell = day // _STEP_UP_DAYS
    draws = uniform(hidden.land.settings.seed, Stream.STEP_UP, people.number[asks.customer], asks.slot, spell)
    return draws < share


def _held(hidden: Hidden, asks: Asks, hour: Int64s, cause: Cause, share: float) -> Flags:
    """Whether the card is held: in some 10-day spells a hold begins at an hour of its own and lasts 1 to 9 days."""
    spell_hours = _HOLD_DAYS * 24
    held = np.zeros(hour.shape, dtype=np.bool_)
    for back in (0, 1):
        spell = hour // spell_hours - back
        keys = (hidden.people.number[asks.customer], asks.slot, spell, int(cause))
        draws = [uniform(hidden.land.settings.seed, Stream.HOLD, *keys, part) for part in range(3)]
        begins = spell * spell_hours + draws[1] * spell_hours
        ends = begins + 24 * (1 + 8 * draws[2] ** 2)
        held |= (draws[0] < share) & (hour >= begins) & (hour < ends)
    return held


def _lenient(hidden: Hidden, asks: Asks) -> Flags:
    them = hidden.methods
    position = asks.customer * SLOTS + asks.slot
    draws = uniform(hidden.land.settings.seed, Stream.METHOD, hidden.people.number[asks.customer], asks.slot, 30)
    result: Flags = draws < hidden.land.issuers.lenient[them.issuer[position]]
    return result


def _reported(hidden: Hidden, asks: Asks, cause: Int64s) -> Int64s:
    """The cause that the code will tell: issuers hide some reasons behind "do not honour", each in its own share."""
    them, position = hidden.methods, asks.customer * SLOTS + asks.slot
    keys = (hidden.people.number[asks.customer], asks.payment, asks.slot, cause)
    draws = uniform(hidden.land.settings.seed, Stream.REPORTED, *keys)
    hideable = (cause > Cause.DO_NOT_HONOR) & (cause < Cause.ISSUER_DOWN)
    hidden_away = hideable & (draws < hidden.land.issuers.opaque[them.issuer[position]])
    book, vocabulary = codebook(), _vocabulary(hidden, asks)
    unspoken = (cause != Cause.APPROVED) & ~book.speaks_of(vocabulary, cause)
    has_excuse = book.speaks_of(vocabulary, np.full_like(cause, Cause.DO_NOT_HONOR))
    return np.where((hidden_away | unspoken) & has_excuse, Cause.DO_NOT_HONOR, cause)


def _code(hidden: Hidden, asks: Asks, reported: Int64s) -> tuple[Int64s, Int64s]:
    code, advice = np.zeros_like(reported), np.zeros_like(reported)
    vocabulary = _vocabulary(hidden, asks)
    said = np.flatnonzero((reported != Cause.APPROVED) & codebook().speaks_of(vocabulary, reported))
    keys = (hidden.people.number[asks.customer], asks.payment, asks.slot, reported)
    draws = uniform(hidden.land.settings.seed, Stream.CODE, *keys)
    code[said], advice[said] = codebook().draw(vocabulary[said], reported[said], draws[said])
    return code, advice


def _with_funds_advice(hidden: Hidden, asks: Asks, reported: Int64s, advice: Int64s) -> Int64s:
    """Mastercard's "try again in …": the shortest wait that reaches the next payday, told right seven times in ten."""
    land, people, them = hidden.land, hidden.people, hidden.methods
    position = asks.customer * SLOTS + asks.slot
    is_mastercard = them.network[position] == NETWORKS.index(Network.MASTERCARD)
    told = np.flatnonzero(is_mastercard & (reported == Cause.NO_FUNDS) & (them.advises[position] == 1))
    some = asks.take(told)
    wait = days_to_pay(land, people, them, some.customer, some.slot, _hour(some))
    best = np.minimum(np.searchsorted(_ADVICE_DAYS, wait), _ADVICE_DAYS.size - 1)
    keys = (people.number[some.customer], some.payment, some.slot, _hour(some))
    draws = [uniform(land.settings.seed, Stream.ADVICE, *keys, part) for part in range(2)]
    guess = (draws[1] * _ADVICE_DAYS.size).astype(np.int64)
    position_of = np.array([codebook().advice.index(code) for code in FUNDS_ADVICE])
    result = advice.copy()
    result[told] = position_of[np.where(draws[0] < _TOLD_RIGHT, best, guess)]
    return result


def _vocabulary(hidden: Hidden, asks: Asks) -> Int64s:
    network = hidden.methods.network[asks.customer * SLOTS + asks.slot]
    result: Int64s = hidden.land.vocabulary[asks.processor, network]
    return result


def _is_debit(hidden: Hidden, asks: Asks) -> Flags:
    result: Flags = hidden.land.is_debit[hidden.methods.network[asks.customer * SLOTS + asks.slot]]
    return result


def _hour(asks: Asks) -> Int64s:
    return asks.at // MICROS_PER_HOUR
