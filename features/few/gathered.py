"""Contexts and the retries proposed in them as arrays for a loop: what a table of attempts is for columns.

Contexts that are asked about together mostly differ in a few imagined attempts: the same attempts, methods and
payment stand in many of them, and each is read once.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.attempt import Attempt
from features.context import Context
from features.encoders import Encoders
from features.few.arrays import Attempts, Calendar, Contexts, Gathered, Methods, Routes, Slots
from features.few.market_days import Followed, clocks_of, tables_of
from features.instants import to_micros
from features.known import NEVER
from features.method import Method
from features.money import Money
from features.proposed import Proposed, Route
from features.supposed import Supposed, Supposing
from features.table import (
    APPROVED,
    CATEGORIES,
    OUTCOMES,
    RETRYABILITIES,
    UNKNOWN_OUTCOME,
    Asked,
    country_or_market,
    issuer_key,
    wait_hours,
)
from features.time_zones import local_day, local_micros, zone_name
from features.vocabulary import Credential, Funding, Network, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

T = TypeVar("T", np.int64, np.float64)

SMALLEST = 1e-3
"""Of an amount: its logarithm must exist."""

_RAILS, _NETWORKS, _FUNDINGS, _FORMS = list(Rail), list(Network), list(Funding), list(Credential)
_UNSAID = -1
_REMEMBERED = 512  # attempts
_LATEST = 16  # payments


class Gatherer:
    """Makes arrays of contexts, with the codes of one model's vocabularies; what an attempt says is read once."""

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._read: dict[int, tuple[Attempt, tuple[int, ...], tuple[float, ...]]] = {}
        self._latest: dict[int, tuple[Context, _Gathering]] = {}

    def __call__(self, asked: Sequence[Asked | Supposed]) -> Gathered:
        """The arrays of some contexts and the retries proposed in them, at least one."""
        about = [one.by.context if isinstance(one, Supposed) else one[0] for one in asked]
        if any(context is not about[0] for context in about):
            return _Gathering(self, self._encoders).of(asked)
        return self._of_one(about[0]).of(asked)

    def _of_one(self, context: Context) -> "_Gathering":
        """What was read of a payment when it was asked about last: a decision asks a few times over."""
        known = self._latest.get(id(context))
        if known is None:
            if len(self._latest) >= _LATEST:
                self._latest = {}
            # The context is kept with it, so that no other can have its id meanwhile.
            known = self._latest[id(context)] = context, _Gathering(self, self._encoders)
        return known[1]

    def numbers(self, attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """What an attempt says by itself; see `_numbers`."""
        known = self._read.get(id(attempt))
        if known is None:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            # The attempt is kept with it, so that no other can have its id meanwhile.
            known = self._read[id(attempt)] = attempt, *_numbers(attempt)
        return known[1], known[2]


class _Wallet:
    """The methods of some contexts, by one market, and the attempts read with them."""

    def __init__(self, methods: tuple[Method, ...], market: str | None) -> None:
        self.methods, self.market = methods, market
        self.place: dict[str, int] = {}
        self.attempts: dict[int, int] = {}
        self.routes: dict[tuple[Route, ...], Int64s] = {}


class _Common(NamedTuple):
    """What all suppositions about one payment have in common.

    Args:
        events: The payment's own, as for any context.
        as_of: Of the payment as it stands, microseconds.
        first: Number of the first move's decline; the others' follow, downwards.
        known_at: When each move's decline becomes known, microseconds.
    """

    events: list[int]
    as_of: int
    first: int
    known_at: list[int]


class _Gathering:
    """Numbers of payments, processors, methods, zones and calendars, in the order in which they turn up."""

    def __init__(self, gatherer: Gatherer, encoders: Encoders) -> None:
        self._gatherer, self._encoders = gatherer, encoders
        self._wallets: dict[tuple[int, str | None], _Wallet] = {}
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
        self._commons: dict[int, tuple[Supposing, _Common]] = {}
        self._supposed: list[tuple[Int64s, Floats]] = []
        self._attempts: tuple[int, Attempts] | None = None
        self._calendar: tuple[int, int, int, Calendar] | None = None

    def of(self, asked: Sequence[Asked | Supposed]) -> Gathered:
        decided: list[int] = []
        owed: list[tuple[float, ...]] = []
        event: list[int] = []
        at: list[Int64s] = []
        route: list[Int64s] = []
        events, sizes, times = [0], [0], []
        for one in asked:
            before = len(decided)
            if isinstance(one, Supposed):
                context, wallet, moves = one.by.context, self._wallet(one.by.context), one.by.moves
                common = self._common(one.by)
                for declined in one.declined:
                    event += common.events
                    event += [common.first - place for place in declined]
                    events.append(len(event))
                    decided.append(max([common.as_of, *[common.known_at[place] for place in declined]]))
                at.append(moves.start[one.asked])
                route.append(self._routed(wallet, moves.routes)[moves.route[one.asked]])
                sizes += one.sizes
            else:
                context, retries = one[0], Proposed.of(one[1])
                wallet = self._wallet(context)
                event += self._events(wallet, context.attempts)
                events.append(len(event))
                decided.append(to_micros(context.as_of))
                at.append(retries.start)
                route.append(self._routed(wallet, retries.routes)[retries.route])
                sizes.append(len(retries))
            owed.append(self._owed(context))
            times.append(len(decided) - before)
        payment, currency, informed, day_only, amount, since_day = _columns(np.repeat(np.array(owed), times, axis=0), 6)
        contexts = Contexts(
            decided=np.array(decided, dtype=np.int64), payment=payment.astype(np.int64),
            currency=currency.astype(np.int64), amount=_log10(amount), since_day=since_day, informed=informed > 0,
            day_only=day_only > 0, events=np.array(events, dtype=np.int64),
            rows=np.cumsum(np.array(sizes, dtype=np.int64)),
        )  # fmt: skip
        proposed = Slots(np.concatenate(at), np.concatenate(route))
        methods = self._all_methods()
        routes = [(*route, code) for route, (_, code) in self._routes.items()]
        return Gathered(
            contexts,
            self._all_attempts(event, methods),
            methods,
            Routes(*_columns(np.array(routes, dtype=np.int64), 3)),
            proposed,
            self._calendar_of(proposed.at),
            len(self._payments),
        )

    def _wallet(self, context: Context) -> _Wallet:
        key = id(context.methods), context.payment.market
        if key not in self._wallets:
            wallet = self._wallets[key] = _Wallet(context.methods, context.payment.market)
            for method in context.methods:
                self._add(wallet, method)
        return self._wallets[key]

    def _add(self, wallet: _Wallet, method: Method) -> None:
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

    def _events(self, wallet: _Wallet, attempts: Sequence[Attempt]) -> list[int]:
        place = wallet.attempts
        try:
            return [place[id(attempt)] for attempt in attempts]
        except KeyError:
            for attempt in attempts:
                if id(attempt) not in place:
                    place[id(attempt)] = len(self._whole)
                    self._read(wallet, attempt)
            return [place[id(attempt)] for attempt in attempts]

    def _common(self, by: Supposing) -> _Common:
        if id(by) not in self._commons:
            wallet = self._wallet(by.context)
            likes = [self._numbers(wallet, like) for like in by.likes]
            whole, real = np.array([like[0] for like in likes])[by.moves.route], np.array([like[1] for like in likes])
            wait = np.array(by.waits(), dtype=np.int64)[by.moves.route]
            whole[:, 0], whole[:, 1] = by.moves.start, by.moves.start + wait
            first = -1 - sum(len(block) for block, _ in self._supposed)
            self._supposed.append((whole, real[by.moves.route]))
            events = self._events(wallet, by.context.attempts)
            self._commons[id(by)] = by, _Common(events, to_micros(by.context.as_of), first, whole[:, 1].tolist())
        return self._commons[id(by)][1]

    def _read(self, wallet: _Wallet, attempt: Attempt) -> None:
        whole, real = self._numbers(wallet, attempt)
        self._whole.append(whole)
        self._real.append(real)

    def _numbers(self, wallet: _Wallet, attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
        if attempt.method_id not in wallet.place:  # no longer on file: only its id is known
            self._add(wallet, Method(method_id=attempt.method_id, rail=Rail.UNKNOWN))
        whole, real = self._gatherer.numbers(attempt)
        method, processor = wallet.place[attempt.method_id], self._processor(attempt.processor)
        return (*whole, method, processor, self._payments.setdefault(attempt.payment_id, len(self._payments))), real

    def _routed(self, wallet: _Wallet, routes: tuple[Route, ...]) -> Int64s:
        numbers = wallet.routes.get(routes)
        if numbers is None:
            listed = [self._route(wallet, *route) for route in routes]
            numbers = wallet.routes[routes] = np.array(listed, dtype=np.int64)
        return numbers

    def _route(self, wallet: _Wallet, method_id: str, processor: str) -> int:
        method = wallet.place.get(method_id)
        if method is None:  # a route without a retry
            return _UNSAID
        key = method, self._processor(processor)
        if key not in self._routes:
            self._routes[key] = len(self._routes), self._encoders.processor.place.get(processor, _UNSAID)
        return self._routes[key][0]

    def _owed(self, context: Context) -> tuple[float, ...]:
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

    def _all_methods(self) -> Methods:
        told = np.array(self._methods, dtype=np.int64)
        rail, network, funding, form, country, issuer, bin_, zone, calendar = _columns(told, 9)
        return Methods(rail, network, funding, form, country, issuer, bin_, np.array(self._expires), zone, calendar)

    def _all_attempts(self, event: list[int], methods: Methods) -> Attempts:
        made, numbers = len(self._whole), np.array(event, dtype=np.int64)
        size = made + sum(len(block) for block, _ in self._supposed)
        if self._attempts is None or self._attempts[0] != size:
            self._attempts = size, self._read_attempts(methods)
        # Declines that are only supposed come last, and were counted down from -1 until it was known after how many.
        return self._attempts[1]._replace(event=np.where(numbers < 0, made - 1 - numbers, numbers))

    def _read_attempts(self, methods: Methods) -> Attempts:
        blocks = [(np.array(self._whole, dtype=np.int64).reshape(-1, 9), np.array(self._real).reshape(-1, 4))]
        whole, real = (np.concatenate(part) for part in zip(*blocks, *self._supposed, strict=True))
        at, known_at, outcome, category, retryability, form, method, processor, payment = _columns(whole, 9)
        wait, amount, three_d_secure, expires = _columns(real, 4)
        day = self._days(at, methods.zone[method])
        return Attempts(
            event=_NONE, at=at, known_at=known_at,
            approved=outcome == APPROVED, failed=(outcome != APPROVED) & (outcome != UNKNOWN_OUTCOME),
            error=outcome == _ERROR, category=category, retryability=retryability,
            method=method, processor=processor, payment=payment,
            form=np.where(form >= 0, form, methods.form[method]),
            day=day, month_day=calendars.day_of_month(day), month=calendars.month_of(day),
            wait_hours=wait, amount=_log10(amount),
            expires_day=np.where(np.isnan(expires), methods.expires_day[method], expires),
            three_d_secure=three_d_secure,
        )  # fmt: skip

    def _days(self, at: Int64s, zones: Int64s) -> Int64s:
        local = at.copy()
        for name, zone in self._zones.items():
            chosen = zones == zone
            local[chosen] = local_micros(name, at[chosen])
        return local_day(local)

    def _calendar_of(self, at: Int64s) -> Calendar:
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


def _numbers(attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """(at, known_at, outcome, category, retryability, form), (wait, amount, 3-D Secure, expiry)."""
    decline = attempt.decline
    whole = (
        to_micros(attempt.at),
        # A pending attempt has no outcome yet, and training never saw one as known.
        NEVER if attempt.outcome is Outcome.UNKNOWN else to_micros(attempt.known_at),
        OUTCOMES.index(attempt.outcome),
        _UNSAID if decline is None else CATEGORIES.index(decline.category),
        _UNSAID if decline is None else RETRYABILITIES.index(decline.retryability),
        _UNSAID if attempt.credential is None else _FORMS.index(attempt.credential),
    )
    secure = np.nan if attempt.three_d_secure is None else float(attempt.three_d_secure)
    expires = np.nan if attempt.expires_on is None else float(calendars.to_day(attempt.expires_on))
    return whole, (wait_hours(decline), float(attempt.amount.major), secure, expires)


def _columns(values: NDArray[T], count: int) -> NDArray[T]:
    """The columns of some lines, each in one piece: whatever their number, a loop is compiled once for them."""
    return np.ascontiguousarray(values.reshape(-1, count).T)


def _said(code: int, unknown: int) -> int:
    return _UNSAID if code == unknown else code


def _log10(amounts: Floats) -> Floats:
    return np.log10(np.maximum(amounts, SMALLEST))
