"""A small valid request to bend, and a clock that stands still."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from api_builders import Api, Clock
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.service import Service, prior_service
from serving.settings import Settings
from small_models import write_small

# A JSON document that tests take apart; its shape is the point of the tests.
Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """A request with one declined attempt on one of two methods."""
    return {
        "as_of": "2026-11-23T10:15:00Z",
        "payment": {
            "payment_id": "inv_1",
            "merchant_id": "acme",
            "customer_id": "cus_1",
            "amount_minor": 2799,
            "currency": "EUR",
            "due_at": "2026-11-23T09:00:00Z",
        },
        "methods": [
            {
                "method_id": "pm_1",
                "rail": "card",
                "network": "visa",
                "issuer": {"country": "DE", "time_zone": "Europe/Berlin"},
                "processors": ["northgate"],
            },
            {"method_id": "pm_2", "rail": "card", "network": "mastercard", "processors": ["stripe"]},
        ],
        "attempts": [
            {
                "attempt_id": "att_1",
                "method_id": "pm_1",
                "processor": "northgate",
                "attempted_at": "2026-11-23T09:00:00Z",
                "outcome": "declined",
                "code": "51",
            }
        ],
    }


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Always the same instant."""
    return lambda: datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.fixture
def body(document: Document) -> bytes:
    """The small request as it is sent."""
    return orjson.dumps(document)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model of a random history."""
    return write_small(tmp_path_factory.mktemp("model") / "artifact")


@pytest.fixture(scope="session")
def other_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one of the same history."""
    return write_small(tmp_path_factory.mktemp("model") / "other", seeds=(4, 5, 6))


@pytest.fixture(scope="session")
def service() -> Service:
    """The prior, the shipped rules and figures."""
    return prior_service()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home and a ledger of the test's own."""
    return Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/ledger.db?synchronous=normal", log_format="json")


@pytest.fixture
def api(settings: Settings, service: Service) -> Iterator[Api]:
    """The service with a ledger in SQLite and a clock that tests set."""
    clock = Clock()
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield Api(create_app(settings, service=service, ledger=ledger, clock=clock), clock)


@pytest.fixture
def failed(document: Document) -> Document:
    """One declined attempt on a Visa card, asked about now."""
    del document["as_of"]
    document["methods"] = document["methods"][:1]
    return document
