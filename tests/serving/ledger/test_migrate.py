"""From every earlier version the database comes to this one with all it held, and only ever forward."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cap_builders import NOW, an_attempt
from features.errors import InputError
from features.instants import to_micros
from ledger_builders import MERCHANT, a_proposal, facts_about, inserted
from serving.ledger.events import Source, reported
from serving.ledger.ledger import Ledger
from serving.ledger.migrate import Migration, migrate, migrations, require_current, version_of
from serving.ledger.opening import store_at
from serving.ledger.recording import attempt_row, row_of
from serving.ledger.reservations import Reservation, State, values_of
from serving.ledger.store import Row, Store

VERSIONS = [step.version for step in migrations("sqlite")]
LATEST = VERSIONS[-1]


def fill(store: Store, version: int) -> None:
    """What a ledger of that version may hold: an attempt from the first on, a reservation from the second on."""
    facts = facts_about(an_attempt(5))
    event = reported(MERCHANT, Source.WEBHOOK, "e1", facts)
    with store.writing() as transaction:
        transaction.put("insert_event", row_of(event, to_micros(NOW)))
        transaction.script(inserted(attempt_row(MERCHANT, facts), version))
        if version >= 2:
            expires_at = NOW.replace(hour=23)
            held = Reservation("r1", a_proposal("other"), NOW, NOW, expires_at, State.HELD, "book")
            transaction.put("insert_reservation", values_of(held))


@pytest.mark.parametrize("version", VERSIONS)
def test_from_every_earlier_version_nothing_is_lost(url: str, version: int) -> None:
    store = store_at(url)
    assert [step.version for step in migrate(store, up_to=version)] == [one for one in VERSIONS if one <= version]
    fill(store, version)
    if version < LATEST:
        with pytest.raises(InputError, match="run recoup ledger migrate"):
            require_current(store)
    assert [step.version for step in migrate(store)] == [one for one in VERSIONS if one > version]
    store.close()
    ledger = Ledger.opened(url)
    assert an_attempt(5).attempt_id in {event.attempt_id for event in ledger.tally(a_proposal("new"), NOW).events}
    if version >= 2:
        assert ledger.release(MERCHANT, "r1", NOW).state is State.RELEASED
    ledger.close()


def test_the_copied_table_of_reservations_has_the_indexes_and_triggers_of_the_one_before(
    new_url: Callable[[str], str],
) -> None:
    before, after = ({str(row) for row in _about_reservations(new_url("sqlite"), version)} for version in (19, LATEST))
    assert before == after
    assert len(before) == 6  # indexes and triggers


def _about_reservations(url: str, version: int) -> list[Row]:
    """Name, kind and text of every index and trigger that steps have made on the table, as SQLite keeps it."""
    store = store_at(url)
    migrate(store, up_to=version)
    store.close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0])) as database:
        found = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'reservation' AND type <> 'table'"
        return database.execute(f"{found} AND sql IS NOT NULL").fetchall()


def test_an_empty_database_is_made_and_migrating_again_does_nothing(url: str) -> None:
    store = store_at(url)
    assert version_of(store) == 0
    require_current(store)
    assert version_of(store) == LATEST
    assert migrate(store) == ()
    store.close()


def test_both_databases_have_the_same_steps() -> None:
    numbers = [[(step.version, step.name) for step in migrations(dialect)] for dialect in ("sqlite", "postgres")]
    assert numbers[0] == numbers[1]
    assert [version for version, _ in numbers[0]] == sorted(set(VERSIONS))


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    store = store_at(url)
    migrate(store)
    with store.writing() as transaction:
        later = Migration(LATEST + 1, "later", "")
        transaction.put("note_migration", {"version": later.version, "name": later.name, "digest": later.digest})
    for call in (migrate, require_current):
        with pytest.raises(InputError, match="later version of Recoup"):
            call(store)
    store.close()


def test_a_step_that_was_changed_after_it_was_applied_is_noticed(url: str) -> None:
    store = store_at(url)
    migrate(store)
    with store.writing() as transaction:
        transaction.script("UPDATE migration SET digest = 'other' WHERE version = 2;")
    with pytest.raises(InputError, match="step 0002 is not the one that this version ships"):
        require_current(store)
    store.close()


def test_a_step_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.ledger import migrate as module

    broken = (*migrations("sqlite")[:2], Migration(3, "broken", "CREATE TABLE half (x BIGINT);\nSELECT nonsense;\n"))
    monkeypatch.setattr(module, "migrations", lambda _: broken)
    store = store_at(url)
    with pytest.raises(InputError, match="nonsense"):
        migrate(store)
    assert version_of(store) == 0
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, new_url: Callable[[str], str]) -> None:
    (tmp_path / "notes.db").write_text("these are notes, and a good many of them, more than a header is long " * 20)
    with pytest.raises(InputError, match="not a database"):
        Ledger.opened(f"sqlite:///{tmp_path}/notes.db")
