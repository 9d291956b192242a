"""The queue of events as an operator sees it, and events sent again by hand."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cap_builders import NOW, a_payment
from event_builders import OUTBOX
from features.errors import InputError, InvalidValueError, RecoupError
from serving.cli import app
from serving.events_out import queue
from serving.events_out.queue import Receiver
from serving.ledger.ledger import Ledger
from serving.ledger.recoveries import Stopped

RUNNER = CliRunner()
BILLING = Receiver("acme", "billing")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with one event that was given up and one that was delivered."""
    made = f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    monkeypatch.setenv("RECOUP_DATABASE_URL", made)
    with closing(Ledger.opened(made, outbox=OUTBOX)) as ledger:
        stop = Stopped("not_worth_it", True, payer_could=("pay this invoice themselves through a payment link",))
        ledger.tell_stop(a_payment("inv_1"), stop, NOW)
        for one in queue.claimed(ledger.store, NOW, {BILLING: 9}):
            if one.type == "recovery.exhausted":
                queue.refused(ledger.store, one, "answered 410", NOW, None)
            else:
                queue.accepted(ledger.store, one, NOW)
    return made


def run(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["events", *arguments])
    if isinstance(result.exception, RecoupError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("url")
def test_what_was_given_up_is_listed_with_its_reason_and_shown_as_it_is_sent() -> None:
    (line,) = run("list", "--state", "failed").splitlines()
    assert line.endswith("acme  billing  recovery.exhausted  inv_1/1  1 tries  answered 410")
    assert json.loads(run("show", line.split()[0][:12]))["data"]["reason"] == "not_worth_it"
    assert run("list") == "No event is waiting.\n"


@pytest.mark.usefixtures("url")
def test_events_are_counted_by_type_and_state() -> None:
    assert run("status").splitlines() == [
        "acme  billing  recovery.action_needed  delivered: 1, the first of 2026-11-23 10:15:00",
        "acme  billing  recovery.exhausted  failed: 1, the first of 2026-11-23 10:15:00",
    ]


def test_events_are_sent_again_by_hand_whatever_became_of_them(url: str) -> None:
    assert run("replay", "--failed") == "1 to be sent again\n"
    assert run("replay", "--failed") == "0 to be sent again\n"
    delivered = run("list", "--state", "delivered").split()[0]
    assert run("replay", delivered) == "1 to be sent again\n"
    with closing(Ledger.opened(url)) as ledger:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        assert {one.event_id for one in queue.claimed(ledger.store, soon, {BILLING: 9})} >= {delivered}


@pytest.mark.usefixtures("url")
def test_what_nobody_can_mean_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="waiting, delivered, failed"):
        run("list", "--state", "lost")
    for event in ("zz", "evt_", "evt_0000"):
        with pytest.raises(InvalidValueError, match="recoup events list"):
            run("show", event)
    for arguments in ((), ("evt_0000", "--failed")):
        with pytest.raises(InputError, match="say which"):
            run("replay", *arguments)


def test_an_empty_ledger_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path))
    monkeypatch.delenv("RECOUP_DATABASE_URL", raising=False)
    Ledger.opened(f"sqlite:///{tmp_path}/ledger.db").close()
    assert run("status") == "No event was written yet.\n"
