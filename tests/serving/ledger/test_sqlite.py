"""What SQLite's file asks of who writes and who reads at once."""

import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from features.errors import InputError
from serving.ledger.sqlite import _READERS, SqliteStore

PATIENCE_SECONDS = 60.0
MANY = 12


class Watched(SqliteStore):
    """Counts what it opens."""

    def __init__(self, path: Path) -> None:
        self.connections = self.places = 0
        super().__init__(path, "normal")

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        self.connections += 1
        return super()._connect(cache_kib)

    def _line_up(self) -> int:
        place = super()._line_up()
        self.places += 1
        return place


def test_who_waits_to_write_keeps_nobody_from_reading(tmp_path: Path) -> None:
    """One writes for long and a dozen wait for their turn: none of them holds what a reader needs."""
    with closing(Watched(tmp_path / "ledger.db")) as store:
        with store.writing() as transaction:
            transaction.script("CREATE TABLE told (number INTEGER);\n")

        def write() -> None:
            with store.writing() as transaction:
                transaction.script("INSERT INTO told VALUES (1);\n")

        def read() -> None:
            with store.reading() as transaction:
                transaction.script("SELECT number FROM told;\n")

        writers = [threading.Thread(target=write, daemon=True) for _ in range(MANY)]
        with store.writing() as transaction:
            transaction.script("INSERT INTO told VALUES (0);\n")
            for thread in writers:
                thread.start()
            until = time.monotonic() + PATIENCE_SECONDS
            while store.places <= MANY:
                assert time.monotonic() < until
                time.sleep(0.01)
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            reader.join(PATIENCE_SECONDS)
            assert not reader.is_alive()
        for thread in writers:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        assert store.connections == 2
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
            assert other.execute("SELECT count(*), sum(number) FROM told").fetchone() == (MANY + 1, MANY)


def test_those_who_read_keep_nobody_from_writing(tmp_path: Path) -> None:
    """As many as can read at once do, and one of them writes meanwhile."""
    with closing(Watched(tmp_path / "ledger.db")) as store:
        with store.writing() as transaction:
            transaction.script("CREATE TABLE told (number INTEGER);\n")

        def write() -> None:
            with store.writing() as transaction:
                transaction.script("INSERT INTO told VALUES (1);\n")

        with ExitStack() as reading:
            for _ in range(_READERS):
                reading.enter_context(store.reading())
            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            writer.join(PATIENCE_SECONDS)
            assert not writer.is_alive()
        assert store.connections == _READERS + 1


def test_an_error_lets_the_next_one_write(tmp_path: Path) -> None:
    with closing(Watched(tmp_path / "ledger.db")) as store:
        for _ in range(40):  # more than there are places in the queue
            with (
                pytest.raises(InputError, match="cannot be used: no such table: absent"),
                store.writing() as transaction,
            ):
                transaction.script("INSERT INTO absent VALUES (1);\n")
            with pytest.raises(ZeroDivisionError), store.writing():
                1 / 0  # noqa: B018
        with store.writing() as transaction:
            transaction.script("CREATE TABLE told (number INTEGER);\n")


def test_a_new_file_has_small_pages_and_one_that_is_there_keeps_its_own(tmp_path: Path) -> None:
    """A commit writes whole pages."""
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute("CREATE TABLE told (number INTEGER)")
        old.commit()
    for name, size in (("old", 4096), ("new", 2048)):
        with closing(SqliteStore(tmp_path / f"{name}.db")) as store, store.writing() as transaction:
            transaction.script("CREATE TABLE more (number INTEGER);\n")
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as found:
            assert found.execute("PRAGMA page_size").fetchone() == (size,)
            assert found.execute("PRAGMA journal_mode").fetchone() == ("wal",)
