"""Of whom an attempt is: whoever knows best is believed, in whatever order they tell, and nobody else moves it."""

from dataclasses import replace
from itertools import permutations

import pytest

from cap_builders import NOW, a_method, an_attempt, hours
from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.errors import InvalidValueError
from features.money import Money
from features.vocabulary import Network
from ledger_builders import MERCHANT, MINUTE, a_proposal, approved, corrected_to, declines, facts_about, told
from serving.errors import RequestError
from serving.ledger.events import LedgerEvent, Source, reported
from serving.ledger.facts import Facts
from serving.ledger.fold import fold
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Refused, Reservation
from serving.ledger.statements import Statement
from serving.own_ids import require_own_ids
from serving.webhooks.telling import known_facts

MADE = replace(approved(an_attempt(1)), attempt_id="a1")


def named(payment_id: str, source: Source, made: Attempt = MADE) -> LedgerEvent:
    return told(replace(made, payment_id=payment_id), source=source, event_id=f"{source}/{payment_id}")


def settled(payment_id: str) -> LedgerEvent:
    facts = replace(facts_about(replace(MADE, payment_id=payment_id)), reservation_id="r1")
    return reported(MERCHANT, Source.ADVISED, "r1", facts)


def folded(events: tuple[LedgerEvent, ...]) -> Facts:
    facts = fold([Statement(e.kind, e.source, e.said_at, e.body, e.facts, e.returned) for e in events])
    assert facts is not None
    return facts


RISING = (
    named("as the processor", Source.DELIVERED),
    named("as listed", Source.LISTED),
    named("as exported", Source.HISTORY),
    named("as reported", Source.REPORTED),
    settled("as held"),
    corrected_to(replace(MADE, payment_id="as corrected")),
)


@pytest.mark.parametrize("count", range(1, len(RISING) + 1))
def test_whoever_knows_best_is_believed_in_every_order(count: int) -> None:
    best = RISING[count - 1].facts
    assert best is not None
    orders = list(permutations(RISING[:count]))
    assert {folded(order).payment_id for order in orders} == {best.payment_id}
    assert len({folded(order) for order in orders}) == 1


def test_another_attempt_that_is_listed_under_the_id_moves_none_that_a_processor_told() -> None:
    for other in (
        replace(MADE, amount=Money(999, "EUR")),
        replace(MADE, at=MADE.at - hours(2), outcome_at=MADE.at),
        replace(MADE, method_id="another"),
    ):
        theirs, ours = named("theirs", Source.DELIVERED), named("ours", Source.LISTED, other)
        assert folded((theirs, ours)).payment_id == folded((ours, theirs)).payment_id == "theirs"


def test_a_paid_payment_stays_paid_whatever_name_the_processor_gives_it(ledger: Ledger) -> None:
    made = replace(approved(an_attempt(0)), attempt_id="a1", at=NOW)
    assert isinstance(ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1"), Reservation)
    ledger.settle(MERCHANT, "r1", made, NOW)
    ledger.record([named("invoice of the processor", Source.DELIVERED, replace(made, at=NOW + MINUTE))], NOW + MINUTE)
    again = ledger.reserve(a_proposal(), NOW + 2 * MINUTE, NOW + 2 * MINUTE)
    assert isinstance(again, Refused)
    assert [reason.code for reason in again.reasons] == ["paid"]


def test_what_a_processor_told_first_under_a_name_of_its_own_settles_its_reservation(ledger: Ledger) -> None:
    made = replace(approved(an_attempt(0)), attempt_id="a1", at=NOW)
    ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
    ledger.record([named("pi_1", Source.DELIVERED, made)], NOW)
    ledger.settle(MERCHANT, "r1", made, NOW)
    known = known_facts(ledger, MERCHANT, "a1")
    assert known is not None
    assert (known.payment_id, known.reservation_id) == ("pay", "r1")


def test_what_the_caller_reported_settles_no_other_reservation(ledger: Ledger) -> None:
    made = replace(approved(an_attempt(0)), attempt_id="a1", at=NOW)
    ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
    ledger.record([named("other", Source.REPORTED, made)], NOW)
    with pytest.raises(InvalidValueError, match="on payment other"):
        ledger.settle(MERCHANT, "r1", made, NOW)


@pytest.mark.parametrize(
    ("source", "accepted"),
    [(Source.DELIVERED, True), (Source.LISTED, False), (Source.HISTORY, False), (Source.REPORTED, False)],
)
def test_a_report_of_another_payment_is_refused_unless_only_a_processor_named_one(
    ledger: Ledger, source: Source, *, accepted: bool
) -> None:
    ledger.record([named("theirs", source)], NOW)
    ours = named("ours", Source.WEBHOOK)
    if accepted:
        require_own_ids(ledger.store, [ours], [""])
    else:
        with pytest.raises(RequestError, match="a1"):
            require_own_ids(ledger.store, [ours], [""])


def test_a_network_left_out_later_takes_nothing_back() -> None:
    code = classify("46", processor="north", network=Network.VISA)
    silent = classify("46", processor="north", network=Network.UNKNOWN)
    made = replace(an_attempt(1), attempt_id="a1", decline=code)
    later = replace(made, decline=silent, outcome_at=made.at + MINUTE)
    first = told(made, event_id="first")
    second = told(later, a_method(network=Network.UNKNOWN), event_id="second")
    assert second.facts is not None
    assert second.facts.category != code.category
    for order in ((first, second), (second, first)):
        facts = folded(order)
        assert (facts.network, facts.category, facts.retryability) == (Network.VISA, code.category, code.retryability)


@pytest.mark.parametrize("code", ["46", "R1", "41"])
def test_an_attempt_told_without_its_network_forbids_what_it_forbids_on_the_method_s(ledger: Ledger, code: str) -> None:
    nameless = a_method(network=Network.UNKNOWN)
    made = replace(an_attempt(9, code, payment_id="old", method=nameless), attempt_id="a1")
    ledger.record([told(made, nameless)], NOW)
    for _ in range(2):  # what was seen the first time is remembered
        refused = ledger.reserve(a_proposal(), NOW, NOW)
        assert isinstance(refused, Refused)
        assert "visa-cat1-never-reattempt" in {said.rule_id for said in refused.verdicts if not said.allowed}


def test_attempts_told_without_their_network_use_up_the_cap_of_the_method_s(ledger: Ledger) -> None:
    nameless = a_method(network=Network.UNKNOWN)
    ledger.record([told(one, nameless) for one in declines(16, nameless)], NOW)
    refused = ledger.reserve(a_proposal(), NOW, NOW)
    assert isinstance(refused, Refused)
    assert "visa-cat2-reattempt-cap" in {said.rule_id for said in refused.verdicts if not said.allowed}
