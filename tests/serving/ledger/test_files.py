"""A SQLite ledger is its owner's alone, when root looks in too, and where it cannot be written it says whose it is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError
from model.caps.rulebook import Rulebook
from serving.ledger.sqlite import SqliteStore
from serving.ledger_access import open_ledger
from serving.settings import Settings

NOBODY = 65534
ROOT = os.geteuid() == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user reaches and may write to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """While the block runs this process is no longer root's; it was nobody in particular otherwise."""
    if ROOT:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if ROOT:
            os.seteuid(0)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_file_of_a_new_ledger_and_its_folder_are_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "ledger.db"
    before = os.umask(0o022)
    try:
        with closing(SqliteStore(path)) as store, store.writing() as transaction:
            transaction.script("CREATE TABLE told (number INTEGER);\n")
            files = sorted(path.parent.iterdir())
            assert [file.name for file in files] == ["ledger.db", "ledger.db-queue", "ledger.db-shm", "ledger.db-wal"]
            assert {mode(file) for file in files} == {0o600}
    finally:
        os.umask(before)
    assert mode(path.parent) == 0o700


def test_what_an_operator_lets_others_read_stays_as_it_is(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "ledger.db").close()
    (tmp_path / "ledger.db").chmod(0o640)
    tmp_path.chmod(0o750)
    SqliteStore(tmp_path / "ledger.db").close()
    assert (mode(tmp_path / "ledger.db"), mode(tmp_path)) == (0o640, 0o750)


def test_a_ledger_that_can_only_be_read_is_refused_at_start_with_whose_it_is(
    open_folder: Path, settings: Settings
) -> None:
    path = open_folder / "ledger.db"
    SqliteStore(path).close()
    path.chmod(0o444)
    (open_folder / "ledger.db-queue").chmod(0o666)
    with as_somebody_else(), pytest.raises(InputError, match=rf"{path} belongs to \w+ \(mode 0444\), and this is \w+"):
        open_ledger(replace(settings, database=f"sqlite:///{path}"), Rulebook.load())


def test_a_file_beside_the_ledger_that_is_somebody_elses_is_named(open_folder: Path, settings: Settings) -> None:
    path = open_folder / "ledger.db"
    SqliteStore(path).close()
    path.chmod(0o666)
    (open_folder / "ledger.db-queue").chmod(0o400)
    with as_somebody_else(), pytest.raises(InputError, match=r"ledger\.db-queue belongs to"):
        open_ledger(replace(settings, database=f"sqlite:///{path}"), Rulebook.load())


@pytest.mark.skipif(not ROOT, reason="only root makes files that the service cannot write")
def test_root_at_the_command_line_leaves_no_file_that_the_service_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    SqliteStore(path).close()
    (tmp_path / "ledger.db-queue").unlink()
    os.chown(path, NOBODY, NOBODY)
    with closing(SqliteStore(path)) as store, store.writing() as transaction:
        transaction.script("CREATE TABLE told (number INTEGER);\n")
        assert {file.stat().st_uid for file in tmp_path.iterdir()} == {NOBODY}
