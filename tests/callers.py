"""A caller under load: it reserves and settles, tries again until it is answered, and remembers what it was told."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import httpx

from api_builders import Document

CALLERS = 6
MOST_TRIES = 8
"""Of one payment: they are made at once and not when they are advised, so that their limit is not ours to keep."""

PATIENCE_S = 600.0
WORK = int(os.environ.get("FAULT_WORK", "6"))
"""How many attempts are settled before a fault, and after it; `make soak` asks for more."""

Clock = Callable[[], datetime]


def machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Told:
    """What was acknowledged, and how often an answer was a refusal instead.

    Args:
        held: Payments by the reservation that was acknowledged for them.
        settled: Reservations by the attempt that was acknowledged as theirs.
        methods: The cards that places were held on.
        refused: How often which status, or no connection (0), was met.
    """

    held: dict[str, str] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)


class NotAnsweredError(Exception):
    """It cannot be known yet what became of a request; its key is worked on by somebody who is no more."""


@dataclass
class Load:
    """Several callers at once, for as long as wanted."""

    client: httpx.AsyncClient
    now: Clock = machine_clock
    told: Told = field(default_factory=Told)
    run: str = field(default_factory=lambda: uuid4().hex[:8])
    enough: bool = False
    numbers: "count[int]" = field(default_factory=count)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def around(self, fault: Callable[[], None], before: int = WORK, after: int = WORK) -> Told:
        """Work, have the fault happen in the midst of it, and work on until as much again is acknowledged."""
        callers = [asyncio.create_task(self._call_on()) for _ in range(CALLERS)]
        try:
            await self._until(before, callers)
            await asyncio.to_thread(fault)
            await self._until(len(self.told.settled) + after, callers)
        finally:
            self.enough = True
            await asyncio.gather(*callers)
        return self.told

    async def _until(self, settled: int, callers: list[asyncio.Task[None]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.told.settled) < settled and not any(one.done() for one in callers):
                self.news.clear()
                await self.news.wait()

    async def _call_on(self) -> None:
        try:
            while not self.enough:
                payment = f"inv_{self.run}_{next(self.numbers)}"
                with suppress(NotAnsweredError):
                    await self._work_on(payment)
                    await self._hold(f"inv_{self.run}_{next(self.numbers)}", f"pm_{self.run}_shared")
        finally:
            self.news.set()

    async def _work_on(self, payment: str) -> None:
        """Try a payment a few times."""
        for _ in range(MOST_TRIES):
            if self.enough or not await self._round(payment):
                return
            self.news.set()

    async def _hold(self, payment: str, method: str) -> Document | None:
        """A place held for a payment, on a card that others may be held on too."""
        body, key = asked(payment, method, self.now()), f"d{self.run}_{next(self.numbers)}"
        held: Document | None = (await self._answered("/v1/decisions", body, key))["reservation"]
        if held is not None:
            self.told.held[held["reservation_id"]] = payment
            self.told.methods.add(method)
        return held

    async def _round(self, payment: str) -> bool:
        """Reserve and settle once; whether the payment may be tried again."""
        number = f"{self.run}_{next(self.numbers)}"
        held = await self._hold(payment, payment.replace("inv_", "pm_"))
        if held is None:
            return False
        attempt = {
            "attempt_id": f"att_{number}",
            "attempted_at": self.now().isoformat(),
            "outcome": "declined",
            "code": "51",
        }
        path = f"/v1/reservations/{held['reservation_id']}/settle"
        await self._answered(path, {"merchant_id": "acme", "attempt": attempt}, f"s{number}")
        self.told.settled[f"att_{number}"] = held["reservation_id"]
        return True

    async def _answered(self, path: str, body: Document, key: str) -> Document:
        """The answer, asked for under one key until there is one."""
        while True:
            try:
                response = await self.client.post(path, json=body, headers={"idempotency-key": key})
            except httpx.TransportError:
                self.told.refused[0] += 1
                await asyncio.sleep(0.05)
                continue
            if response.status_code == 200:
                answer: Document = response.json()
                return answer
            self.told.refused[response.status_code] += 1
            if response.status_code == 409 and "in-progress" in response.text:
                raise NotAnsweredError
            assert response.status_code == 503, response.text
            assert response.headers["retry-after"]
            await asyncio.sleep(0.05)


def asked(payment: str, method: str, now: datetime) -> Document:
    """A decision with a place held, about a payment whose payer tried an hour ago, on this card."""
    due = (now - timedelta(hours=1)).isoformat()
    return {
        "reserve": True,
        "payment": {
            "payment_id": payment,
            "merchant_id": "acme",
            "customer_id": "cus_1",
            "amount_minor": 2799,
            "currency": "EUR",
            "due_at": due,
        },
        "methods": [{"method_id": method, "rail": "card", "network": "visa", "processors": ["northgate"]}],
        "attempts": [
            {
                "attempt_id": f"first_{payment}",
                "method_id": method,
                "processor": "northgate",
                "attempted_at": due,
                "outcome": "declined",
                "code": "51",
                "initiator": "customer",
            }
        ],
    }


async def holds_what_it_told(client: httpx.AsyncClient, told: Told) -> None:
    """Nothing acknowledged is lost, nothing is there twice, and no limit is exceeded."""
    settled = {reservation: attempt for attempt, reservation in told.settled.items()}
    for reservation, payment in told.held.items():
        found = await client.get(f"/v1/reservations/{reservation}", params={"merchant_id": "acme"})
        assert found.status_code == 200, found.text
        assert found.json()["payment_id"] == payment
        if reservation in settled:
            assert (found.json()["state"], found.json()["attempt_id"]) == ("spent", settled[reservation])
    listed = Counter[str]()
    for method in sorted(told.methods):
        listed.update(await attempts_on(client, method))
        await within_every_limit(client, method)
    assert set(told.settled) <= set(listed)
    assert not [attempt for attempt, times in listed.items() if times > 1]


async def attempts_on(client: httpx.AsyncClient, method: str) -> list[str]:
    page = await client.get(f"/v1/methods/{method}/attempts", params={"merchant_id": "acme", "limit": "200"})
    assert page.status_code == 200, page.text
    return [one["attempt_id"] for one in page.json()["attempts"]]


async def within_every_limit(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.get(f"/v1/methods/{method}/budgets", params={"merchant_id": "acme"})
    assert answer.status_code == 200, answer.text
    for one in answer.json()["budgets"]:
        for limit in one["limits"]:
            assert limit["limit"] is None or limit["used"] <= limit["limit"], limit
