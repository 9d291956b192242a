"""The columns a model sees: one small function each, the same for training and serving.

A column reads what was known at the row's decision (`Rows`) and past approval rates (`Encoders`). Its docstring says
why it is there. Numbers are floats with NaN for "not known"; categories are integer codes with -1 for "not known".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.encoders import Encoders
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.known import pick
from features.rows import Rows
from features.table import CATEGORIES
from features.time_zones import weekday
from features.vocabulary import Credential, Funding, Network, Rail

Values = NDArray[np.float64] | NDArray[np.int64]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Kind = Literal["number", "category"]
About = Literal["context", "action"]
Monotone = Literal[-1, 0, 1]

_MONTH = 30.4375
"""Mean days of a month (365.25 / 12)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the model.

    Args:
        unit: What one step of the number means; `code` for categories.
        about: `context` if it is the same for every action of one decision, `action` if it may differ.
        monotone: +1 if P(approved) may only rise with it, -1 if only fall, 0 if free.
        why: What it is and why it is there, in a line.
    """

    name: str
    unit: str
    kind: Kind
    about: About
    monotone: Monotone
    compute: Callable[[Rows, Encoders], Values]

    @property
    def why(self) -> str:
        """The reason this column exists: the function's docstring."""
        return " ".join((self.compute.__doc__ or "").split())


_REGISTERED: list[Column] = []


def _column(
    unit: str, about: About, *, kind: Kind = "number", monotone: Monotone = 0
) -> Callable[[Callable[[Rows, Encoders], Values]], Callable[[Rows, Encoders], Values]]:
    def register(function: Callable[[Rows, Encoders], Values]) -> Callable[[Rows, Encoders], Values]:
        _REGISTERED.append(Column(function.__name__, unit, kind, about, monotone, function))
        return function

    return register


# --- the failure ------------------------------------------------------------------------------------------------------


@_column("code", "context", kind="category")
def decline_category(rows: Rows, _: Encoders) -> Values:
    """Why the payment's latest attempt failed; the strongest single hint at what will help."""
    return rows.last_category


@_column("code", "context", kind="category")
def first_decline_category(rows: Rows, _: Encoders) -> Values:
    """Why the payment failed first; later codes are often the issuer repeating itself."""
    return _codes(rows.table.category, rows.of_payment.first(rows.table.failed))


@_column("attempts", "context")
def attempts_before(rows: Rows, _: Encoders) -> Values:
    """Known attempts of this payment; every further one is drawn from a harder remainder."""
    return rows.of_payment.count


@_column("attempts", "context")
def same_category_run(rows: Rows, _: Encoders) -> Values:
    """How many of the latest attempts in a row failed for the same reason."""
    return rows.of_payment.run(rows.table.category)


@_column("hours", "action")
def hours_beyond_advice(rows: Rows, _: Encoders) -> Values:
    """Hours past the earliest retry the latest decline's advice asked for; negative is too early, NaN no advice."""
    last = rows.of_payment.last(rows.table.failed)
    return _hours(rows.at, pick(rows.table.at, last)) - pick(rows.table.min_wait_hours, last)


# --- the payment and who owes it --------------------------------------------------------------------------------------


@_column("log10 major units", "context")
def amount(rows: Rows, _: Encoders) -> Values:
    """Larger amounts need more money in the account. Comparable within a currency."""
    return np.log10(np.maximum(rows.asked(rows.table.amount_major).astype(np.float64), 1e-3))


@_column("log10 ratio", "context")
def amount_to_usual(rows: Rows, _: Encoders) -> Values:
    """The amount against the mean (of logs) of what this customer paid before."""
    paid = np.where(rows.table.approved, np.log10(np.maximum(rows.table.amount_major, 1e-3)), 0.0)
    count = rows.of_customer.total(rows.table.approved)
    usual = _divide(rows.of_customer.total(paid), count)
    return _if_known(rows, amount(rows, _) - usual)


@_column("code", "context", kind="category")
def currency(rows: Rows, encoders: Encoders) -> Values:
    """Currency of the amount: it scales `amount` and stands for the market."""
    return encoders.currency.codes(rows.table.currency, rows.index)


