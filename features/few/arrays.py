"""The arrays that the loops over contexts, routes and slots are given."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Contexts(NamedTuple):
    """The contexts, each array of shape (contexts,) but for the two that say where something begins and the last ends.

    Args:
        decided: When each is decided, microseconds.
        payment, currency: Number of the payment; code of its currency.
        amount: log10 of the amount in major units.
        since_day: Days since 1970 when the customer joined; NaN for not known.
        informed: Whether absence from the customer's past means anything.
        day_only: Whether only dates of attempts are known.
        events, rows: Where each context's attempts and proposed retries begin, shape (contexts + 1,).
    """

    decided: Int64s
    payment: Int64s
    currency: Int64s
    amount: Floats
    since_day: Floats
    informed: Flags
    day_only: Flags
    events: Int64s
    rows: Int64s


class Attempts(NamedTuple):
    """Every attempt once, shape (attempts,); `event` lists the contexts' attempts, shape (events,).

    Args:
        at, known_at: Microseconds; `NEVER` for an outcome that is not known.
        category, retryability: As in `AttemptTable`.
        method, processor, payment: Numbers.
        form: Of the credential, as it was then where that is told.
        day, month_day, month: On the issuer's calendar.
        wait_hours, amount, expires_day, three_d_secure: NaN for not known; the amount as in `Contexts`.
    """

    event: Int64s
    at: Int64s
    known_at: Int64s
    approved: Flags
    failed: Flags
    error: Flags
    category: Int64s
    retryability: Int64s
    method: Int64s
    processor: Int64s
    payment: Int64s
    form: Int64s
    day: Int64s
    month_day: Int64s
    month: Int64s
    wait_hours: Floats
    amount: Floats
    expires_day: Floats
    three_d_secure: Floats


class Methods(NamedTuple):
    """Every method once, shape (methods,); codes are -1 for not known but for the network's own word.

    Args:
        country, issuer, bin: Codes in the encoders' vocabularies.
        expires_day: Days since 1970; NaN for not known.
        zone, calendar: Which clock and which table of days hold.
    """

    rail: Int64s
    network: Int64s
    funding: Int64s
    form: Int64s
    country: Int64s
    issuer: Int64s
    bin: Int64s
    expires_day: Floats
    zone: Int64s
    calendar: Int64s


class Routes(NamedTuple):
    """Every pair of method and processor that a retry is proposed by, shape (routes,).

    Args:
        method, processor: Numbers.
        code: Of the processor, in the encoders' vocabulary.
    """

    method: Int64s
    processor: Int64s
    code: Int64s


class Slots(NamedTuple):
    """The proposed retries: when each slot begins, microseconds, and its route, shape (rows,)."""

    at: Int64s
    route: Int64s


class Calendar(NamedTuple):
    """Clocks and days: see `market_days`."""

    begins: Int64s
    starts: Int64s
    offsets: Int64s
    first: int
    days: Int32s


class Gathered(NamedTuple):
    """All of it, and how many payments there are numbers for."""

    contexts: Contexts
    attempts: Attempts
    methods: Methods
    routes: Routes
    proposed: Slots
    calendar: Calendar
    payments: int
