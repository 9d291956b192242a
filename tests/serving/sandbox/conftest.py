"""A service with sandboxes."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from sandbox_builders import Sandboxed, sandboxed
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings


@pytest.fixture
def service_with_sandboxes(settings: Settings, service: Service) -> Iterator[Sandboxed]:
    with (
        closing(open_ledger(settings, service.rulebook)) as ledger,
        closing(sandboxed(settings, service, ledger)) as made,
    ):
        yield made