@_column("approvals", "context")
def customer_approvals(rows: Rows, _: Encoders) -> Values:
    """How often this customer has paid before: a run of clean charges is the best sign of a live account."""
    return _if_known(rows, rows.of_customer.total(rows.table.approved))


@_column("declines", "context")
def customer_declines(rows: Rows, _: Encoders) -> Values:
    """How often this customer's attempts have failed before, this payment's included."""
    return _if_known(rows, rows.of_customer.total(rows.table.failed))


@_column("share", "context")
def customer_retry_rate(rows: Rows, _: Encoders) -> Values:
    """Share of this customer's past retries that were approved; NaN before the first."""
    retried = rows.of_customer.total(rows.table.is_retry)
    recovered = rows.of_customer.total(rows.table.is_retry & rows.table.approved)
    return _if_known(rows, _divide(recovered, retried))


@_column("days", "context")
def customer_tenure(rows: Rows, _: Encoders) -> Values:
    """Days since the customer joined, or since the first attempt known of."""
    seen = _if_known(rows, pick(rows.table.at, rows.of_customer.first()) / MICROS_PER_DAY)
    joined = rows.asked(rows.table.customer_since_day).astype(np.float64)
    return np.maximum(rows.decided_at / MICROS_PER_DAY - np.fmin(joined, seen), 0)


@_column("days", "action")
def days_since_customer_approval(rows: Rows, _: Encoders) -> Values:
    """Days from the customer's latest approval, for any payment, to this attempt."""
    last = rows.of_customer.last(rows.table.approved)
    return _if_known(rows, _hours(rows.at, pick(rows.table.at, last)) / 24)


@_column("flag", "context")
def three_d_secure(rows: Rows, _: Encoders) -> Values:
    """Whether the payer was authenticated at the latest attempt; for a first attempt, at that attempt."""
    flags = rows.table.three_d_secure
    return np.where(rows.last_in_payment >= 0, pick(flags, rows.last_in_payment), rows.asked(flags).astype(np.float64))


# --- the method -------------------------------------------------------------------------------------------------------


@_column("code", "action", kind="category")
def rail(rows: Rows, _: Encoders) -> Values:
    """How the money would move: cards answer at once, debits days later and for other reasons."""
    return rows.asked(rows.table.rail.codes).astype(np.int64)


@_column("code", "action", kind="category")
def network(rows: Rows, _: Encoders) -> Values:
    """The card network or debit scheme."""
    return _known_word(rows.asked(rows.table.network.codes), list(Network).index(Network.UNKNOWN))


@_column("code", "action", kind="category")
def funding(rows: Rows, _: Encoders) -> Values:
    """Credit, debit or prepaid: debit follows the payday, credit the billing cycle."""
    return _known_word(rows.asked(rows.table.funding.codes), list(Funding).index(Funding.UNKNOWN))


@_column("code", "action", kind="category")
def credential(rows: Rows, _: Encoders) -> Values:
    """Number on file or network token: tokens survive re-issued cards."""
    return _known_word(rows.asked(rows.table.credential.codes), list(Credential).index(Credential.UNKNOWN))


@_column("code", "action", kind="category")
def country(rows: Rows, encoders: Encoders) -> Values:
    """Country of the issuer."""
    return encoders.country.codes(rows.table.country, rows.index)


@_column("flag", "action")
def same_method(rows: Rows, _: Encoders) -> Values:
    """Whether it is the method of the payment's latest attempt; another one is news."""
    return _same(rows.table.method.codes, rows)


@_column("approvals", "action")
def method_approvals(rows: Rows, _: Encoders) -> Values:
    """How often this method was approved before."""
    return rows.of_method.total(rows.table.approved)


@_column("attempts", "action")
def method_failed_run(rows: Rows, _: Encoders) -> Values:
    """How many of this method's latest attempts in a row failed, for any payment."""
    run = rows.of_method.run(rows.table.approved)
    return np.where(pick(rows.table.approved, rows.of_method.last(), 1) > 0, 0, run)


