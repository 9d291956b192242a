"""Many writers at once, in threads and in processes, never get more than a cap allows."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context

import pytest

from cap_builders import NOW, a_method, an_attempt
from features.errors import InvalidValueError
from features.vocabulary import Network, Rail
from ledger_builders import MERCHANT, UNDER_A_MANDATE, a_proposal, declines, told
from model.caps.rulebook import Rulebook
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation

WORKERS = 16
CAP = 15
MANDATED = a_method(Network.SEPA_CORE, "sepa", Rail.BANK_DEBIT, mandate_id="m1")


def reserve_some(url: str, worker: int, tries: int) -> list[str]:
    """Tries as many payments on the one method; the ids of what was granted."""
    ledger = Ledger.opened(url)
    made = [ledger.reserve(a_proposal(f"w{worker}-{i}"), NOW, NOW) for i in range(tries)]
    ledger.close()
    return [each.reservation_id for each in made if isinstance(each, Reservation)]


def test_threads_get_exactly_the_cap(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)

    def reserve(number: int) -> bool:
        return isinstance(ledger.reserve(a_proposal(f"p{number}"), NOW, NOW), Reservation)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(reserve, range(WORKERS * 4))) == CAP


def test_processes_get_exactly_the_cap(url: str) -> None:
    ledger = Ledger.opened(url)
    ledger.record([told(an_attempt(5))], NOW)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        granted = [pool.submit(reserve_some, url, worker, 10) for worker in range(4)]
        ids = [reservation_id for each in granted for reservation_id in each.result()]
    assert len(set(ids)) == len(ids) == CAP
    assert len(ledger.tally(a_proposal("new"), NOW).events) == CAP + 1
    ledger.close()


def test_one_payment_asked_for_by_many_is_held_once(ledger: Ledger) -> None:
    methods = [a_method(method_id=f"pm{i}") for i in range(WORKERS)]

    def reserve(number: int) -> bool:
        return isinstance(ledger.reserve(a_proposal(method=methods[number]), NOW, NOW), Reservation)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(reserve, range(WORKERS))) == 1


def test_methods_under_one_mandate_share_its_places(url: str) -> None:
    ledger = Ledger.opened(url, Rulebook((UNDER_A_MANDATE,)))

    def reserve(number: int) -> bool:
        method = replace(MANDATED, method_id=f"sepa{number}")
        return isinstance(ledger.reserve(a_proposal(f"p{number}", method), NOW, NOW), Reservation)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(reserve, range(WORKERS))) == UNDER_A_MANDATE.limit
    ledger.close()


def test_one_id_asked_for_by_many_is_one_reservation(ledger: Ledger) -> None:
    def reserve(_: int) -> object:
        return ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")

    with ThreadPoolExecutor(WORKERS) as pool:
        first, *others = pool.map(reserve, range(WORKERS))
    assert isinstance(first, Reservation)
    assert others == [first] * (WORKERS - 1)


def test_one_id_asked_for_at_once_for_many_things_stands_for_the_first(ledger: Ledger) -> None:
    methods = [a_method(method_id=f"pm{i}") for i in range(WORKERS)]

    def reserve(number: int) -> bool:
        try:
            made = ledger.reserve(a_proposal(f"p{number}", methods[number]), NOW, NOW, reservation_id="r1")
        except InvalidValueError:
            return False
        return isinstance(made, Reservation)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(reserve, range(WORKERS))) == 1


@pytest.mark.parametrize("sources", [1, 8])
def test_reports_of_one_attempt_from_many_at_once_fold_to_one(ledger: Ledger, sources: int) -> None:
    pending = an_attempt(5)
    events = [
        told(replace(pending, outcome_at=pending.at + timedelta(seconds=i)), event_id=f"e{i % sources}-{i // 40}")
        for i in range(40)
    ]

    def record(number: int) -> int:
        return ledger.record([events[number % sources]], NOW).new

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(record, range(40))) == sources
    assert len(ledger.tally(a_proposal(), NOW).events) == 1


def test_settling_releasing_and_expiring_at_once_end_a_hold_one_way(ledger: Ledger) -> None:
    late = NOW + timedelta(hours=2)
    for number in range(12):
        reservation_id, payment = f"r{number}", f"p{number}"
        ledger.reserve(a_proposal(payment), NOW, NOW, reservation_id=reservation_id)
        attempt = replace(an_attempt(0, payment_id=payment), attempt_id=f"a{number}")
        ends = [
            lambda i=reservation_id, a=attempt: ledger.settle(MERCHANT, i, a, late),
            lambda i=reservation_id: ledger.release(MERCHANT, i, late),
            lambda: ledger.expire(late),
            lambda i=reservation_id, a=attempt: ledger.settle(MERCHANT, i, a, late),
        ]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda end: end(), ends))
        assert ledger.reservation(MERCHANT, reservation_id).state != "held"
    assert len(ledger.tally(a_proposal(), NOW).events) == 12


def test_holds_and_reports_at_once_stay_within_the_cap(ledger: Ledger) -> None:
    ledger.record([told(a) for a in declines(4)], NOW)

    def work(number: int) -> None:
        payment = f"p{number}"
        made = ledger.reserve(a_proposal(payment), NOW, NOW)
        if isinstance(made, Reservation):
            attempt = replace(an_attempt(0, payment_id=payment), attempt_id=f"a{number}")
            ledger.settle(MERCHANT, made.reservation_id, attempt, NOW)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(40)))
    verdicts = {v.rule_id: v for v in ledger.verdicts(a_proposal("next"), NOW)}
    assert (verdicts["visa-cat2-reattempt-cap"].used, verdicts["visa-cat2-reattempt-cap"].limit) == (CAP, CAP)
