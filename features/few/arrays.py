"""The arrays that the loops over contexts, routes and slots are given.

What belongs together stands in one array, a row for each thing that is said, so that a loop is handed few of them: it
looks at every one that it is given before it begins. `features.few.kernels` names the rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Payments(NamedTuple):
    """The payments asked about, each as its context has it.

    Args:
        whole: As of when, microseconds; the payment's number; code of its currency; whether absence from the
            customer's past means anything; whether only dates of attempts are known. Shape (5, payments).
        real: log10 of the amount in major units; days since 1970 when the customer joined. Shape (2, payments).
        event: Numbers of the attempts in each, one payment after another.
        events: Where each payment's begin, and the end of the last, shape (payments + 1,).
    """

    whole: Int64s
    real: Floats
    event: Int64s
    events: Int64s


class Contexts(NamedTuple):
    """What is asked: payments as they stand, and after declines that have not happened.

    Args:
        payment: Place of each context's payment among `Payments`, shape (contexts,).
        declined: Numbers of the declines that are supposed, one context after another.
        declines: How many are supposed in each, shape (contexts,).
        rows: How many retries are asked about in each, shape (contexts,).
    """

    payment: Int64s
    declined: Int64s
    declines: Int64s
    rows: Int64s


class Attempts(NamedTuple):
    """Every attempt once.

    Args:
        whole: At and known at in microseconds, `NEVER` for an outcome that is not known; whether it was approved,
            failed, was an error; category and retryability as in `AttemptTable`; numbers of method, processor and
            payment; form of the credential, as it was then where that is told; day, day of the month and month on the
            issuer's calendar. Shape (14, attempts).
        real: Advised wait in hours; amount as in `Payments`; day of expiry; 3-D Secure. NaN for not known. Shape
            (4, attempts).
    """

    whole: Int64s
    real: Floats


class Methods(NamedTuple):
    """Every method once.

    Args:
        whole: Rail, network, funding, form of the credential, country, issuer and BIN as codes, -1 for not known but
            for the network's own word; which clock and which table of days hold. Shape (9, methods).
        expires_day: Days since 1970; NaN for not known, shape (methods,).
    """

    whole: Int64s
    expires_day: Floats


class Slots(NamedTuple):
    """The proposed retries: when each slot begins, microseconds, and its route, shape (rows,)."""

    at: Int64s
    route: Int64s


class Clocks(NamedTuple):
    """Clocks one after another: see `market_days.clocks_of`."""

    begins: Int64s
    starts: Int64s
    offsets: Int64s


class Days(NamedTuple):
    """Tables of days: see `market_days.tables_of`."""

    first: int
    tables: Int32s


class Gathered(NamedTuple):
    """All of it.

    Args:
        routes: Method, processor and the processor's code, of every pair that a retry is proposed by, shape
            (3, routes).
        numbers: How many payments there are numbers for.
    """

    payments: Payments
    contexts: Contexts
    attempts: Attempts
    methods: Methods
    routes: Int64s
    proposed: Slots
    clocks: Clocks
    days: Days
    numbers: int
