"""A service with sandboxes of two merchants, and whole recoveries in them, for tests."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from api_builders import START, Api, Clock, Document, parsed
from serving.app import create_app
from serving.kept_reports import Reports
from serving.ledger.ledger import Ledger
from serving.service import Service
from serving.settings import Settings
from serving.tenancy.keys import Scope, create_key
from serving.tenancy.merchants import add_merchant

BEGIN = "2026-11-23T09:00:00Z"
NO_FUNDS = {"outcome": "declined", "code": "51"}


@dataclass(frozen=True)
class Sandboxed:
    """The service, its live ledger, and keys of sandboxes and of the live merchant."""

    app: FastAPI
    clock: Clock
    ledger: Ledger
    sandbox_keys: dict[str, str]
    live_key: str

    def sandbox(self, merchant_id: str = "acme") -> Api:
        return Api(self.app, self.clock).with_key(self.sandbox_keys[merchant_id])

    def live(self) -> Api:
        return Api(self.app, self.clock).with_key(self.live_key)

    def close(self) -> None:
        """Let go of the databases of the sandboxes."""
        self.app.state.sandboxes.close()


def sandboxed(settings: Settings, service: Service, ledger: Ledger, reports: Reports | None = None) -> Sandboxed:
    keys = {}
    for merchant in ("acme", "other"):
        add_merchant(ledger.store, merchant, "", START)
        made = create_key(ledger.store, merchant, Scope.ADMIN, START, per_second=None, sandbox=True)
        keys[merchant] = made.secret
    live = create_key(ledger.store, "acme", Scope.ADMIN, START, per_second=None).secret
    clock = Clock()
    app = create_app(settings, service=service, ledger=ledger, clock=clock, reports=reports)
    return Sandboxed(app, clock, ledger, keys, live)


def begin(api: Api, *rules: Document, at: str = BEGIN) -> Document:
    """The sandbox wiped, its clock at an instant, and what processors answer."""
    api.put("/v1/sandbox/clock", {"now": at, "reset": True})
    return api.put("/v1/sandbox/answers", {"rules": list(rules)})


def always(*answers: Document, **conditions: object) -> Document:
    return {"answers": list(answers), **conditions}


def a_failure(payment_id: str = "inv_1", merchant_id: str = "acme", amount_minor: int = 29_990) -> Document:
    return {
        "payment": {
            "payment_id": payment_id,
            "merchant_id": merchant_id,
            "customer_id": "cus_1",
            "amount_minor": amount_minor,
            "currency": "USD",
            "due_at": BEGIN,
        },
        "methods": [
            {
                "method_id": "pm_1",
                "rail": "card",
                "network": "visa",
                "issuer": {"country": "US"},
                "processors": ["northgate"],
            }
        ],
        "attempts": [
            {
                "attempt_id": f"first_{payment_id}",
                "method_id": "pm_1",
                "processor": "northgate",
                "attempted_at": BEGIN,
                "outcome": "declined",
                "code": "51",
            }
        ],
    }


def with_attempt(document: Document, made: dict[str, Any]) -> Document:
    """The next request: all that is known, and what was made since."""
    known = {name: value for name, value in made.items() if value is not None}
    return document | {"attempts": [*document["attempts"], known]}


def recovery(api: Api, document: Document) -> tuple[list[Document], list[Document]]:
    """Decide, charge and decide again until it is paid or over: the decisions and the attempts."""
    decisions: list[Document] = []
    attempts: list[Document] = []
    while True:
        decisions.append(api.reserve(document))
        if decisions[-1]["action"]["kind"] != "retry":
            return decisions, attempts
        payment_id = document["payment"]["payment_id"]
        done = api.post(f"/v1/sandbox/payments/{payment_id}/attempt", {"advance": True})
        assert done["check"]["go"], done["check"]["reasons"]
        attempts.append(done["attempt"])
        document = with_attempt(document, done["attempt"])
        if attempts[-1]["outcome"] == "approved":
            return decisions, attempts


def types(api: Api) -> list[str]:
    return [event["type"] for event in parsed(api.send("GET", "/v1/sandbox/events?limit=200"), 200)["events"]]
