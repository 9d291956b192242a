"""Small writes by many at once."""

import fcntl
import os
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from serving.ledger.group import GroupWriter
from serving.ledger.migrate import migrate
from serving.ledger.sqlite import SqliteStore
from serving.ledger.store import LedgerTimeoutError, Question

PATIENCE_S = 0.2
LONG_S = 60.0


def version(number: int) -> Question:
    return "insert_version", {"kind": "rulebook", "version": str(number), "content": "{}"}


def test_who_waits_too_long_for_those_who_write_is_told_so_and_nothing_of_it_is_written_later(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "ledger.db", "normal", PATIENCE_S)) as store:
        migrate(store)
        together, ends = GroupWriter(store), list[str]()

        def write_first() -> None:
            try:
                together.write(version(1))
            except LedgerTimeoutError:
                ends.append("too late")

        place = os.open(tmp_path / "ledger.db-queue", os.O_WRONLY)
        fcntl.flock(place, fcntl.LOCK_EX)
        first = Thread(target=write_first, daemon=True)
        first.start()
        while not together._writing.locked():
            pass
        with pytest.raises(LedgerTimeoutError):
            together.write(version(2))
        os.close(place)
        first.join(LONG_S)
        together.write(version(3))
        with store.reading() as transaction:
            found = [transaction.ask(("version_content", version(number)[1]))[0] for number in (1, 2, 3)]
        assert found == [[] if ends else [("{}",)], [], [("{}",)]]  # whether the first gave up hangs on the instant
