"""The service with a ledger over ASGI, and what is told and asked over HTTP, for tests."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
from fastapi import FastAPI

Document = dict[str, Any]  # a JSON document that tests take apart
START = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Api:
    """The application and its clock; what is sent with every call."""

    app: FastAPI
    clock: Clock
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_key(self, key: str) -> "Api":
        return replace(self, headers={**self.headers, "authorization": f"Bearer {key}"})

    def under(self, idempotency_key: str) -> "Api":
        return replace(self, headers={**self.headers, "idempotency-key": idempotency_key})

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return asyncio.run(_sent(self.app, [(method, path, body)], self.headers))[0]

    def send_at_once(self, path: str, body: object, times: int) -> list[httpx.Response]:
        return asyncio.run(_sent(self.app, [("POST", path, body)] * times, self.headers))

    def post(self, path: str, body: object, status: int = 200) -> Document:
        return parsed(self.send("POST", path, body), status)

    def put(self, path: str, body: object, status: int = 200) -> Document:
        return parsed(self.send("PUT", path, body), status)

    def get(self, path: str, status: int = 200) -> Document:
        return parsed(self.send("GET", path), status)

    def reserve(self, document: Document) -> Document:
        return self.post("/v1/decisions", document | {"reserve": True})

    def at_once(self, bodies: Sequence[Document]) -> list[Document]:
        calls = [("POST", "/v1/decisions", body) for body in bodies]
        return [parsed(response, 200) for response in asyncio.run(_sent(self.app, calls, self.headers))]


async def _sent(
    app: FastAPI, calls: Sequence[tuple[str, str, object]], more: Mapping[str, str]
) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client:
        headers = {"content-type": "application/json", **more}
        content = [None if body is None else orjson.dumps(body) for _, _, body in calls]
        return await asyncio.gather(
            *(
                client.request(method, path, content=sent, headers=headers)
                for (method, path, _), sent in zip(calls, content, strict=True)
            )
        )


def parsed(response: httpx.Response, status: int) -> Document:
    assert response.status_code == status, response.text
    answer: Document = orjson.loads(response.content)
    return answer


def report(
    event: str, attempt: str, at: datetime, *, payment: str = "inv_1", method: str = "pm_1", outcome: str = "declined"
) -> Document:
    told: Document = {
        "payment_id": payment,
        "customer_id": "cus_1",
        "method": {"method_id": method, "rail": "card", "network": "visa", "issuer_country": "DE"},
        "processor": "northgate",
        "amount_minor": 2799,
        "currency": "EUR",
        "attempted_at": at.isoformat(),
        "outcome": outcome,
    }
    if outcome == "declined":
        told["code"] = "51"
    return {"merchant_id": "acme", "event_id": event, "attempt_id": attempt, "source": "webhook", "attempt": told}


def past(count: int, *, payment: str = "inv_1") -> list[Document]:
    """Declines of the last days, one every 12 hours, that the request below does not tell of."""
    return [report(f"e{i}", f"old_{i}", START - timedelta(hours=12 * (i + 1)), payment=payment) for i in range(count)]


def of_payment(document: Document, payment: str) -> Document:
    other = copy.deepcopy(document)
    other["payment"]["payment_id"] = payment
    other["attempts"][0] |= {"attempt_id": f"att_{payment}"}
    return other


def visa_cap(limits: Sequence[Document]) -> Document:
    """The cap of Visa on reattempts."""
    return next(limit for limit in limits if limit["limit"] is not None and limit["rule_id"].startswith("visa"))


def used(api: Api) -> int:
    """What is used of the cap on reattempts, holds included."""
    (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    return int(visa_cap(one["limits"])["used"])


def codes(answer: Document) -> set[str]:
    return {reason["code"] for reason in answer["reasons"]}


def event(kind: str, event_id: str = "p1", **more: object) -> Document:
    return {"merchant_id": "acme", "event_id": event_id, "kind": kind, "happened_at": "2026-11-23T10:10:00Z"} | more


MERCHANT = {"merchant_id": "acme"}
