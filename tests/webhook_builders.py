"""Deliveries as providers sign them, written apart from the code that verifies them."""

import asyncio
import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psycopg
from fastapi import FastAPI

from api_builders import Api
from serving.ledger.facts import Facts
from serving.ledger.ledger import Ledger
from serving.webhooks import deliveries
from serving.webhooks.endpoints import Endpoint, Endpoints
from serving.webhooks.receiving import receive
from serving.webhooks.retrying import read_due
from serving.webhooks.telling import known_facts

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
STANDARD_KEY = base64.b64encode(b"0123456789abcdef01234567").decode()
SECRETS: Mapping[str, str] = {
    "stripe": "whsec_stripe",
    "adyen": ADYEN_KEY,
    "braintree": "public1:private1",
    "gocardless": "gc-secret",
    "checkout": "cko-secret",
    "chargebee": "hook:pass:word",
    "recurly": "recurly-secret",
    "killbill": "killbill-secret",
    "generic": f"whsec_{STANDARD_KEY}",
}
KEYS = {source: f"WEBHOOK_{source.upper()}" for source in SECRETS}


@dataclass(frozen=True)
class Post:
    """What a provider sends."""

    source: str
    body: bytes
    headers: Mapping[str, str]
    query: str = ""


def payload(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def names(source: str) -> list[str]:
    return sorted(str(path.relative_to(PAYLOADS)) for path in (PAYLOADS / source).iterdir())


def posted(name: str, *, secret: str | None = None, at: datetime = NOW) -> Post:
    """A recorded payload as its provider sends it."""
    source = name.partition("/")[0]
    return signed(source, payload(name), secret=secret, at=at)


def signed(source: str, body: bytes, *, secret: str | None = None, at: datetime = NOW) -> Post:
    key = SECRETS[source] if secret is None else secret
    query = f"?secret={key}" if source == "killbill" else ""
    if source == "braintree":
        return Post(source, braintree_form(body, key), {"content-type": "application/x-www-form-urlencoded"})
    if source == "adyen":
        body = with_adyen_signatures(body, key)
    return Post(source, body, {"content-type": "application/json"} | _headers(source, body, key, at), query)


def braintree_form(body: bytes, key: str) -> bytes:
    coded = base64.encodebytes(body).decode()
    public, _, private = key.partition(":")
    digest = hmac.new(hashlib.sha1(private.encode()).digest(), coded.encode(), hashlib.sha1).hexdigest()
    return urlencode({"bt_signature": f"other|x&{public}|{digest}", "bt_payload": coded}).encode()


def _headers(source: str, body: bytes, key: str, at: datetime) -> dict[str, str]:
    seconds = int(at.timestamp())
    basic = {"authorization": "Basic " + base64.b64encode(key.encode()).decode()}
    match source:
        case "stripe":
            return {"stripe-signature": f"t={seconds},v1={hexed(key.encode(), f'{seconds}.'.encode() + body)},v0=x"}
        case "adyen" if b"notificationItems" not in body:
            return {"hmacsignature": based(bytes.fromhex(key), body)}
        case "gocardless":
            return {"webhook-signature": hexed(key.encode(), body)}
        case "checkout":
            return {"cko-signature": hexed(key.encode(), body)}
        case "recurly" if body.startswith(b"{"):
            stamp = seconds * 1000
            return {"recurly-signature": f"{stamp},{'0' * 64},{hexed(key.encode(), f'{stamp}.'.encode() + body)}"}
        case "chargebee" | "recurly":
            return basic
        case "generic":
            raw = base64.b64decode(key.removeprefix("whsec_"))
            signature = based(raw, f"msg_1.{seconds}.".encode() + body)
            stamps = {"webhook-id": "msg_1", "webhook-timestamp": str(seconds)}
            return stamps | {"webhook-signature": f"v1,AAAA v1,{signature}"}
    return {}


def hexed(key: bytes, content: bytes) -> str:
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def based(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def with_adyen_signatures(body: bytes, key: str) -> bytes:
    """Each item signed; a body of another shape stays as it is."""
    try:
        document = json.loads(body)
        for outer in document["notificationItems"]:
            item = outer["NotificationRequestItem"]
            item["additionalData"]["hmacSignature"] = based(bytes.fromhex(key), _adyen_content(item))
        return json.dumps(document).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return body


def _adyen_content(item: Mapping[str, str]) -> bytes:
    amount: Mapping[str, int | str] = item["amount"]  # type: ignore[assignment]  # JSON: one entry is an object
    parts = [item["pspReference"], item.get("originalReference"), item["merchantAccountCode"]]
    parts += [item["merchantReference"], str(amount["value"]), str(amount["currency"])]
    return ":".join(part or "" for part in [*parts, item["eventCode"], item["success"]]).encode()


def send(app: FastAPI, posts: Iterable[Post]) -> list[httpx.Response]:
    """Deliver one after the other."""

    async def sent() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://recoup") as client:
            return [
                await client.post(f"/webhooks/{one.source}{one.query}", content=one.body, headers=dict(one.headers))
                for one in posts
            ]

    return asyncio.run(sent())


def webhook_settings(folder: Path, *, merchant_id: str = "acme") -> Path:
    """A file that sets every source up."""
    lines = [
        f'[[endpoint]]\nsource = "{source}"\nmerchant_id = "{merchant_id}"\nsecrets = [{{ env = "{key}" }}]\n'
        + ('currency = "USD"\n' if source == "recurly" else "")
        for source, key in KEYS.items()
    ]
    path = folder / "webhooks.toml"
    path.write_text("\n".join(lines))
    return path


@dataclass(frozen=True)
class Hooks:
    """A service that takes webhooks in, and its ledger."""

    api: Api
    ledger: Ledger

    def deliver(self, post: Post, status: int = 200) -> httpx.Response:
        (response,) = send(self.api.app, [post])
        assert response.status_code == status, response.text
        return response

    def state(self, post: Post) -> str:
        answer = self.deliver(post)
        return str(answer.json()["state"]) if post.source != "adyen" else answer.text

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in deliveries.counts(self.ledger.store):
            found[one.state] = found.get(one.state, 0) + one.deliveries
        return found

    def attempt(self, attempt_id: str) -> Facts:
        facts = known_facts(self.ledger, "acme", attempt_id)
        assert facts is not None, f"no attempt {attempt_id}"
        return facts

    def reasons(self) -> list[str]:
        return [one.reason for one in deliveries.listed(self.ledger.store, deliveries.State.FAILED, 100)]


@dataclass(frozen=True)
class Told:
    """A ledger as it counts: every attempt and every standing, as rows of text."""

    attempts: list[str]
    standings: list[str]


def counted(url: str) -> Told:
    """What the database of a ledger holds, read past the code under test."""
    tables = ("SELECT * FROM attempt ORDER BY attempt_id", "SELECT * FROM standing ORDER BY topic, subject_id")
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0])) as database:
            return Told(*([str(row) for row in database.execute(sql).fetchall()] for sql in tables))
    with psycopg.connect(url) as connection:
        return Told(*([str(row) for row in connection.execute(sql.encode()).fetchall()] for sql in tables))


