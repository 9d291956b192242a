"""Contexts with the retries proposed in them as a table of attempts, for serving: what `from_arrow` is for training."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from features.attempt import Attempt
from features.calendars import to_day
from features.context import Context
from features.countries import country_or_market
from features.instants import to_micros
from features.known import NEVER
from features.method import Method
from features.table import (
    CATEGORIES,
    INITIATORS,
    OUTCOMES,
    RETRYABILITIES,
    UNKNOWN_OUTCOME,
    Asked,
    AttemptTable,
    Coded,
    after_first,
    coded_list,
    issuer_key,
    wait_hours,
)
from features.time_zones import zone_name
from features.vocabulary import Credential, Funding, Network, Outcome, Precision, Rail

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

_FORMS = list(Credential)


def from_contexts(asked: Sequence[Asked]) -> AttemptTable:
    """The same for many contexts, one after another; payments, customers and methods of two contexts are never one.

    Words of payments, customers and methods may occur in several contexts, each with a code of its own.
    """
    listed = [_listed_methods(context) for context, _ in asked]
    methods = [method for some in listed for method in some]
    names = [method.method_id for method in methods]
    who, own, payments, customer = _groups(asked, listed)
    markets = [context.payment.market for (context, _), some in zip(asked, listed, strict=True) for _ in some]
    countries = [country_or_market(m.issuer.country, market) for m, market in zip(methods, markets, strict=True)]
    whole, real = _attempt_rows(asked)
    each = [len(context.attempts) + len(retries) for context, retries in asked]
    since = [np.nan if c.customer_since is None else float(to_day(c.customer_since)) for c, _ in asked]
    return AttemptTable(
        source_row=np.full(len(who), -1, dtype=np.int64),
        payment=Coded(own, tuple(payments)),
        customer=Coded(customer, tuple(context.payment.customer_id for context, _ in asked)),
        method=Coded(who, tuple(names)),
        processor=coded_list(_processors(asked)),
        rail=_per_method(who, [m.rail for m in methods], Rail),
        network=_per_method(who, [m.network for m in methods], Network),
        currency=coded_list(_currencies(asked)),
        issuer=_gather(who, [issuer_key(c, m.issuer.issuer_id) for c, m in zip(countries, methods, strict=True)]),
        bin=_gather(who, [m.issuer.bin for m in methods]),
        country=_gather(who, countries),
        zone=_gather(who, [zone_name(m.issuer.time_zone, c) for c, m in zip(countries, methods, strict=True)]),
        funding=_per_method(who, [m.funding for m in methods], Funding),
        credential=_forms(whole[:, 7], who, methods),
        at=whole[:, 0],
        known_at=whole[:, 1],
        outcome=whole[:, 2],
        initiator=whole[:, 3],
        category=whole[:, 4],
        retryability=whole[:, 5],
        min_wait_hours=real[:, 0],
        amount_major=real[:, 1],
        is_retry=after_first(own),
        expires_day=_expiries(real[:, 3], who, methods),
        customer_since_day=np.repeat(np.array(since, dtype=np.float64), each),
        three_d_secure=real[:, 2],
        day_only=whole[:, 6] > 0,
    )


def _groups(asked: Sequence[Asked], listed: Sequence[Sequence[Method]]) -> tuple[Int64s, Int64s, list[str], Int64s]:
    """(method, payment, ids of the payments, customer) of every row; each code belongs to one context."""
    who: list[int] = []
    own: list[int] = []
    payments: list[str] = []
    offset = 0
    for (context, retries), methods in zip(asked, listed, strict=True):
        position = {method.method_id: offset + i for i, method in enumerate(methods)}
        ids = sorted({context.payment.payment_id, *(a.payment_id for a in context.attempts)})
        place = {payment_id: len(payments) + i for i, payment_id in enumerate(ids)}
        who += [position[attempt.method_id] for attempt in context.attempts]
        who += [position[retry.method_id] for retry in retries]
        own += [place[a.payment_id] for a in context.attempts]
        own += [place[context.payment.payment_id]] * len(retries)
        payments += ids
        offset += len(methods)
    customer = np.repeat(np.arange(len(asked)), [len(c.attempts) + len(r) for c, r in asked]).astype(np.int64)
    return np.array(who, dtype=np.int64), np.array(own, dtype=np.int64), payments, customer


def _processors(asked: Sequence[Asked]) -> list[str | None]:
    found: list[str | None] = []
    for context, retries in asked:
        found += [attempt.processor for attempt in context.attempts]
        found += [retry.processor for retry in retries]
    return found


def _currencies(asked: Sequence[Asked]) -> list[str | None]:
    found: list[str | None] = []
    for context, retries in asked:
        found += [attempt.amount.currency for attempt in context.attempts]
        found += [context.payment.amount.currency] * len(retries)
    return found


def _attempt_rows(asked: Sequence[Asked]) -> tuple[Int64s, Floats]:
    """What an attempt itself says, whole numbers (n, 8) and others (n, 4), in the order they are taken out above.

    An attempt that stands in several contexts is read once.
    """
    size = sum(len(context.attempts) + len(retries) for context, retries in asked)
    whole, real = np.empty((size, 8), dtype=np.int64), np.full((size, 4), np.nan)
    read: dict[int, tuple[tuple[int, ...], tuple[float, ...]]] = {}
    done = 0
    for context, retries in asked:
        for attempt in context.attempts:
            if id(attempt) not in read:
                read[id(attempt)] = attempt_row(attempt)
            whole[done], real[done] = read[id(attempt)]
            done += 1
        own = context.own_attempts
        day_only = int(bool(own) and all(a.precision is Precision.DAY for a in own))
        proposed = slice(done, done + len(retries))
        whole[proposed] = (0, NEVER, UNKNOWN_OUTCOME, 0, -1, -1, day_only, -1)
        whole[proposed, 0] = [retry.slot.start_micros for retry in retries]
        real[proposed, 1] = float(context.payment.amount.major)
        done += len(retries)
    return whole, real


def attempt_row(attempt: Attempt) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """What an attempt says by itself; the codes are places in the lists of `features.table`, -1 for not told.

    Returns:
        (at, known at, outcome, initiator, category, retryability, day only, form of the credential), and as floats
        (advised wait in hours, amount in major units, 3-D Secure, day of expiry), NaN for not told.
    """
    decline = attempt.decline
    numbers = (
        to_micros(attempt.at),
        _known_at(attempt),
        OUTCOMES.index(attempt.outcome),
        INITIATORS.index(attempt.initiator),
        -1 if decline is None else CATEGORIES.index(decline.category),
        -1 if decline is None else RETRYABILITIES.index(decline.retryability),
        int(attempt.precision is Precision.DAY),
        -1 if attempt.credential is None else _FORMS.index(attempt.credential),
    )
    expires = np.nan if attempt.expires_on is None else float(to_day(attempt.expires_on))
    return numbers, (wait_hours(decline), float(attempt.amount.major), _flag(attempt.three_d_secure), expires)


def _known_at(attempt: Attempt) -> int:
    """When the outcome became known; a pending attempt has none yet, and training never saw one as known."""
    return NEVER if attempt.outcome is Outcome.UNKNOWN else to_micros(attempt.known_at)


def _gather(who: Int64s, texts: Sequence[str | None]) -> Coded:
    coded = coded_list(texts)
    return Coded(coded.codes[who], coded.words)


def _forms(told: Int64s, who: Int64s, methods: Sequence[Method]) -> Coded:
    """Form of every attempt's credential: as it was then where that is told, else as the method's is now."""
    forms = _per_method(who, [m.credential for m in methods], Credential)
    return Coded(np.where(told >= 0, told, forms.codes), forms.words)


def _expiries(told: Floats, who: Int64s, methods: Sequence[Method]) -> Floats:
    """Expiry of every attempt's credential: as it was then where that is told, else as the method's is now."""
    now = np.array([np.nan if m.expires_on is None else to_day(m.expires_on) for m in methods])[who]
    return np.where(np.isnan(told), now, told)


def _per_method(who: Int64s, values: Sequence[StrEnum], words: type[StrEnum]) -> Coded:
    names, place = _words_of(words)
    codes = np.array([place[value] for value in values], dtype=np.int64)
    return Coded(codes[who], names)


@cache
def _words_of(words: type[StrEnum]) -> tuple[tuple[str, ...], dict[StrEnum, int]]:
    """(words of an enum as texts, place of each)."""
    return tuple(str(word) for word in words), {word: i for i, word in enumerate(words)}


def _flag(value: bool | None) -> float:
    return np.nan if value is None else float(value)


def _listed_methods(context: Context) -> tuple[Method, ...]:
    """The context's methods, then those of past attempts that are no longer on file, of which only the id is known."""
    listed = {method.method_id for method in context.methods}
    gone = sorted({a.method_id for a in context.attempts} - listed)
    return (*context.methods, *(Method(method_id=name, rail=Rail.UNKNOWN) for name in gone))
