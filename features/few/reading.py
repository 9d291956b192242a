"""What payments, methods and attempts say as numbers, each read once: what the arrays of the loops are made of."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.attempt import Attempt
from features.columns.arithmetic import log_amount
from features.compiled import plain
from features.context import Context
from features.countries import country_or_market
from features.encoders import Encoders
from features.few import kernels
from features.few.arrays import Attempts, Clocks, Days, Methods, Payments
from features.few.market_days import Followed, clocks_of, tables_of
from features.instants import to_micros
from features.method import Method
from features.proposed import Route
from features.supposed import Supposing
from features.table import (
    APPROVED,
    OUTCOMES,
    UNKNOWN_OUTCOME,
    issuer_key,
)
from features.table_of_contexts import attempt_row
from features.time_zones import local_day, local_micros, zone_name
from features.vocabulary import Credential, Funding, Network, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

T = TypeVar("T", np.int64, np.float64)

_RAILS, _NETWORKS, _FUNDINGS, _FORMS = (
    {word: code for code, word in enumerate(words)} for words in (Rail, Network, Funding, Credential)
)
_UNSAID = -1
_OUTCOMES = (APPROVED, UNKNOWN_OUTCOME, OUTCOMES.index(Outcome.ERROR))


class Wallet:
    """The methods of some contexts, by one market, and the attempts read with them."""

    def __init__(self, methods: tuple[Method, ...], market: str | None) -> None:
        self.methods, self.market = methods, market
        self.place: dict[str, int] = {}
        self.attempts: dict[int, int] = {}
        self.routes: dict[tuple[Route, ...], Int64s] = {}


class Common(NamedTuple):
    """What all suppositions about one payment have in common.

    Args:
        payment: Its place among the payments.
        first: Number of the first move's decline; the others' follow.
        route: Number of each move's route.
        ends: When the first and the last of the moves begin, microseconds.
    """

    payment: int
    first: int
    route: Int64s
    ends: tuple[int, int]


class Reading:
    """Numbers of payments, processors, methods, zones and calendars, in the order in which they turn up."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._wallets: dict[tuple[int, str | None], Wallet] = {}
        self._numbers: dict[str, int] = {}
        self._processors: dict[str, int] = {}
        self._zones: dict[str, int] = {}
        self._calendars: dict[Followed, int] = {}
        self._routes: dict[tuple[int, int], int] = {}
        self._commons: dict[int, tuple[Supposing, Common]] = {}
        self._places: dict[int, int] = {}
        self._owed: list[tuple[int, ...]] = []
        self._amounts: list[tuple[float, float]] = []
        self._events: list[list[int]] = []
        self._methods: list[tuple[int, ...]] = []
        self._expires: list[float] = []
        self._codes: list[tuple[int, int, int]] = []
        self._unread: list[tuple[tuple[int, ...], tuple[float, ...]]] = []
        self._read: list[Attempts] = []
        self._attempts = 0
        self._made_payments: Payments | None = None
        self._made_methods: Methods | None = None
        self._made_routes: Int64s | None = None
        self._calendar: tuple[int, int, int, Clocks, Days] | None = None

    @property
    def numbers(self) -> int:
        """How many payments there are numbers for."""
        return len(self._numbers)

    @property
    def supposed(self) -> int:
        """How many payments with declines that are supposed were read."""
        return len(self._commons)

    def wallet(self, context: Context) -> Wallet:
        """The methods of a context."""
        key = id(context.methods), context.payment.market
        if key not in self._wallets:
            wallet = self._wallets[key] = Wallet(context.methods, context.payment.market)
            for method in context.methods:
                self._add(wallet, method)
        return self._wallets[key]

    def _add(self, wallet: Wallet, method: Method) -> None:
        country = country_or_market(method.issuer.country, wallet.market)
        zone = zone_name(method.issuer.time_zone, country)
        followed = calendars.calendar_of(country, method.network), country
        words = self._encoders
        wallet.place[method.method_id] = len(self._methods)
        self._methods.append(
            (
                _RAILS[method.rail],
                _NETWORKS[method.network],
                _UNSAID if method.funding is Funding.UNKNOWN else _FUNDINGS[method.funding],
                _FORMS[method.credential],
                words.country.place.get(country or "", _UNSAID),
                words.issuer.place.get(issuer_key(country, method.issuer.issuer_id) or "", _UNSAID),
                words.bin.place.get(method.issuer.bin or "", _UNSAID),
                self._zones.setdefault(zone, len(self._zones)),
                self._calendars.setdefault(followed, len(self._calendars)),
            )
        )
        self._expires.append(np.nan if method.expires_on is None else float(calendars.to_day(method.expires_on)))
        self._made_methods = None

    # --- payments -----------------------------------------------------------------------------------------------------

    def payment(self, context: Context) -> int:
        """Place of a context's payment."""
        place = self._places.get(id(context))
        if place is None:
            place = self._places[id(context)] = len(self._owed)
            payment, since = context.payment, context.customer_since
            own = [a.precision is Precision.DAY for a in context.attempts if a.payment_id == payment.payment_id]
            number = self._numbers.setdefault(payment.payment_id, len(self._numbers))
            currency = self._encoders.currency.place.get(payment.amount.currency, _UNSAID)
            day_only = bool(own) and all(own)
            self._owed.append((to_micros(context.as_of), number, currency, context.history_known, day_only))
            joined = np.nan if since is None else float(calendars.to_day(since))
            self._amounts.append((float(payment.amount.major), joined))
            self._events.append(self._numbers_of(self.wallet(context), context.attempts))
            self._made_payments = None
        return place

    def payments(self) -> Payments:
        """Every payment so far."""
        if self._made_payments is None:
            real = columns_of(np.array(self._amounts))
            real[kernels.AMOUNT_LOG] = log_amount(real[kernels.AMOUNT_LOG])
            self._made_payments = Payments(
                columns_of(np.array(self._owed, dtype=np.int64)),
                real,
                np.array([number for events in self._events for number in events], dtype=np.int64),
                np.cumsum([0, *map(len, self._events)], dtype=np.int64),
            )
        return self._made_payments

    # --- attempts -----------------------------------------------------------------------------------------------------

    def _numbers_of(self, wallet: Wallet, attempts: Sequence[Attempt]) -> list[int]:
        """Numbers of attempts."""
        place = wallet.attempts
        for attempt in attempts:
            if id(attempt) not in place:
                place[id(attempt)] = self._attempts
                self._attempts += 1
                self._unread.append(self._line(wallet, attempt))
        return [place[id(attempt)] for attempt in attempts]

    def common(self, by: Supposing) -> Common:
        """What suppositions about a payment share; a decline of each of its moves is read at once."""
        if id(by) not in self._commons:
            wallet, place, moves = self.wallet(by.context), self.payment(by.context), by.moves
            lines = [self._line(wallet, like) for like in by.likes]
            told, said = np.array([line[0] for line in lines])[moves.route], np.array([line[1] for line in lines])
            told[:, 0] = moves.start
            told[:, 1] = moves.start + np.array(by.waits(), dtype=np.int64)[moves.route]
            self._take_in()
            route = self.routed(wallet, moves.routes)[moves.route]
            ends = int(moves.start.min()), int(moves.start.max())
            self._commons[id(by)] = by, Common(place, self._attempts, route, ends)
            self._read.append(self._columns(told, said[moves.route]))
            self._attempts += len(moves)
        return self._commons[id(by)][1]

    def _line(self, wallet: Wallet, attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
        if attempt.method_id not in wallet.place:  # no longer on file: only its id is known
            self._add(wallet, Method(method_id=attempt.method_id, rail=Rail.UNKNOWN))
        whole, real = attempt_row(attempt)
        method, processor = wallet.place[attempt.method_id], self._processor(attempt.processor)
        return (*whole, method, processor, self._numbers.setdefault(attempt.payment_id, len(self._numbers))), real

    def _take_in(self) -> None:
        """Turn the attempts of which there are lines into columns."""
        if self._unread or not self._read:
            told = np.array([line[0] for line in self._unread], dtype=np.int64).reshape(-1, 11)
            said = np.array([line[1] for line in self._unread]).reshape(-1, 4)
            self._unread = []
            self._read.append(self._columns(told, said))

    def _columns(self, told: Int64s, said: Floats) -> Attempts:
        clocks = Clocks(*clocks_of(tuple(self._zones)))
        whole, real = kernels.read(told, said, plain(self.methods()), plain(clocks), _OUTCOMES)
        real[kernels.ATTEMPT_AMOUNT] = log_amount(real[kernels.ATTEMPT_AMOUNT])
        return Attempts(whole, real)

    def attempts(self) -> Attempts:
        """Every attempt so far."""
        self._take_in()
        if len(self._read) > 1:
            whole, real = (np.concatenate(parts, axis=1) for parts in zip(*self._read, strict=True))
            self._read = [Attempts(whole, real)]
        return self._read[0]

    # --- methods, routes and days -------------------------------------------------------------------------------------

    def methods(self) -> Methods:
        """Every method so far."""
        if self._made_methods is None:
            whole = columns_of(np.array(self._methods, dtype=np.int64).reshape(-1, 9))
            self._made_methods = Methods(whole, np.array(self._expires))
        return self._made_methods

    def routed(self, wallet: Wallet, routes: tuple[Route, ...]) -> Int64s:
        """Numbers of routes, shape (routes,)."""
        numbers = wallet.routes.get(routes)
        if numbers is None:
            listed = [self._route(wallet, *route) for route in routes]
            numbers = wallet.routes[routes] = np.array(listed, dtype=np.int64)
        return numbers

    def _route(self, wallet: Wallet, method_id: str, processor: str) -> int:
        method = wallet.place.get(method_id)
        if method is None:  # a route without a retry
            return _UNSAID
        key = method, self._processor(processor)
        number = self._routes.get(key)
        if number is None:
            number = self._routes[key] = len(self._codes)
            self._codes.append((*key, self._encoders.processor.place.get(processor, _UNSAID)))
            self._made_routes = None
        return number

    def routes(self) -> Int64s:
        """Method, processor and the processor's code of every route so far, shape (3, routes)."""
        if self._made_routes is None:
            self._made_routes = columns_of(np.array(self._codes, dtype=np.int64).reshape(-1, 3))
        return self._made_routes

    def _processor(self, name: str) -> int:
        return self._processors.setdefault(name, len(self._processors))

    def calendar(self, low: int, high: int) -> tuple[Clocks, Days]:
        """The clocks, and the months in which slots from the one to the other instant lie."""
        known, count = self._calendar, len(self._zones) + len(self._calendars)
        if known is None or known[0] != count or low < known[1] or high > known[2]:
            zones, followed, ends = tuple(self._zones), tuple(self._calendars), np.array([low, high])
            months = calendars.month_of(np.concatenate([local_day(local_micros(zone, ends)) for zone in zones]))
            days = Days(*tables_of(followed, int(months.min()), int(months.max())))
            known = self._calendar = count, low, high, Clocks(*clocks_of(zones)), days
        return known[3], known[4]


def columns_of(lines: NDArray[T]) -> NDArray[T]:
    """The columns of some lines as rows, in one piece: whatever their number, a loop is compiled once for them."""
    return np.ascontiguousarray(lines.T)
