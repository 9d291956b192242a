"""A service to which every provider may deliver."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api_builders import Api, Clock
from serving.app import create_app
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.service import Service, prior_service
from serving.settings import Settings
from webhook_builders import KEYS, NOW, SECRETS, Hooks, webhook_settings


@pytest.fixture(scope="session")
def service() -> Service:
    return prior_service()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for source, key in KEYS.items():
        monkeypatch.setenv(key, SECRETS[source])
    database = f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    return Settings(home=tmp_path, database=database, log_format="json", webhooks=webhook_settings(tmp_path))


@pytest.fixture
def ledger(settings: Settings, service: Service) -> Iterator[Ledger]:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield ledger


@pytest.fixture
def hooks(settings: Settings, service: Service, ledger: Ledger) -> Hooks:
    clock = Clock(NOW)
    return Hooks(Api(create_app(settings, service=service, ledger=ledger, clock=clock), clock), ledger)
