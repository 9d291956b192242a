"""A real PostgreSQL, started once, and a fresh database of each kind for every test."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from postgres_servers import server_of_its_own
from serving.ledger.ledger import Ledger

_NUMBERS = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running server; the suite fails where none can be started."""
    with server_of_its_own() as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Clients are killed in these tests, the server never is: what is committed need not reach the disk, nor
            # need what most tests have done with be looked through every minute.
            for setting in (b"fsync", b"full_page_writes", b"synchronous_commit", b"autovacuum"):
                connection.execute(b"ALTER SYSTEM SET " + setting + b" = off")
            connection.execute(b"SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes an empty place for a ledger in a database of a kind and gives its address."""

    def make(kind: str) -> str:
        name = f"ledger{next(_NUMBERS)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.db?synchronous=normal"
        uri: str = request.getfixturevalue("postgres")
        with psycopg.connect(uri, autocommit=True) as connection:
            # As empty as a new database, which takes hundreds of times as long to make.
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{uri}&options=-csearch_path%3D{name}"

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    """An empty database, of each kind in turn."""
    return new_url(str(request.param))


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """A fresh ledger with the shipped rules."""
    made = Ledger.opened(url)
    yield made
    made.close()