@_column("code", "action", kind="category")
def method_last_category(rows: Rows, _: Encoders) -> Values:
    """Why this method failed last, if its latest attempt failed; a stolen card stays stolen."""
    return _codes(rows.table.category, rows.of_method.last())


@_column("days", "action")
def days_to_expiry(rows: Rows, _: Encoders) -> Values:
    """Days from the attempt to the credential's expiry; negative once expired."""
    return rows.asked(rows.table.expires_day).astype(np.float64) - rows.day


# --- the moment -------------------------------------------------------------------------------------------------------


@_column("hours", "action")
def hours_since_last_attempt(rows: Rows, _: Encoders) -> Values:
    """Time the account has had to change since the payment's latest attempt."""
    return _hours(rows.at, pick(rows.table.at, rows.last_in_payment))


@_column("hours", "action")
def hours_since_first_attempt(rows: Rows, _: Encoders) -> Values:
    """Time since the payment was first tried."""
    return _hours(rows.at, pick(rows.table.at, rows.of_payment.first()))


@_column("hour", "action")
def local_hour(rows: Rows, _: Encoders) -> Values:
    """Hour of day on the issuer's clock; NaN where only the day is known."""
    return rows.hour


@_column("weekday", "action")
def local_weekday(rows: Rows, _: Encoders) -> Values:
    """Day of the week on the issuer's calendar, Monday = 0."""
    return weekday(rows.day)


@_column("day", "action")
def day_of_month(rows: Rows, _: Encoders) -> Values:
    """Day of the month on the issuer's calendar, 1 to 31."""
    return calendars.day_of_month(rows.day)


@_column("days", "action")
def days_to_month_end(rows: Rows, _: Encoders) -> Values:
    """Days left in the month; wages and rents gather at its ends."""
    return calendars.days_to_month_end(rows.day)


@_column("flag", "action")
def banking_day(rows: Rows, _: Encoders) -> Values:
    """Whether banks work: money arrives and debits settle on banking days only."""
    return _by_calendar(rows, calendars.is_banking_day)


@_column("days", "action")
def days_from_payday(rows: Rows, _: Encoders) -> Values:
    """Days since the market's latest usual payday (a custom; the model learns what it is worth)."""
    return _by_country(rows, calendars.days_from_payday)


@_column("days", "action")
def days_to_payday(rows: Rows, _: Encoders) -> Values:
    """Days until the market's next usual payday."""
    return _by_country(rows, calendars.days_to_payday)


@_column("days", "action")
def days_from_usual_day(rows: Rows, _: Encoders) -> Values:
    """Distance in the month from the mean day on which this customer was approved before (circular mean, ±15)."""
    angle = 2 * np.pi * calendars.day_of_month(rows.table_day) / _MONTH
    approved = rows.table.approved
    sine = rows.of_customer.total(np.where(approved, np.sin(angle), 0.0))
    cosine = rows.of_customer.total(np.where(approved, np.cos(angle), 0.0))
    usual = np.arctan2(sine, cosine) * _MONTH / (2 * np.pi)
    distance = (calendars.day_of_month(rows.day) - usual + _MONTH / 2) % _MONTH - _MONTH / 2
    return _if_known(rows, np.where(rows.of_customer.total(approved) > 0, distance, np.nan))


@_column("days", "action")
def days_from_last_recovery_day(rows: Rows, _: Encoders) -> Values:
    """Distance in the month from the day on which a retry of this customer last succeeded (±15)."""
    last = rows.of_customer.last(rows.table.approved & rows.table.is_retry)
    past = pick(calendars.day_of_month(rows.table_day), last)
    distance = (calendars.day_of_month(rows.day) - past + _MONTH / 2) % _MONTH - _MONTH / 2
    return _if_known(rows, distance)


# --- the route --------------------------------------------------------------------------------------------------------


@_column("code", "action", kind="category")
def processor(rows: Rows, encoders: Encoders) -> Values:
    """Who would carry the attempt."""
    return encoders.processor.codes(rows.table.processor, rows.index)


@_column("flag", "action")
def same_processor(rows: Rows, _: Encoders) -> Values:
    """Whether it is the processor of the payment's latest attempt."""
    return _same(rows.table.processor.codes, rows)


