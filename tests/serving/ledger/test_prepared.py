"""What is asked past the driver's cursors is answered, refused and lost as through them."""

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import Connection

from cap_builders import NOW
from features.errors import InputError
from ledger_builders import a_proposal
from serving.ledger.ledger import Ledger
from serving.ledger.prepared import Prepared
from serving.ledger.reservations import Reservation
from serving.ledger.store import Numbered, Row

SAME = Numbered.of("SELECT 1 WHERE CAST(:told AS TEXT) = CAST(:kept AS TEXT) AND CAST(:number AS BIGINT) > 0", "$")
ENDED = b"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "


@pytest.fixture
def server(new_url: Callable[[str], str]) -> Iterator[Connection[Row]]:
    """A connection to an empty database."""
    with psycopg.connect(new_url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("told", "kept", "number"),
    [
        ("a", "a", 1),
        ("a", "b", 1),
        ("a", "a", 0),
        ("ü\n'$1", "ü\n'$1", 1 << 62),
        ("", "", 1),
        (None, "a", 1),
        ("", None, 5),
    ],
)
def test_it_finds_what_a_cursor_finds(server: Connection[Row], told: str | None, kept: str | None, number: int) -> None:
    values = {"told": told, "kept": kept, "number": number}
    by_cursor = server.execute(
        "SELECT 1 WHERE %(told)s::text = %(kept)s::text AND %(number)s::bigint > 0", values
    ).fetchall()
    prepared = Prepared(server)
    assert [prepared.found("same", SAME, values) for _ in range(2)] == [bool(by_cursor)] * 2


def test_a_zero_byte_is_refused_and_cuts_nothing_off(server: Connection[Row]) -> None:
    with pytest.raises(psycopg.DataError, match="0x00"):
        Prepared(server).found("same", SAME, {"told": "a\0b", "kept": "a", "number": 1})


def test_what_the_server_says_against_it_is_raised_as_ever(server: Connection[Row]) -> None:
    divided = Numbered.of("SELECT 1 / CAST(:number AS BIGINT)", "$")
    prepared = Prepared(server)
    with pytest.raises(psycopg.errors.DivisionByZero):
        prepared.found("divided", divided, {"number": 0})
    assert prepared.found("divided", divided, {"number": 1})
    with pytest.raises(psycopg.errors.UndefinedTable):
        prepared.found("nothing", Numbered.of("SELECT 1 FROM nothing", "$"), {})


def test_a_lost_connection_is_told_and_replaced(new_url: Callable[[str], str]) -> None:
    url = new_url("postgres")
    with closing(Ledger.opened(url)) as ledger, psycopg.connect(url, autocommit=True) as other:
        assert isinstance(ledger.reserve(a_proposal("first"), NOW, NOW), Reservation)
        other.execute(ENDED + b"pg_backend_pid()")
        with pytest.raises(InputError, match="cannot be used"):
            ledger.reserve(a_proposal("second"), NOW, NOW)
        assert isinstance(ledger.reserve(a_proposal("second"), NOW, NOW), Reservation)


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_text_arrives_in_whatever_the_connection_speaks(new_url: Callable[[str], str], encoding: str) -> None:
    written = Numbered.of("SELECT 1 WHERE CAST(:told AS TEXT) = chr(252)", "$")
    with psycopg.connect(new_url("postgres"), autocommit=True, client_encoding=encoding) as connection:
        prepared = Prepared(connection)
        assert prepared.found("written", written, {"told": "ü"})
        assert not prepared.found("written", written, {"told": "u"})
