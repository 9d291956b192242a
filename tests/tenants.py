"""A service that asks for keys, with two merchants and a key of each scope, for tests."""

from dataclasses import dataclass

from api_builders import START, Api, Clock
from serving.app import create_app
from serving.kept_reports import Reports
from serving.ledger.ledger import Ledger
from serving.service import Service
from serving.settings import Settings
from serving.tenancy.keys import EVERY_MERCHANT, NewKey, Scope, create_key
from serving.tenancy.merchants import add_merchant


@dataclass(frozen=True)
class Tenants:
    """The service, its ledger, and keys by merchant and scope."""

    api: Api
    ledger: Ledger
    keys: dict[tuple[str, Scope], NewKey]

    def of(self, merchant_id: str, scope: Scope = Scope.ADMIN) -> Api:
        return self.api.with_key(self.keys[merchant_id, scope].secret)


def tenants_of(settings: Settings, service: Service, ledger: Ledger, reports: Reports | None = None) -> Tenants:
    """The service as it starts where keys were made."""
    for merchant in ("acme", "other"):
        add_merchant(ledger.store, merchant, "", START)
    keys = {
        (merchant, scope): create_key(ledger.store, merchant, scope, START, per_second=None)
        for merchant in ("acme", "other", EVERY_MERCHANT)
        for scope in Scope
    }
    clock = Clock()
    app = create_app(settings, service=service, ledger=ledger, clock=clock, reports=reports)
    return Tenants(Api(app, clock), ledger, keys)