# --- approval rates as known then -------------------------------------------------------------------------------------


@_column("share", "action", monotone=1)
def issuer_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's attempts approved (half-life 30 days, shrunk to country and network)."""
    return _rate(rows, encoders, "issuer")


@_column("share", "action", monotone=1)
def issuer_recent_rate(rows: Rows, encoders: Encoders) -> Values:
    """The same over the last hours (half-life 12 h): an issuer's outage shows here first."""
    return _rate(rows, encoders, "issuer_recent")


@_column("share", "action", monotone=1)
def issuer_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's retries approved (half-life 60 days)."""
    return _rate(rows, encoders, "retry_issuer")


@_column("share", "action", monotone=1)
def issuer_slot_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of the issuer's retries approved in this quarter of its day (half-life 90 days)."""
    return _rate(rows, encoders, "retry_issuer_slot")


@_column("share", "action", monotone=1)
def processor_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of attempts approved through this processor for this country and network (half-life 30 days)."""
    return _rate(rows, encoders, "processor")


@_column("share", "action", monotone=1)
def processor_recent_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share approved through this processor over the last hours (half-life 6 h): its outages."""
    return _rate(rows, encoders, "processor_recent")


@_column("share", "action", monotone=1)
def processor_retry_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of retries approved through this processor after this kind of decline (half-life 30 days)."""
    return _rate(rows, encoders, "retry_processor")


COLUMNS: tuple[Column, ...] = tuple(_REGISTERED)

WORDS: dict[str, tuple[str, ...]] = {
    "decline_category": tuple(CATEGORIES),
    "first_decline_category": tuple(CATEGORIES),
    "method_last_category": tuple(CATEGORIES),
    "rail": tuple(Rail),
    "network": tuple(Network),
    "funding": tuple(Funding),
    "credential": tuple(Credential),
}
"""What the codes of closed-list categories stand for; the others are in the encoders' vocabularies."""


def _rate(rows: Rows, encoders: Encoders, name: str) -> Floats:
    if rows.memo is None or rows.memo[0] is not encoders:
        rows.memo = (encoders, encoders.rates(rows))
    return rows.memo[1][name]


def _hours(later: Int64s, earlier: Floats) -> Floats:
    return (later - earlier) / MICROS_PER_HOUR


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; NaN where the denominator is zero."""
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _if_known(rows: Rows, values: Floats) -> Floats:
    """The values, or NaN throughout where the customer's past was not sent."""
    return values if rows.customer_known else np.full(len(rows), np.nan)


def _codes(values: Int64s, positions: Int64s) -> Int64s:
    return pick(values, positions, -1).astype(np.int64)


def _known_word(codes: NDArray[np.generic], unknown: int) -> Int64s:
    return np.where(np.equal(codes, unknown), -1, codes).astype(np.int64)


def _same(codes: Int64s, rows: Rows) -> Floats:
    """1 where the asked attempt has the latest attempt's code, 0 where another, NaN where there is no latest."""
    last = pick(codes, rows.last_in_payment)
    same: Floats = np.where(np.isnan(last), np.nan, np.equal(last, rows.asked(codes)))
    return same


def _by_country(rows: Rows, days_of: Callable[[str, Int64s], Int64s]) -> Floats:
    result = np.full(len(rows), np.nan)
    codes = rows.table.country.codes[rows.index]
    for code in np.unique(codes[codes >= 0]):
        chosen = codes == code
        result[chosen] = days_of(rows.table.country.word(int(code)) or "", rows.day[chosen])
    return result


def _by_calendar(rows: Rows, flags_of: Callable[[str, Int64s], NDArray[np.bool_]]) -> Floats:
    result = np.full(len(rows), np.nan)
    table = rows.table
    networks = len(Network)
    key = table.country.codes[rows.index] * networks + table.network.codes[rows.index]
    for code in np.unique(key):
        chosen = key == code
        place = table.country.word(int(code // networks))
        calendar = calendars.calendar_of(place, list(Network)[int(code % networks)])
        result[chosen] = flags_of(calendar, rows.day[chosen])
    return result