PENDING = json.dumps(
    {
        "type": "attempt.reported",
        "data": {
            "event_id": "own-1",
            "attempt_id": "PM000000000002",
            "attempt": {
                "payment_id": "inv_pm2",
                "customer_id": "cus_pm2",
                "method": {"method_id": "MD000000000002", "rail": "bank_debit", "network": "bacs"},
                "processor": "gocardless",
                "amount_minor": 997,
                "currency": "GBP",
                "attempted_at": "2026-11-18T15:00:00Z",
                "outcome": "unknown",
            },
        },
    }
).encode()
STREAM = (
    *("stripe/charge_failed.json", "stripe/charge_succeeded.json", "stripe/invoice_paid.json"),
    *(
        "stripe/charge_pending_sepa.json",
        "stripe/charge_succeeded_sepa.json",
        "stripe/charge_dispute_created_sepa.json",
    ),
    *(
        "stripe/mandate_updated.json",
        "adyen/sepa_authorisation_and_chargeback.json",
        "adyen/authorisation_refused.json",
    ),
    *("gocardless/batch.json", "gocardless/payment_charged_back.json", "chargebee/payment_failed.json"),
    *(
        "braintree/subscription_charged_unsuccessfully.xml",
        "generic/attempt_reported.json",
        "generic/payment_paid.json",
    ),
)


def stream() -> list[Post]:
    """A few days of deliveries in the order in which things happened; an attempt by hand is among them."""
    return [*(posted(name) for name in STREAM), signed("generic", PENDING)]


def told_in_order(url: str, posts: Iterable[Post]) -> Told:
    """What a fresh ledger counts after these deliveries, and after what waited was read again."""
    currencies = {"recurly": "USD"}
    with closing(Ledger.opened(url)) as ledger:
        for one in posts:
            endpoint = Endpoint(one.source, "acme", (), currencies.get(one.source))
            receive(ledger, endpoint, "application/json", one.body, NOW)
        for hours in (1, 10):
            read_due(ledger, Endpoints(), NOW + timedelta(hours=hours))
    return counted(url)
