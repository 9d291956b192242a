"""A service that asks for keys."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings
from tenants import Tenants, tenants_of


@pytest.fixture
def tenants(settings: Settings, service: Service) -> Iterator[Tenants]:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield tenants_of(settings, service, ledger)
