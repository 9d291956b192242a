"""The ledger as the service opens and reaches it."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from features.errors import InputError, InvalidValueError
from model.caps.rulebook import Rulebook
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.ledger.migrate import migrate, migrations, version_of
from serving.ledger.opening import store_at
from serving.ledger.store import LedgerConflictError
from serving.ledger_access import LedgerAccess, LedgerState, open_ledger
from serving.settings import Settings

RULES = Rulebook.load()
LATEST = migrations("sqlite")[-1].version


def settings_in(folder: Path) -> Settings:
    return Settings(home=folder, database=f"sqlite:///{folder}/deep/ledger.db?synchronous=normal")


@pytest.mark.parametrize("version", range(LATEST))
def test_a_database_of_an_earlier_version_is_brought_to_this_one(tmp_path: Path, version: int) -> None:
    settings = settings_in(tmp_path)
    with closing(store_at(settings.database)) as store:
        migrate(store, up_to=version)
    with closing(open_ledger(settings, RULES)) as ledger:
        assert version_of(ledger.store) == LATEST


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with closing(store_at(settings.database)) as store:
        migrate(store)
        with store.writing() as transaction:
            transaction.put("note_migration", {"version": LATEST + 1, "name": "later", "digest": ""})
    with pytest.raises(InputError, match=f"was made by a later version of Recoup .step {LATEST + 1:04d}"):
        open_ledger(settings, RULES)


def test_what_is_no_address_of_a_database_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected sqlite:///PATH"):
        open_ledger(Settings(database="mysql://somewhere/ledger"), RULES)


def test_a_service_without_a_ledger_has_no_state_of_one() -> None:
    assert asyncio.run(LedgerAccess(None, RULES).state()) is None


def test_the_state_is_that_of_the_database(tmp_path: Path) -> None:
    with closing(LedgerAccess(open_ledger(settings_in(tmp_path), RULES), RULES)) as access:
        assert asyncio.run(access.state()) == LedgerState("sqlite", LATEST, current=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InputError("the ledger /srv/ledger.db cannot be used: disk full"), Kind.LEDGER_UNAVAILABLE),
        (LedgerConflictError("the ledger refuses this: a hold ends after it began"), Kind.CONFLICT),
        (InvalidValueError("source_event_id", "e1", "an id of its own"), Kind.CONFLICT),
        (InvalidValueError("reservation_id", "rsv_1", "the id of a reservation"), Kind.UNKNOWN_ID),
        (InvalidValueError("currency", "EURO", "an ISO 4217 code"), Kind.INVALID_REQUEST),
    ],
)
def test_what_the_ledger_refuses_becomes_a_problem(tmp_path: Path, error: Exception, kind: Kind) -> None:
    def work(_: Ledger) -> None:
        raise error

    ledger = open_ledger(settings_in(tmp_path), RULES)
    with closing(LedgerAccess(ledger, RULES)) as access, pytest.raises(RequestError) as refused:
        asyncio.run(access.ask(work))
    assert refused.value.kind is kind
    assert "/srv" not in str(refused.value)
