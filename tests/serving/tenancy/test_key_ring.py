"""The keys as one process knows them: looked up once for all who wait, not forgotten for what strangers invent."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import TypeVar

import pytest

from api_builders import START
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.service import Service
from serving.tenancy import key_ring
from serving.tenancy.bucket import BURST_SECONDS
from serving.tenancy.key_ring import KNOWN_FOR_S, STRANGERS_PER_SECOND, KeyRing
from serving.tenancy.keys import Scope, create_key
from tenants import Tenants

Answer = TypeVar("Answer")
AT_ONCE = STRANGERS_PER_SECOND * BURST_SECONDS
SECOND = timedelta(seconds=1)


class Asked(LedgerAccess):
    """Counts how often the ledger is asked; it may be away."""

    asked = 0
    away = False

    async def ask(self, work: Callable[[Ledger], Answer], *, though_left: bool = False) -> Answer:
        self.asked += 1
        if self.away:
            raise RequestError(Kind.LEDGER_UNAVAILABLE, "away")
        return await super().ask(work, though_left=though_left)


class Ring:
    """A ring of a process that has just begun, and what callers are told."""

    def __init__(self, access: Asked) -> None:
        self.access, self._ring = access, KeyRing(access)

    def told(self, *secrets: str, at: datetime = START) -> Counter[str]:
        """What callers with these keys are told who come all at once."""
        return Counter(asyncio.run(self._all(secrets, at)))

    def charge(self, key_id: str, tokens: int) -> None:
        self._ring.charge(key_id, tokens)

    async def _all(self, secrets: Sequence[str], at: datetime) -> list[str]:
        return await asyncio.gather(*(self.one(secret, at) for secret in secrets))

    async def one(self, secret: str, at: datetime) -> str:
        try:
            await self._ring.admitted(f"Bearer {secret}", at)
        except RequestError as refusal:
            return refusal.kind.slug
        return "admitted"


@pytest.fixture
def ring(tenants: Tenants, service: Service) -> Ring:
    return Ring(Asked(tenants.ledger, service.rulebook))


@pytest.fixture
def secret(tenants: Tenants) -> str:
    return tenants.keys["acme", Scope.READ].secret


def invented() -> Iterator[str]:
    """Keys that look like keys and are none."""
    for letters in product("abcdefghijklmnopqrstuvwxyz", repeat=3):
        yield f"recoup_{''.join(letters)}defghijkl_{'x' * 40}"


def some(keys: Iterator[str], count: int) -> list[str]:
    return [next(keys) for _ in range(count)]


def test_a_pool_of_connections_with_one_key_is_admitted_at_once_and_the_key_looked_up_once(
    ring: Ring, secret: str
) -> None:
    assert ring.told(*[secret] * 3 * AT_ONCE) == {"admitted": 3 * AT_ONCE}
    assert ring.access.asked == 1
    assert ring.told(*[secret] * 3 * AT_ONCE, at=START + KNOWN_FOR_S * SECOND) == {"admitted": 3 * AT_ONCE}
    assert ring.access.asked == 2


def test_whoever_waits_for_the_same_key_hears_when_the_ledger_is_away_and_may_ask_again(
    ring: Ring, secret: str
) -> None:
    ring.access.away = True
    assert ring.told(*[secret] * 3) == {"ledger-unavailable": 3}
    ring.access.away = False
    assert ring.told(secret) == {"admitted": 1}


def test_one_who_leaves_ends_the_looking_for_nobody_else(ring: Ring, secret: str) -> None:
    async def left_and_stayed() -> str:
        leaving, staying = (asyncio.create_task(ring.one(secret, START)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(left_and_stayed()) == "admitted"
    assert ring.access.asked == 1


def test_a_key_in_use_is_not_forgotten_however_many_are_invented(
    ring: Ring, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "MOST_INVENTED", 2 * AT_ONCE)
    keys, at = invented(), START
    assert ring.told(secret) == {"admitted": 1}
    for _ in range(4):
        at += KNOWN_FOR_S * SECOND
        assert ring.told(*some(keys, 2 * AT_ONCE), at=at)["too-many-requests"] >= AT_ONCE
        assert ring.told(secret, at=at) == {"admitted": 1}


def test_an_invented_key_that_is_tried_again_later_is_a_strangers_too(ring: Ring) -> None:
    keys = invented()
    same, at = some(keys, AT_ONCE), START
    for _ in range(3):
        asked = ring.access.asked
        assert ring.told(*same, *same, at=at) == {"unauthenticated": 2 * AT_ONCE}
        assert ring.access.asked - asked == AT_ONCE
        assert ring.told(*some(keys, 3), at=at) == {"too-many-requests": 3}
        at += KNOWN_FOR_S * SECOND


def test_what_a_large_request_costs_more_is_owed_by_its_key_alone(tenants: Tenants, ring: Ring) -> None:
    large = create_key(tenants.ledger.store, "acme", Scope.DECIDE, START, per_second=10)
    other = create_key(tenants.ledger.store, "acme", Scope.DECIDE, START, per_second=10)
    assert ring.told(large.secret, other.secret) == {"admitted": 2}
    ring.charge(large.kept.key_id, 49)  # of which 20 - 1 are there
    assert ring.told(large.secret, other.secret) == {"too-many-requests": 1, "admitted": 1}
    assert ring.told(large.secret, at=START + 3 * SECOND) == {"too-many-requests": 1}
    assert ring.told(large.secret, at=START + 4 * SECOND) == {"admitted": 1}
