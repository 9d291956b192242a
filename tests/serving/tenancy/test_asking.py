"""Whether a service asks for keys, and when it refuses to start rather than be open to others."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from api_builders import START, Api, Clock
from features.errors import InputError
from serving.app import create_app
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Auth, Settings
from serving.tenancy.asking import settled_auth
from serving.tenancy.keys import Scope, create_key, revoke_key
from serving.tenancy.merchants import add_merchant


@pytest.fixture
def ledger(settings: Settings, service: Service) -> Iterator[Ledger]:
    with closing(open_ledger(settings, service.rulebook)) as opened:
        yield opened


def make_key(ledger: Ledger) -> str:
    add_merchant(ledger.store, "acme", "", START)
    return create_key(ledger.store, "acme", Scope.READ, START).kept.key_id


@pytest.mark.parametrize(
    ("auth", "host", "keys", "settled"),
    [
        (Auth.AUTO, "127.0.0.1", False, Auth.OFF),
        (Auth.AUTO, "::1", False, Auth.OFF),
        (Auth.AUTO, "127.0.0.1", True, Auth.ON),
        (Auth.AUTO, "0.0.0.0", True, Auth.ON),
        (Auth.AUTO, "0.0.0.0", False, None),
        (Auth.AUTO, "::", False, None),
        (Auth.AUTO, "recoup.internal", False, None),
        (Auth.AUTO, None, False, None),
        (Auth.ON, "127.0.0.1", False, Auth.ON),
        (Auth.ON, "0.0.0.0", False, Auth.ON),
        (Auth.OFF, "localhost", True, Auth.OFF),
        (Auth.OFF, "0.0.0.0", True, None),
        (Auth.OFF, "10.0.0.7", False, None),
    ],
)
def test_nobody_but_this_machine_reaches_a_service_without_keys(
    settings: Settings, ledger: Ledger, auth: Auth, host: str | None, keys: bool, settled: Auth | None
) -> None:
    if keys:
        make_key(ledger)
    asked = replace(settings, auth=auth)
    if settled is None:
        with pytest.raises(InputError, match=r"can be reached by others.*recoup keys create"):
            settled_auth(asked, ledger, host)
    else:
        assert settled_auth(asked, ledger, host) is settled


def test_a_service_whose_last_key_was_revoked_does_not_open_again(settings: Settings, ledger: Ledger) -> None:
    revoke_key(ledger.store, make_key(ledger), START)
    assert settled_auth(settings, ledger, "127.0.0.1") is Auth.ON


def test_a_service_that_asks_for_keys_and_has_no_ledger_answers_nobody(settings: Settings, service: Service) -> None:
    api = Api(create_app(replace(settings, auth=Auth.ON), service=service), Clock())
    assert api.send("GET", "/v1/models").status_code == 401
    key = "recoup_abcdefghijkl_" + "x" * 40
    assert api.with_key(key).send("GET", "/v1/models").status_code == 503
    assert api.send("GET", "/health").status_code == 200
