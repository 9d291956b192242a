"""Keys, timelines and lists in both databases, whatever way each of them sorts text."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from cap_builders import NOW, an_attempt
from features.errors import InvalidValueError
from ledger_builders import MERCHANT, a_proposal, facts_about
from serving.ledger.advice import AdviceEvent, Word, tell_advice
from serving.ledger.events import EventKind, Source, reported, told
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation
from serving.ledger.timeline import attempts_of_method, held_after, payments_after, timeline
from serving.tenancy.keys import EVERY_MERCHANT, Scope, create_key, has_keys, keys_of, note_use, revoke_key, rotate_key
from serving.tenancy.merchants import add_merchant, merchants_of

# Databases differ in where they put capitals, dashes and accents.
NAMES = ("b-1", "B_2", "a", "Z", "é", "10", "9", "b 1")


def test_a_page_begins_where_the_one_before_ended_in_every_list(ledger: Ledger) -> None:
    for number, name in enumerate(NAMES):
        for payment, attempt in ((name, f"att {name}"), ("same", name)):
            facts = facts_about(replace(an_attempt(5 + number % 2, payment_id=payment), attempt_id=attempt))
            ledger.record([reported(MERCHANT, Source.WEBHOOK, f"e {attempt} {payment}", facts)], NOW)
    everything = timeline(ledger.store, MERCHANT, "same", 99, None)
    assert {one.name for one in everything} == set(NAMES)
    assert {one.payment_id for one in payments_after(ledger.store, MERCHANT, "", 99)} == {*NAMES, "same"}
    for before, after in pairwise(everything):
        assert timeline(ledger.store, MERCHANT, "same", 1, before.place) == (after,)
    seen = payments_after(ledger.store, MERCHANT, "", 99)
    for one, other in pairwise(seen):
        assert payments_after(ledger.store, MERCHANT, one.payment_id, 1) == (other,)
    assert payments_after(ledger.store, MERCHANT, seen[-1].payment_id, 9) == ()
    assert payments_after(ledger.store, "other", "", 9) == ()


def test_a_timeline_holds_every_kind_of_entry(ledger: Ledger) -> None:
    facts = facts_about(an_attempt(5, payment_id="p1"))
    paid = told(MERCHANT, Source.WEBHOOK, "e2", EventKind.PAID, "p1", NOW + timedelta(hours=2))
    ledger.record([reported(MERCHANT, Source.WEBHOOK, "e1", facts), paid], NOW)
    tell_advice(ledger.store, AdviceEvent(MERCHANT, "o1", Word.STOPPED, NOW, "wait", "p1"), NOW)
    entries = timeline(ledger.store, MERCHANT, "p1", 9, None)
    assert [(one.entry, one.word) for one in entries] == [
        ("attempt", "declined"), ("advice", "stopped"), ("standing", "payment_paid"),
    ]  # fmt: skip
    (seen,) = payments_after(ledger.store, MERCHANT, "", 9)
    assert (seen.attempts, seen.approved, seen.standing, seen.opted_out) == (1, False, "payment_paid", True)
    assert [one.attempt_id for one in attempts_of_method(ledger.store, MERCHANT, facts.method_id, 9, None)] == [
        facts.attempt_id
    ]


def test_what_is_held_is_listed_and_stands_in_its_timeline(ledger: Ledger) -> None:
    held = ledger.reserve(a_proposal("p1"), NOW, NOW, reservation_id="r1")
    assert isinstance(held, Reservation)
    assert held_after(ledger.store, MERCHANT, "", 9) == (held,)
    assert held_after(ledger.store, MERCHANT, "p1", 9) == held_after(ledger.store, "other", "", 9) == ()
    ledger.release(MERCHANT, "r1", NOW, "not now")
    assert held_after(ledger.store, MERCHANT, "", 9) == ()
    (entry,) = timeline(ledger.store, MERCHANT, "p1", 9, None)
    assert (entry.entry, entry.name, entry.word, entry.reason) == ("reservation", "r1", "released", "not now")


def test_the_life_of_a_key(ledger: Ledger) -> None:
    store = ledger.store
    assert not has_keys(store)
    add_merchant(store, MERCHANT, "Acme", NOW)
    old = create_key(store, MERCHANT, Scope.DECIDE, NOW, label="billing", expires_at=NOW + timedelta(days=9))
    operator = create_key(store, EVERY_MERCHANT, Scope.ADMIN, NOW, per_second=None)
    new = rotate_key(store, old.kept.key_id, NOW, overlap=timedelta(hours=1))
    note_use(store, new.kept, NOW)
    revoke_key(store, operator.kept.key_id, NOW)
    kept = {key.key_id: key for key in keys_of(store)}
    assert kept[old.kept.key_id].expires_at == NOW + timedelta(hours=1)
    assert kept[new.kept.key_id].last_used_at == NOW
    assert kept[new.kept.key_id].is_of(new.secret)
    assert not kept[new.kept.key_id].is_of(old.secret)
    assert not kept[operator.kept.key_id].usable(NOW)
    assert [key.key_id for key in keys_of(store, EVERY_MERCHANT)] == [operator.kept.key_id]
    assert [(one.merchant_id, one.keys) for one in merchants_of(store, NOW)] == [(MERCHANT, 2)]
    assert [(one.merchant_id, one.keys) for one in merchants_of(store, NOW + timedelta(hours=1))] == [(MERCHANT, 1)]
    with pytest.raises(InvalidValueError, match="recoup keys list"):
        revoke_key(store, "nobody", NOW)
