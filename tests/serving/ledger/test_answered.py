"""Requests under a key in both databases: one works on each, and only an answer of its own is kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from cap_builders import NOW
from serving.ledger.answered import KEPT_FOR, WORKED_ON_FOR, Answer, Asked, Claim, Taken, claim, forget, keep, let_go
from serving.ledger.ledger import Ledger

ASKED = Asked("acme", "k1", "f" * 64)
ANSWER = Answer(200, "application/json", '{"ü": 1}'.encode() * 1000)
LATER = NOW + WORKED_ON_FOR


def claimed(ledger: Ledger, at: datetime = NOW) -> Claim:
    found = claim(ledger.store, ASKED, at)
    assert isinstance(found, Claim)
    return found


def test_the_life_of_a_request(ledger: Ledger) -> None:
    first = claimed(ledger)
    assert claim(ledger.store, ASKED, NOW) is Taken.IN_PROGRESS
    assert claim(ledger.store, Asked("acme", "k1", "e" * 64), NOW) is Taken.KEY_REUSED
    assert isinstance(claim(ledger.store, Asked("other", "k1", "e" * 64), NOW), Claim)
    keep(ledger.store, first, ANSWER, NOW)
    assert claim(ledger.store, ASKED, LATER) == ANSWER
    assert claim(ledger.store, Asked("acme", "k1", "e" * 64), NOW) is Taken.KEY_REUSED


def test_what_is_let_go_is_taken_up_at_once_under_the_same_name(ledger: Ledger) -> None:
    first = claimed(ledger)
    let_go(ledger.store, first)
    assert claimed(ledger).name == first.name


def test_whoever_was_overtaken_keeps_nothing(ledger: Ledger) -> None:
    slow, quick = claimed(ledger), claimed(ledger, LATER)
    assert slow.name == quick.name
    keep(ledger.store, slow, Answer(200, "text/plain", b"slow"), LATER)
    let_go(ledger.store, slow)
    assert claim(ledger.store, ASKED, LATER) is Taken.IN_PROGRESS
    keep(ledger.store, quick, ANSWER, LATER)
    keep(ledger.store, slow, Answer(200, "text/plain", b"slow"), LATER)
    assert claim(ledger.store, ASKED, LATER) == ANSWER


def test_of_many_who_ask_at_once_one_works_on_it_and_one_takes_it_over(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        for at in (NOW, LATER):
            found = list(threads.map(lambda _, at=at: claim(ledger.store, ASKED, at), range(16)))
            assert [one for one in found if not isinstance(one, Claim)] == [Taken.IN_PROGRESS] * 15


def test_forgetting_leaves_what_is_younger_than_a_day(ledger: Ledger) -> None:
    for hour in range(30):
        claim(ledger.store, Asked("acme", f"k{hour}", "f" * 64), NOW + timedelta(hours=hour))
    assert forget(ledger.store, NOW + timedelta(hours=30)) == 6
    assert forget(ledger.store, NOW + timedelta(hours=30)) == 0


def test_an_answer_is_kept_for_a_day_from_when_it_was_given(ledger: Ledger) -> None:
    first = claimed(ledger)
    let_go(ledger.store, first)
    late = NOW + timedelta(hours=20)
    again = claimed(ledger, late)
    given = late + timedelta(seconds=30)
    keep(ledger.store, again, ANSWER, given)
    assert forget(ledger.store, given + KEPT_FOR) == 0
    assert claim(ledger.store, ASKED, given + KEPT_FOR) == ANSWER
    assert forget(ledger.store, given + KEPT_FOR + timedelta(microseconds=1)) == 1
