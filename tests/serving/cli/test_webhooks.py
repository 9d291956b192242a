"""The queue of webhooks as an operator sees it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import InvalidValueError, RecoupError
from serving.cli import app
from serving.ledger.ledger import Ledger
from serving.webhooks.endpoints import Endpoint
from serving.webhooks.receiving import receive
from webhook_builders import payload

RUNNER = CliRunner()
LONG_AGO = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with one delivery that failed, one that was applied, and one that holds nothing to count."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    monkeypatch.setenv("RECOUP_DATABASE_URL", url)
    with closing(Ledger.opened(url)) as ledger:
        for source, body in (
            ("stripe", payload("stripe/charge_failed.json")),
            (
                "stripe",
                payload("stripe/customer_updated.json").replace(b'"balance": 0', b'"balance": "4242 4242 4242 4242"'),
            ),
            ("recurly", payload("recurly/failed_payment_notification.xml")),
        ):
            receive(ledger, Endpoint(source, "acme", ()), "", body, LONG_AGO)
    return url


def run(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["webhooks", *arguments])
    if isinstance(result.exception, RecoupError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("database")
def test_what_failed_is_listed_with_its_reason_and_shown_as_it_came() -> None:
    (line,) = run("list").splitlines()
    digest, _, _, merchant, source, kind, *_ = line.split()
    assert (merchant, source, kind) == ("acme", "recurly", "failed_payment_notification")
    assert "settings of this source" in line
    assert run("show", digest).encode().strip() == payload("recurly/failed_payment_notification.xml").strip()
    assert run("list", "--state", "waiting") == "No delivery is waiting.\n"


@pytest.mark.usefixtures("database")
def test_deliveries_are_counted_by_kind_and_state_and_marked_ones_are_told() -> None:
    shown = run("status")
    assert "acme  stripe  charge.failed  applied: 1\n" in shown
    assert "acme  recurly  failed_payment_notification  failed: 1\n" in shown
    assert "customer.updated  ignored: 1, 1 with a card number taken out" in shown


@pytest.mark.usefixtures("database")
def test_what_failed_is_read_again_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("retry") == "1 failed; 0 new events\n"
    path = tmp_path / "webhooks.toml"
    path.write_text(
        '[[endpoint]]\nsource = "recurly"\nmerchant_id = "acme"\nsecrets = [{ env = "KEY" }]\ncurrency = "USD"\n'
    )
    monkeypatch.setenv("RECOUP_WEBHOOKS", str(path))
    digest = run("list").split()[0]
    assert run("retry", digest) == "1 applied; 1 new events\n"
    assert run("retry", digest) == "1 applied; 0 new events\n"
    assert run("retry") == "nothing to read; 0 new events\n"


@pytest.mark.usefixtures("database")
def test_what_nobody_can_mean_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="stored, applied, ignored, waiting, failed"):
        run("list", "--state", "lost")
    for digest in ("zz", "0000", ""):
        with pytest.raises(InvalidValueError, match="recoup webhooks list"):
            run("show", digest)


def test_an_empty_ledger_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path))
    monkeypatch.delenv("RECOUP_DATABASE_URL", raising=False)
    Ledger.opened(f"sqlite:///{tmp_path}/ledger.db").close()
    assert run("status") == "No webhook was delivered yet.\n"
