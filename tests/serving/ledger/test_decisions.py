"""Kept decisions outlive whatever happens to those who keep them, and are forgotten when their time is over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest

from cap_builders import NOW
from event_builders import OUTBOX, CrashError, CrashingStore
from features.errors import InputError
from features.instants import to_micros
from ledger_builders import MERCHANT, a_proposal
from model.caps.rulebook import Rulebook
from serving.keeping import beside_hold, keep
from serving.ledger.decisions import (
    Headline,
    KeptDecision,
    count_between,
    decisions_before,
    decisions_between,
    decisions_called,
    forget_decisions,
    keep_version,
    maybe_decision,
    maybe_version,
)
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Refused, Reservation
from serving.ledger.store import LedgerConflictError

EVER = (NOW - timedelta(days=9_000), NOW + timedelta(days=9_000))


def a_decision(name: str = "dec_1", at: datetime = NOW, payment: str = "pay", merchant: str = MERCHANT) -> KeptDecision:
    headline = Headline(
        merchant, name, payment, to_micros(at), to_micros(at), None, "plan", "prior", "m", "r", "e", "c",
        "retry", None, "pm", "north", 1.0,
    )  # fmt: skip
    return KeptDecision(headline, name.encode())


def test_it_is_kept_once_and_found_as_it_was(ledger: Ledger) -> None:
    kept = a_decision()
    keep(ledger, kept)
    keep(ledger, replace(kept, content=b"other"))
    assert maybe_decision(ledger.store, MERCHANT, "dec_1") == kept
    assert maybe_decision(ledger.store, "other", "dec_1") is None
    assert decisions_called(ledger.store, "dec_") == (kept,)
    assert decisions_called(ledger.store, "dec_2") == ()


def test_one_with_a_hold_is_kept_exactly_where_the_hold_is_made(ledger: Ledger) -> None:
    def reserve(number: int) -> Reservation | Refused:
        kept = a_decision(f"dec_{number}")
        return ledger.reserve(
            a_proposal("pay"), NOW, NOW, beside=lambda wanted: beside_hold(kept, wanted.reservation_id)
        )

    first, second = reserve(1), reserve(2)
    assert isinstance(first, Reservation)
    assert isinstance(second, Refused)
    found = maybe_decision(ledger.store, MERCHANT, "dec_1")
    assert found is not None
    assert found.headline.reservation_id == first.reservation_id
    assert maybe_decision(ledger.store, MERCHANT, "dec_2") is None


@pytest.mark.parametrize("before", [0, 1, 2])
def test_cut_off_at_any_write_there_is_either_hold_and_decision_or_neither(
    new_url: Callable[[str], str], before: int
) -> None:
    plain = Ledger.opened(new_url("sqlite"), outbox=OUTBOX)
    crashing = Ledger(CrashingStore(plain.store, [before]), Rulebook.load(), OUTBOX)
    with pytest.raises(CrashError):
        crashing.reserve(
            a_proposal(), NOW, NOW, reservation_id="r1", beside=lambda wanted: beside_hold(a_decision(), "r1")
        )
    assert plain.maybe_reservation(MERCHANT, "r1") is None
    assert maybe_decision(plain.store, MERCHANT, "dec_1") is None
    crashing.reserve(a_proposal(), NOW, NOW, reservation_id="r1", beside=lambda wanted: beside_hold(a_decision(), "r1"))
    assert plain.maybe_reservation(MERCHANT, "r1") is not None
    assert maybe_decision(plain.store, MERCHANT, "dec_1") is not None
    plain.close()


def test_many_at_once_are_all_written_and_seen_at_once(ledger: Ledger) -> None:
    start, seen = Barrier(20), []

    def one(number: int) -> None:
        start.wait()
        keep(ledger, a_decision(f"dec_{number:02}", NOW + timedelta(seconds=number)))
        seen.append(maybe_decision(ledger.store, MERCHANT, f"dec_{number:02}") is not None)

    threads = [Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 20
    assert count_between(ledger.store, *EVER) == 20


def test_a_group_that_cannot_be_written_fails_for_each_of_it(ledger: Ledger) -> None:
    wrong = replace(a_decision(), headline=replace(a_decision().headline, propensity=2.0))
    with pytest.raises(LedgerConflictError, match="a propensity is a probability"):
        keep(ledger, wrong)
    keep(ledger, a_decision())
    assert maybe_decision(ledger.store, MERCHANT, "dec_1") == a_decision()


def test_they_are_read_in_order_page_by_page_and_none_twice(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.ledger.decisions._A_PAGE", 3)
    made = [
        a_decision(f"dec_{number}", NOW + timedelta(seconds=number // 4), f"pay_{number % 2}", f"m{number % 3}")
        for number in range(20)
    ]
    for kept in made[::-1]:
        keep(ledger, kept)
    order = sorted(made, key=lambda k: (k.headline.answered_at, k.headline.merchant_id, k.headline.decision_id))
    assert list(decisions_between(ledger.store, *EVER)) == order
    second = NOW + timedelta(seconds=2)
    assert list(decisions_between(ledger.store, NOW, second)) == [
        k for k in order if k.headline.answered_at < to_micros(second)
    ]
    mine = [k.headline for k in order if k.headline.merchant_id == "m1"][::-1]
    first = decisions_before(ledger.store, "m1", None, 4, None)
    assert list(first) + list(decisions_before(ledger.store, "m1", None, 50, first[-1].place)) == mine
    assert list(decisions_before(ledger.store, "m1", "pay_1", 50, None)) == [h for h in mine if h.payment_id == "pay_1"]


def test_the_old_ones_are_forgotten_a_few_at_a_time(ledger: Ledger) -> None:
    for day in range(10):
        keep(ledger, a_decision(f"dec_{day}", NOW - timedelta(days=day)))
    before = NOW - timedelta(days=4)
    assert forget_decisions(ledger.store, before, 2) == 2
    assert maybe_decision(ledger.store, MERCHANT, "dec_9") is None
    assert maybe_decision(ledger.store, MERCHANT, "dec_7") is not None
    assert forget_decisions(ledger.store, before, 100) == 3
    assert forget_decisions(ledger.store, before, 100) == 0
    assert [h.decision_id for h in decisions_before(ledger.store, MERCHANT, None, 50, None)] == [
        f"dec_{day}" for day in range(5)
    ]


def test_neither_a_decision_nor_a_version_is_ever_changed(ledger: Ledger) -> None:
    keep(ledger, a_decision())
    keep_version(ledger.store, "rulebook", "1", b"first")
    keep_version(ledger.store, "rulebook", "1", b"second")
    assert maybe_version(ledger.store, "rulebook", "1") == b"first"
    for change in ("UPDATE decision SET propensity = 0;", "UPDATE decided_with SET version = '2';"):
        with pytest.raises((LedgerConflictError, InputError)), ledger.store.writing() as transaction:
            transaction.script(change)
