"""The audit finds every breach that a second count finds, and says who made it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt, hours
from features.attempt import Attempt
from features.vocabulary import Initiator, Network, Outcome, Rail
from ledger_builders import MERCHANT, a_proposal, approved, told
from model.caps.engine import Proposal, verdicts
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of
from serving.ledger import audit as module
from serving.ledger.audit import Audited, Totals, audit
from serving.ledger.budgets import budgets, budgets_of_method
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation

CARD = a_method()
SEPA = a_method(Network.SEPA_CORE, "sepa", Rail.BANK_DEBIT, mandate_id="m1")
BOOK = Rulebook.load()
LONG_AGO = NOW - hours(24 * 400)


def audited(ledger: Ledger, since: datetime = LONG_AGO, until: datetime = NOW) -> list[Audited]:
    return list(audit(ledger.store, BOOK, since, until))


def over_by_second_count(made: Sequence[Attempt]) -> set[tuple[str, str]]:
    """Every attempt held against a context of those before it with what was known then."""
    found = set()
    for attempt in made:
        before = [_as_known(a, attempt.at) for a in made if (a.at, a.attempt_id) < (attempt.at, attempt.attempt_id)]
        owed = a_payment(attempt.payment_id, attempt.amount)
        context = a_context(before, CARD, SEPA, payment=owed, as_of=attempt.at)
        on = CARD if attempt.method_id == CARD.method_id else SEPA
        said = verdicts(BOOK, tally_of(context), Proposal(owed, on, attempt.processor, attempt.initiator), attempt.at)
        found |= {(attempt.attempt_id, verdict.rule_id) for verdict in said if not verdict.allowed}
    return found


def _as_known(attempt: Attempt, at: datetime) -> Attempt:
    known = attempt.known_at <= at
    return attempt if known else replace(attempt, outcome=Outcome.UNKNOWN, decline=None, outcome_at=None)


def breaches(found: Sequence[Audited]) -> set[tuple[str, str]]:
    return {(b.attempt.attempt_id, b.verdict.rule_id) for each in found for b in each.breaches}


def a_history() -> list[Attempt]:
    """Twenty retries of a card, a stolen card tried again, and a debit presented while another was pending."""
    made = [replace(an_attempt(600 - i, payment_id="many"), attempt_id=f"many{i:02d}") for i in range(20)]
    stolen = a_method(method_id="pm")
    made += [replace(an_attempt(100, "43", method=stolen, payment_id="stolen"), attempt_id="stolen1")]
    made += [replace(an_attempt(50, "51", payment_id="stolen"), attempt_id="stolen2")]
    debit = replace(an_attempt(900, "AM04", method=SEPA, payment_id="debit"), outcome_at=NOW - hours(800))
    made += [replace(debit, attempt_id="debit1"), replace(debit, attempt_id="debit2", at=NOW - hours(850))]
    return made


def test_the_audit_agrees_with_a_second_count(ledger: Ledger) -> None:
    made = a_history()
    ledger.record([told(a, SEPA if a.method_id == "sepa" else CARD) for a in made], NOW)
    expected = over_by_second_count(made)
    assert {attempt for attempt, _ in expected} >= {"many16", "many19", "stolen2", "debit2"}
    assert breaches(audited(ledger)) == expected


def test_pages_change_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_history()
    ledger.record([told(a, SEPA if a.method_id == "sepa" else CARD) for a in made], NOW)
    whole = audited(ledger)
    monkeypatch.setattr(module, "_A_PAGE", 3)
    assert audited(ledger) == whole


def test_only_the_asked_for_days_are_audited_but_counted_with_what_came_before(ledger: Ledger) -> None:
    ledger.record([told(a, SEPA if a.method_id == "sepa" else CARD) for a in a_history()], NOW)
    found = audited(ledger, NOW - hours(582), NOW - hours(500))
    assert [each.attempt.attempt_id for each in found] == ["many18", "many19"]
    assert all(each.breaches for each in found)


def test_what_recoup_advised_is_within_the_limits_and_told_apart(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW - hours(4))
    for number in range(16):
        at, payment = NOW - hours(3) + hours(number / 10), f"p{number}"
        made = ledger.reserve(a_proposal(payment), at, at, reservation_id=f"r{number}")
        attempt = replace(an_attempt(0, payment_id=payment, before=at), attempt_id=f"a{number}")
        if isinstance(made, Reservation):
            ledger.settle(MERCHANT, f"r{number}", attempt, at)
        else:
            ledger.record([told(attempt)], at)
    totals = Totals()
    for each in audited(ledger):
        totals.add(each)
    assert (totals.attempts, totals.over, totals.over_advised) == (17, 1, 0)
    assert [str(money) for money in totals.cost] == ["0.10 USD"]


def test_nothing_attempted_means_nothing_over(ledger: Ledger) -> None:
    assert audited(ledger) == []


def test_budgets_say_what_is_left_and_when_it_frees(ledger: Ledger) -> None:
    ledger.record([told(replace(an_attempt(i + 1), attempt_id=f"a{i:02d}")) for i in range(16)], NOW)
    found = {budget.verdict.rule_id: budget for budget in budgets(ledger, a_proposal(), NOW)}
    visa = found["visa-cat2-reattempt-cap"]
    assert (visa.verdict.used, visa.verdict.limit, visa.left) == (15, 15, 0)
    assert visa.verdict.frees_at == NOW - hours(15) + hours(720)
    (lately,) = budgets_of_method(ledger, MERCHANT, "pm", NOW)
    assert (lately.payment_id, lately.amount, lately.processor) == ("pay", a_payment().amount, "north")
    assert {b.verdict.rule_id: b.left for b in lately.budgets}["visa-cat2-reattempt-cap"] == 0
    assert ledger.tally(a_proposal(), NOW) == tally_of(
        a_context([replace(an_attempt(i + 1), attempt_id=f"a{i:02d}") for i in range(16)], CARD)
    )


def test_an_approval_resets_what_the_audit_counts(ledger: Ledger) -> None:
    made = [replace(an_attempt(600 - i, payment_id=f"p{i}"), attempt_id=f"a{i:02d}") for i in range(14)]
    made.append(replace(approved(an_attempt(580, payment_id="p14")), attempt_id="a14"))
    made += [replace(an_attempt(570 - i, payment_id=f"q{i}"), attempt_id=f"b{i:02d}") for i in range(14)]
    ledger.record([told(a) for a in made], NOW)
    assert breaches(audited(ledger)) == over_by_second_count(made) == set()


def test_an_approval_in_doubt_hides_no_breach_from_the_audit(ledger: Ledger) -> None:
    made = [replace(an_attempt(600 - i, payment_id=f"p{i}"), attempt_id=f"a{i:02d}") for i in range(17)]
    unknown = replace(approved(an_attempt(580, payment_id="p17", initiator=Initiator.UNKNOWN)), attempt_id="a17")
    made += [unknown, replace(an_attempt(570, payment_id="q"), attempt_id="b")]
    ledger.record([told(a) for a in made], NOW)
    assert "b" in {name for name, _ in breaches(audited(ledger))}
    assert breaches(audited(ledger)) == over_by_second_count(made)
