"""What docs/webhooks.md shows can be used as it stands, and names every source and everything that they tell."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from features.sources.provider import Surroundings
from features.sources.providers import PROVIDERS
from serving.ledger.ledger import Ledger
from serving.webhooks.deliveries import State
from serving.webhooks.endpoints import Endpoint, endpoints_in
from serving.webhooks.receiving import receive
from serving.webhooks.signatures import GENERIC, SOURCES
from webhook_builders import NOW, names, payload, signed

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")


def test_the_file_of_senders_can_be_used(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "webhooks.toml"
    path.write_text(block)
    (tmp_path / "stripe-old.secret").write_text("old")
    environment = {"STRIPE_WEBHOOK_SECRET": "whsec_x", "RECURLY_WEBHOOK_SECRET": "user:password"}
    assert [(one.source, len(one.secrets)) for one in endpoints_in(path, environment).all] == [
        ("stripe", 2),
        ("recurly", 1),
    ]


def test_every_source_stands_in_every_table() -> None:
    for source in SOURCES:
        assert PAGE.count(f"| `{source}` |") >= (1 if source == GENERIC else 3), source


@pytest.mark.parametrize("source", PROVIDERS)
def test_every_recorded_event_that_tells_something_is_named(source: str) -> None:
    provider = PROVIDERS[source]
    for name in names(source):
        document = provider.document(signed(source, payload(name)).body)
        for notice in (provider.read(event, Surroundings(NOW, "USD")) for event in provider.events(document)):
            last = notice.kind.rpartition(".")[2]
            assert not notice.statements or f"`{notice.kind}`" in PAGE or f"`.{last}`" in PAGE, notice.kind


def test_the_generic_example_is_one_that_the_ledger_takes(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    with closing(Ledger.opened(f"sqlite:///{tmp_path}/ledger.db?synchronous=normal")) as ledger:
        done = receive(ledger, Endpoint(GENERIC, "acme", ()), "", example.encode(), NOW)
    assert (done.reading.state, done.reading.events) == (State.APPLIED, 1)
