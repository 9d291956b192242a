"""What payments, methods and attempts say as numbers, each read once: what the arrays of the loops are made of."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.attempt import Attempt
from features.columns.arithmetic import log_amount
from features.context import Context
from features.encoders import Encoders
from features.few.arrays import Attempts, Calendar, Methods, Routes
from features.few.market_days import Followed, clocks_of, tables_of
from features.instants import to_micros
from features.method import Method
from features.money import Money
from features.proposed import Route
from features.supposed import Supposing
from features.table import (
    APPROVED,
    OUTCOMES,
    UNKNOWN_OUTCOME,
    country_or_market,
    issuer_key,
)
from features.table_of_contexts import attempt_row
from features.time_zones import local_day, local_micros, zone_name
from features.vocabulary import Credential, Funding, Network, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

T = TypeVar("T", np.int64, np.float64)

_RAILS, _NETWORKS, _FUNDINGS, _FORMS = list(Rail), list(Network), list(Funding), list(Credential)
_UNSAID = -1
_WHOLE = 11  # numbers of an attempt: its own eight, and those of its method, processor and payment


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
        events: The payment's own, as for any context.
        as_of: Of the payment as it stands, microseconds.
        first: Number of the first move's decline; the others' follow, downwards.
        known_at: When each move's decline becomes known, microseconds.
    """

    events: Int64s
    as_of: int
    first: int
    known_at: Int64s


