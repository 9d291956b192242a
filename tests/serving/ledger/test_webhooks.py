"""Deliveries are kept in the ledger's database, on both of them, and never changed."""

from contextlib import closing

import pytest

from features.instants import to_micros
from serving.ledger.ledger import Ledger
from serving.ledger.store import LedgerConflictError
from serving.webhooks import deliveries
from serving.webhooks.deliveries import Reading, State
from webhook_builders import NOW, stream, told_in_order

MICROS = to_micros(NOW)


def test_a_shuffled_and_repeated_stream_counts_as_the_clean_one(url: str, new_url: object) -> None:
    assert callable(new_url)
    posts = stream()
    clean = told_in_order(url, posts)
    kind = url.split(":", maxsplit=1)[0].replace("postgresql", "postgres")
    shuffled = [*reversed(posts), *posts[3:9], *posts[::2]]
    assert told_in_order(new_url(kind), shuffled) == clean


@pytest.mark.parametrize("body", [b"", b"{}", "caf\xe9 \u20ac".encode(), b"\xff\xfe\x00", b'{"a": "\x00"}'])
def test_any_body_is_kept_byte_for_byte(ledger: Ledger, body: bytes) -> None:
    given = deliveries.delivery_of("acme", "stripe", "text/plain", body, MICROS)
    assert deliveries.keep(ledger.store, given)
    assert not deliveries.keep(ledger.store, given)
    assert deliveries.found(ledger.store, given.digest[:12]) == given
    assert deliveries.standing_of(ledger.store, given) == Reading(State.STORED)


def test_what_was_delivered_is_never_changed_or_removed(ledger: Ledger) -> None:
    given = deliveries.delivery_of("acme", "stripe", "", b"{}", MICROS)
    deliveries.keep(ledger.store, given)
    for statement in ("UPDATE delivery SET body = 'x';\n", "DELETE FROM delivery;\n"):
        with pytest.raises(LedgerConflictError, match="deliveries are never"), ledger.store.writing() as transaction:
            transaction.script(statement)
    assert deliveries.found(ledger.store, given.digest) == given


def test_what_is_unsettled_comes_up_when_it_is_due_and_what_is_settled_does_not(ledger: Ledger) -> None:
    kept = [deliveries.delivery_of("acme", "stripe", "", str(i).encode(), MICROS) for i in range(5)]
    for one in kept:
        deliveries.keep(ledger.store, one)
    store = ledger.store
    deliveries.note(store, kept[0], Reading(State.APPLIED, "a", "", 1), MICROS, None)
    deliveries.note(store, kept[1], Reading(State.WAITING, "b", "why"), MICROS, MICROS + 60)
    deliveries.note(store, kept[2], Reading(State.FAILED, "c", "why"), MICROS, None)
    assert {one.digest for one in deliveries.due(store, MICROS, 10)} == {kept[3].digest, kept[4].digest}
    assert len(deliveries.due(store, MICROS + 60, 10)) == 3
    assert [one.digest for one in deliveries.standing_in(store, State.FAILED, MICROS + 1)] == [kept[2].digest]
    assert [one.reason for one in deliveries.listed(store, State.WAITING, 10)] == ["why"]
    assert sum(one.deliveries for one in deliveries.counts(store)) == 5
    with pytest.raises(LedgerConflictError, match="what is unsettled is read again"):
        deliveries.note(store, kept[1], Reading(State.WAITING), MICROS, None)


def test_two_databases_hold_their_own(url: str) -> None:
    with closing(Ledger.opened(url)) as ledger:
        assert list(deliveries.counts(ledger.store)) == []
