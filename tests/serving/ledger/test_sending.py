"""What is to be sent is taken receiver by receiver, the longest due first, once, on both databases."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest

from cap_builders import NOW
from features.instants import to_micros
from serving.events_out import queue
from serving.events_out.queue import LEASE, Receiver, State
from serving.ledger.ledger import Ledger
from serving.ledger.outbox import EventType, Outbox, Written, put_event
from serving.ledger.store import statements

SECOND = timedelta(seconds=1)
BUSY, QUIET = Receiver("acme", "billing"), Receiver("beta", "billing")
OUTBOX = Outbox({"acme": ("billing",), "beta": ("billing",), "gamma": ("crm",)})


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with closing(Ledger.opened(url, outbox=OUTBOX)) as made:
        yield made


def written(ledger: Ledger, merchant: str, number: int, seconds: int = 0) -> None:
    """So many events, a second after each other."""
    with ledger.store.writing() as transaction:
        for i in range(number):
            now = to_micros(NOW + (seconds + i) * SECOND)
            about = Written(merchant, f"pay {seconds + i}", 1)
            put_event(transaction, OUTBOX, about, EventType.EXHAUSTED, "", {"number": seconds + i}, now)


def test_whoever_has_something_due_is_found_once(ledger: Ledger) -> None:
    assert queue.receivers_due(ledger.store, NOW) == []
    written(ledger, "acme", 20)
    written(ledger, "beta", 1)
    written(ledger, "gamma", 1, seconds=60)
    assert sorted(queue.receivers_due(ledger.store, NOW + 30 * SECOND)) == [BUSY, QUIET]
    taken = queue.claimed(ledger.store, NOW + 30 * SECOND, {QUIET: 4})
    assert queue.receivers_due(ledger.store, NOW + 30 * SECOND) == [BUSY]
    queue.accepted(ledger.store, taken[0], NOW)
    assert Receiver("beta", "billing") not in queue.receivers_due(ledger.store, NOW + LEASE + 30 * SECOND)


def test_each_is_taken_its_share_of_what_is_longest_due(ledger: Ledger) -> None:
    written(ledger, "acme", 20)
    written(ledger, "beta", 3, seconds=10)
    taken = queue.claimed(ledger.store, NOW + 60 * SECOND, {QUIET: 4, BUSY: 2})
    assert Counter(one.receiver for one in taken) == {BUSY: 2, QUIET: 3}
    assert [one.body for one in taken if one.receiver == BUSY] == [
        queue.found(ledger.store, one.event_id).body for one in sorted_events(ledger, "acme")[:2]
    ]


def sorted_events(ledger: Ledger, merchant: str) -> list[queue.Listed]:
    listed = [one for one in queue.listed(ledger.store, State.WAITING, 100) if one.merchant_id == merchant]
    return sorted(listed, key=lambda one: one.created_at)


def test_what_is_not_accepted_in_its_lease_is_taken_again(ledger: Ledger) -> None:
    written(ledger, "beta", 1)
    (first,) = queue.claimed(ledger.store, NOW, {QUIET: 4})
    assert queue.claimed(ledger.store, NOW + LEASE - SECOND, {QUIET: 4}) == []
    (again,) = queue.claimed(ledger.store, NOW + LEASE, {QUIET: 4})
    assert (again.event_id, again.tries) == (first.event_id, 2)


def test_workers_that_come_at_the_same_moment_take_each_event_once(ledger: Ledger) -> None:
    written(ledger, "acme", 60)
    written(ledger, "beta", 60)
    now = NOW + 60 * SECOND

    def work(number: int) -> list[str]:
        order = [BUSY, QUIET] if number % 2 else [QUIET, BUSY]
        taken: list[str] = []
        while queue.receivers_due(ledger.store, now):
            taken += [one.event_id for one in queue.claimed(ledger.store, now, dict.fromkeys(order, 3))]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [event_id for part in pool.map(work, range(4)) for event_id in part]
    assert len(taken) == len(set(taken)) == 120


VALUES = {"now": 1, "until": 1, "most": 4, "claim": "x", "merchant_id": "acme", "target": "billing"}
NAMES = ("receivers_due", "claim_sendings", "claimed_sendings")


@pytest.mark.parametrize("name", NAMES)
def test_on_sqlite_none_looks_through_all_that_waits(name: str, new_url: Callable[[str], str]) -> None:
    url = new_url("sqlite")
    Ledger.opened(url).close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0])) as database:
        steps = [row[-1] for row in database.execute(f"EXPLAIN QUERY PLAN {statements('sqlite')[name]}", VALUES)]
    of_sendings = [step for step in steps if " s" in step and " USING" in step]
    assert of_sendings
    for step in of_sendings:
        first_of_all = "SCAN s USING COVERING INDEX sending_due"
        assert step.startswith(("SEARCH", first_of_all)), steps


@pytest.mark.parametrize("name", NAMES)
def test_on_postgresql_none_looks_through_all_that_waits(name: str, new_url: Callable[[str], str]) -> None:
    url = new_url("postgres")
    Ledger.opened(url).close()
    text = re.sub(r"(?<![:\w]):(\w+)", lambda match: repr(VALUES[match[1]]), statements("postgres")[name])
    with psycopg.connect(url) as server:
        server.execute(b"SET enable_seqscan = off")
        plan = "\n".join(line for (line,) in server.execute(f"EXPLAIN {text}".encode()))
    assert "sending_due" in plan
    assert "Seq Scan" not in plan