class Reading:
    """Numbers of payments, processors, methods, zones and calendars, in the order in which they turn up."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._wallets: dict[tuple[int, str | None], Wallet] = {}
        self._payments: dict[str, int] = {}
        self._processors: dict[str, int] = {}
        self._zones: dict[str, int] = {}
        self._calendars: dict[Followed, int] = {}
        self._methods: list[tuple[int, ...]] = []
        self._expires: list[float] = []
        self._routes: dict[tuple[int, int], tuple[int, int]] = {}
        self._amounts: dict[Money, float] = {}
        self._whole: list[tuple[int, ...]] = []
        self._real: list[tuple[float, ...]] = []
        self._commons: dict[int, tuple[Supposing, Common]] = {}
        self._supposed: list[tuple[Int64s, Floats]] = []
        self._made_attempts: tuple[int, Attempts] | None = None
        self._made_methods: Methods | None = None
        self._calendar: tuple[int, int, int, Calendar] | None = None

    @property
    def payments(self) -> int:
        """How many payments there are numbers for."""
        return len(self._payments)

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
                _RAILS.index(method.rail),
                _NETWORKS.index(method.network),
                _said(_FUNDINGS.index(method.funding), _FUNDINGS.index(Funding.UNKNOWN)),
                _FORMS.index(method.credential),
                words.country.place.get(country or "", _UNSAID),
                words.issuer.place.get(issuer_key(country, method.issuer.issuer_id) or "", _UNSAID),
                words.bin.place.get(method.issuer.bin or "", _UNSAID),
                self._zones.setdefault(zone, len(self._zones)),
                self._calendars.setdefault(followed, len(self._calendars)),
            )
        )
        self._expires.append(np.nan if method.expires_on is None else float(calendars.to_day(method.expires_on)))

    def events(self, wallet: Wallet, attempts: Sequence[Attempt]) -> list[int]:
        """Numbers of attempts."""
        place = wallet.attempts
        try:
            return [place[id(attempt)] for attempt in attempts]
        except KeyError:
            for attempt in attempts:
                if id(attempt) not in place:
                    place[id(attempt)] = len(self._whole)
                    self._read(wallet, attempt)
            return [place[id(attempt)] for attempt in attempts]

    def common(self, by: Supposing) -> Common:
        """What suppositions about a payment share; a decline of each of its moves is read at once."""
        if id(by) not in self._commons:
            wallet = self.wallet(by.context)
            likes = [self._numbers(wallet, like) for like in by.likes]
            whole, real = np.array([like[0] for like in likes])[by.moves.route], np.array([like[1] for like in likes])
            wait = np.array(by.waits(), dtype=np.int64)[by.moves.route]
            whole[:, 0], whole[:, 1] = by.moves.start, by.moves.start + wait
            first = -1 - sum(len(block) for block, _ in self._supposed)
            self._supposed.append((whole, real[by.moves.route]))
            events = np.array(self.events(wallet, by.context.attempts), dtype=np.int64)
            self._commons[id(by)] = by, Common(events, to_micros(by.context.as_of), first, whole[:, 1].copy())
        return self._commons[id(by)][1]

    def _read(self, wallet: Wallet, attempt: Attempt) -> None:
        whole, real = self._numbers(wallet, attempt)
        self._whole.append(whole)
        self._real.append(real)

    def _numbers(self, wallet: Wallet, attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
        if attempt.method_id not in wallet.place:  # no longer on file: only its id is known
            self._add(wallet, Method(method_id=attempt.method_id, rail=Rail.UNKNOWN))
        whole, real = attempt_row(attempt)
        method, processor = wallet.place[attempt.method_id], self._processor(attempt.processor)
        return (*whole, method, processor, self._payments.setdefault(attempt.payment_id, len(self._payments))), real

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
        if key not in self._routes:
            self._routes[key] = len(self._routes), self._encoders.processor.place.get(processor, _UNSAID)
        return self._routes[key][0]

    def owed(self, context: Context) -> tuple[float, ...]:
        """(payment, currency, informed, day only, amount, customer since)."""
        payment, since = context.payment, context.customer_since
        own = [a.precision is Precision.DAY for a in context.attempts if a.payment_id == payment.payment_id]
        return (
            self._payments.setdefault(payment.payment_id, len(self._payments)),
            self._encoders.currency.place.get(payment.amount.currency, _UNSAID),
            context.history_known,
            bool(own) and all(own),
            self._amount(payment.amount),
            np.nan if since is None else float(calendars.to_day(since)),
        )

    def _amount(self, amount: Money) -> float:
        if amount not in self._amounts:
            self._amounts[amount] = float(amount.major)
        return self._amounts[amount]

    def _processor(self, name: str) -> int:
        return self._processors.setdefault(name, len(self._processors))

    def all_methods(self) -> Methods:
        """Every method so far."""
        if self._made_methods is None or self._made_methods.rail.size != len(self._methods):
            told = np.array(self._methods, dtype=np.int64)
            rail, network, funding, form, country, issuer, bin_, zone, calendar = columns_of(told, 9)
            expires = np.array(self._expires)
            self._made_methods = Methods(rail, network, funding, form, country, issuer, bin_, expires, zone, calendar)
        return self._made_methods

    def all_routes(self) -> Routes:
        """Every route so far."""
        routes = [(*route, code) for route, (_, code) in self._routes.items()]
        return Routes(*columns_of(np.array(routes, dtype=np.int64), 3))

    def all_attempts(self, event: Int64s, methods: Methods) -> Attempts:
        """Every attempt so far, with those of some contexts, by their numbers."""
        made = len(self._whole)
        size = made + sum(len(block) for block, _ in self._supposed)
        if self._made_attempts is None or self._made_attempts[0] != size:
            self._made_attempts = size, self._read_attempts(methods)
        # Declines that are only supposed come last, and were counted down from -1 until it was known after how many.
        return self._made_attempts[1]._replace(event=np.where(event < 0, made - 1 - event, event))

    def _read_attempts(self, methods: Methods) -> Attempts:
        blocks = [(np.array(self._whole, dtype=np.int64).reshape(-1, _WHOLE), np.array(self._real).reshape(-1, 4))]
        whole, real = (np.concatenate(part) for part in zip(*blocks, *self._supposed, strict=True))
        at, known_at, outcome, _, category, retryability, _, form, *numbers = columns_of(whole, _WHOLE)
        method, processor, payment = numbers
        wait, amount, three_d_secure, expires = columns_of(real, 4)
        day = self._days(at, methods.zone[method])
        return Attempts(
            event=_NONE, at=at, known_at=known_at,
            approved=outcome == APPROVED, failed=(outcome != APPROVED) & (outcome != UNKNOWN_OUTCOME),
            error=outcome == _ERROR, category=category, retryability=retryability,
            method=method, processor=processor, payment=payment,
            form=np.where(form >= 0, form, methods.form[method]),
            day=day, month_day=calendars.day_of_month(day), month=calendars.month_of(day),
            wait_hours=wait, amount=log_amount(amount),
            expires_day=np.where(np.isnan(expires), methods.expires_day[method], expires),
            three_d_secure=three_d_secure,
        )  # fmt: skip

    def _days(self, at: Int64s, zones: Int64s) -> Int64s:
        local = at.copy()
        for name, zone in self._zones.items():
            chosen = zones == zone
            local[chosen] = local_micros(name, at[chosen])
        return local_day(local)

    def calendar(self, at: Int64s) -> Calendar:
        """The months in which the slots lie."""
        low, high = int(at.min()), int(at.max())
        known, count = self._calendar, len(self._zones) + len(self._calendars)
        if known is None or known[0] != count or low < known[1] or high > known[2]:
            zones, followed, ends = tuple(self._zones), tuple(self._calendars), np.array([low, high])
            months = calendars.month_of(np.concatenate([local_day(local_micros(zone, ends)) for zone in zones]))
            tables = tables_of(followed, int(months.min()), int(months.max()))
            known = self._calendar = count, low, high, Calendar(*clocks_of(zones), *tables)
        return known[3]


_NONE = np.empty(0, dtype=np.int64)
_ERROR = OUTCOMES.index(Outcome.ERROR)


def columns_of(values: NDArray[T], count: int) -> NDArray[T]:
    """The columns of some lines, each in one piece: whatever their number, a loop is compiled once for them."""
    return np.ascontiguousarray(values.reshape(-1, count).T)


def _said(code: int, unknown: int) -> int:
    return _UNSAID if code == unknown else code
