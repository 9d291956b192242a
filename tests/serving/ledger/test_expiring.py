"""Ending the holds whose time is over reads the holds there are, not the reservations there ever were."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg

from serving.ledger.ledger import Ledger
from serving.ledger.store import statements

INDEX = "one_hold_a_payment"


def test_on_sqlite_the_index_of_holds_is_read(new_url: Callable[[str], str]) -> None:
    url = new_url("sqlite")
    Ledger.opened(url).close()
    path = url.removeprefix("sqlite:///").partition("?")[0]
    with closing(sqlite3.connect(path)) as database:
        (step,) = database.execute(f"EXPLAIN QUERY PLAN {statements('sqlite')['expire_reservations']}", {"now": 1})
    assert step[-1] == f"SCAN reservation USING INDEX {INDEX}"


def test_on_postgresql_the_index_of_holds_can_be_read(new_url: Callable[[str], str]) -> None:
    url = new_url("postgres")
    Ledger.opened(url).close()
    text = statements("postgres")["expire_reservations"].replace(":now", "1")
    with psycopg.connect(url) as server:
        server.execute(b"SET enable_seqscan = off")
        plan = "\n".join(line for (line,) in server.execute(f"EXPLAIN {text}".encode()))
    assert INDEX in plan
    assert "Seq Scan" not in plan
