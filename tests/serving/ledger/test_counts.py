"""What the rules see is the same in memory, in SQLite and in PostgreSQL, whatever the order of telling."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import permutations

import pytest
from hypothesis import given, settings

from cap_builders import NOW, a_context, a_method, an_attempt, hours
from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.errors import CardNumberError, InputError, InvalidValueError
from features.method import Method
from features.money import Money
from features.vocabulary import Initiator, Network, Outcome, Precision
from ledger_builders import (
    MERCHANT,
    MINUTE,
    a_proposal,
    apart_from_volumes,
    approved,
    corrected_to,
    declines,
    facts_about,
    payment_of,
    told,
)
from ledger_histories import METHODS, attempts
from model.caps.engine import Proposal, verdicts
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of
from model.caps.verdict import Verdict
from serving.ledger import counting
from serving.ledger.events import EventKind, LedgerEvent, Source, event_from, sent_back
from serving.ledger.events import told as word
from serving.ledger.facts import facts_of
from serving.ledger.fold import fold
from serving.ledger.ledger import Ledger
from serving.ledger.recording import Recorded
from serving.ledger.statements import Statement
from serving.ledger.store import LedgerConflictError


def in_memory(proposal: Proposal, made: Sequence[Attempt], at: datetime) -> tuple[Verdict, ...]:
    context = a_context(made, *METHODS, payment=proposal.payment, as_of=at)
    return verdicts(Rulebook.load(), tally_of(context), proposal, at)


def method_of(attempt: Attempt) -> Method:
    return next(method for method in METHODS if method.method_id == attempt.method_id)


def report(attempt: Attempt) -> LedgerEvent:
    return told(attempt, method_of(attempt))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_ledger_counts_what_the_rules_count_in_memory(
    kind: str, new_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Little is read whole, so that the windows and the last of each flavour are put to the test too.
    monkeypatch.setattr(counting, "READ_WHOLE", 2)
    ledger, number = Ledger.opened(new_url(kind)), iter(range(10_000))

    @settings(max_examples=150, deadline=None, database=None)
    @given(attempts())
    def agree(drawn: tuple[Method, list[Attempt]]) -> None:
        method, made = drawn
        merchant = f"merchant{next(number)}"
        payment = replace(a_proposal().payment, merchant_id=merchant)
        proposal = Proposal(payment, method, "north")
        ledger.record([replace(report(attempt), merchant_id=merchant) for attempt in made], NOW)
        assert apart_from_volumes(ledger.verdicts(proposal, NOW)) == in_memory(proposal, made, NOW)

    agree()
    ledger.close()


def statements() -> list[LedgerEvent]:
    """Everything that may be told of one attempt: pending, taken, taken by another report, corrected, sent back."""
    sepa = METHODS[2]
    pending = replace(an_attempt(100, method=sepa, outcome=Outcome.UNKNOWN), attempt_id="a1")
    taken = replace(approved(pending), outcome_at=NOW - hours(50))
    vague = replace(taken, precision=Precision.DAY, at=taken.at - hours(3), initiator=Initiator.UNKNOWN)
    right = replace(taken, amount=Money(999, "EUR"))
    why = classify("AM04", processor="north", network=Network.SEPA_CORE)
    return [
        told(pending, sepa),
        told(taken, sepa, event_id="taken"),
        told(vague, sepa, source=Source.HISTORY),
        corrected_to(right, sepa, at=NOW - hours(40)),
        sent_back(MERCHANT, Source.WEBHOOK, "back", "a1", why, NOW - hours(10)),
    ]


def test_late_doubled_corrected_and_reversed_events_leave_what_the_clean_order_leaves(ledger: Ledger) -> None:
    clean = replace(
        an_attempt(100, "AM04", method=METHODS[2], amount=Money(999, "EUR")),
        attempt_id="a1",
        outcome_at=NOW - hours(10),
    )
    orders = list(permutations(statements()))[::7]
    for number, order in enumerate(orders):
        merchant = f"m{number}"
        for event in (*order, order[0], order[2]):
            ledger.record([replace(event, merchant_id=merchant)], NOW)
        payment = replace(payment_of(clean), merchant_id=merchant)
        counted = ledger.tally(Proposal(payment, METHODS[2], "north"), NOW)
        assert counted == tally_of(a_context([clean], METHODS[2], payment=payment))


def test_every_order_folds_to_the_same() -> None:
    told_all = [Statement(e.kind, e.source, e.said_at, e.body, e.facts, e.returned) for e in statements()]
    assert len({fold(order) for order in permutations(told_all)}) == 1


def test_an_attempt_that_never_took_place_does_not_count_whenever_that_is_told(ledger: Ledger) -> None:
    gone = word(MERCHANT, Source.REPORTED, "gone", EventKind.WITHDRAWN, an_attempt(5).attempt_id, NOW)
    ledger.record([told(an_attempt(5)), told(an_attempt(3))], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 2
    ledger.record([gone], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 1
    ledger.record([told(an_attempt(5), source=Source.HISTORY)], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 1


def test_what_is_told_twice_is_counted_once(ledger: Ledger) -> None:
    events = [told(a) for a in declines(3)]
    assert ledger.record(events, NOW) == Recorded(3, 0)
    assert ledger.record([*events, *events], NOW + MINUTE) == Recorded(0, 6)
    assert len(ledger.tally(a_proposal(), NOW).events) == 3


def test_an_id_of_a_source_stands_for_one_thing(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5), event_id="e1")], NOW)
    with pytest.raises(InvalidValueError, match="not used before"):
        ledger.record([told(an_attempt(3), event_id="e2"), told(an_attempt(4), event_id="e1")], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 1
    ledger.record([told(an_attempt(4), source=Source.HISTORY, event_id="e1")], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 2


def test_one_attempt_told_by_two_sources_is_one(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5), source=source) for source in Source], NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 1


def test_a_correction_moves_an_attempt_from_one_counter_to_another(ledger: Ledger) -> None:
    second = a_method(method_id="second")
    ledger.record([told(an_attempt(5, payment_id="old"))], NOW)
    ledger.record([corrected_to(replace(an_attempt(5, payment_id="old"), method_id="second"), second)], NOW)
    assert ledger.tally(a_proposal(), NOW).events == ()
    assert len(ledger.tally(a_proposal(method=second), NOW).events) == 1


def test_merchants_do_not_see_each_other(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    other = replace(a_proposal().payment, merchant_id="other")
    assert ledger.tally(Proposal(other, a_method(), "north"), NOW).events == ()


def test_an_older_word_does_not_overrule_a_newer_one(ledger: Ledger) -> None:
    paid = word(MERCHANT, Source.WEBHOOK, "e1", EventKind.PAID, "pay", NOW)
    reopened = word(MERCHANT, Source.WEBHOOK, "e2", EventKind.REOPENED, "pay", NOW + MINUTE)
    again = word(MERCHANT, Source.WEBHOOK, "e3", EventKind.CANCELLED, "pay", NOW + MINUTE)
    for order in permutations((paid, reopened, again)):
        merchant = "-".join(event.source_event_id for event in order)
        for event in order:
            ledger.record([replace(event, merchant_id=merchant)], NOW)
        proposal = replace(a_proposal(), payment=replace(a_proposal().payment, merchant_id=merchant))
        refused = ledger.reserve(proposal, NOW + 2 * MINUTE, NOW)
        assert [reason.code for reason in refused.reasons] == ["cancelled"]  # type: ignore[union-attr]  # refused


def test_history_cannot_be_rewritten(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    for statement, refusal in (
        ("UPDATE event SET said_at = 0;", "never changed"),
        ("DELETE FROM event;", "never removed"),
    ):
        with pytest.raises(LedgerConflictError, match=refusal), ledger.store.writing() as transaction:
            transaction.script(statement)
    ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
    ledger.release(MERCHANT, "r1", NOW)
    for statement, refusal in (
        ("UPDATE reservation SET state = 'held', closed_at = NULL;", "stays closed"),
        ("DELETE FROM reservation;", "never removed"),
    ):
        with pytest.raises(LedgerConflictError, match=refusal), ledger.store.writing() as transaction:
            transaction.script(statement)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE attempt SET amount_minor = -1;", "the amount of an attempt is not negative"),
        ("UPDATE attempt SET outcome = 'maybe', category = NULL;", "the outcome of an attempt is known or unknown"),
        ("UPDATE attempt SET outcome = 'approved';", "only a failed attempt has a decline"),
        ("UPDATE reservation SET state = 'open', closed_at = 1;", "the state of a reservation is known"),
        ("UPDATE reservation SET amount_minor = -1;", "the amount of a reservation is not negative"),
        ("UPDATE reservation SET expires_at = held_at;", "a hold ends after it began"),
        ("UPDATE reservation SET state = 'spent', closed_at = 1;", "what is spent names its attempt"),
        ("UPDATE reservation SET state = 'released';", "a reservation is held until it is closed"),
        ("INSERT INTO standing VALUES ('acme', 'payment', 'pay', 'consent_given', 0);", "a topic has its own words"),
    ],
)
def test_the_database_keeps_its_own_rules_and_names_them(ledger: Ledger, statement: str, rule: str) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    ledger.reserve(a_proposal(), NOW, NOW)
    with pytest.raises(LedgerConflictError, match=f"the ledger refuses this: {rule}"), ledger.store.writing() as change:
        change.script(statement)


def test_what_cannot_be_used_is_refused_before_anything_is_written(ledger: Ledger) -> None:
    with pytest.raises(CardNumberError, match="attempt_id"):
        told(replace(an_attempt(5), attempt_id="4242 4242 4242 4242"))
    with pytest.raises(InvalidValueError, match="amount_minor"):
        told(an_attempt(5, amount=Money(-1, "EUR")))
    with pytest.raises(InvalidValueError, match="printable"):
        told(an_attempt(5), event_id="\x00")
    with pytest.raises(InvalidValueError, match="reports and corrections"):
        word(MERCHANT, Source.WEBHOOK, "e1", EventKind.REPORTED, "a1", NOW)


def test_an_event_is_read_back_as_it_was_told() -> None:
    for event in statements():
        row = (event.merchant_id, event.source, event.source_event_id, event.kind.value, event.subject_id)
        assert event_from(*row, event.said_at, event.body) == event


def test_a_database_that_cannot_be_used_is_refused_in_one_sentence(new_url: Callable[[str], str]) -> None:
    for url, refusal in (
        ("mysql://x", "expected sqlite:///PATH"),
        ("sqlite:///x.db?synchronous=off", "synchronous=full"),
        ("sqlite:////proc/nowhere/x.db", "cannot be opened"),
        ("postgresql://nobody:secret@localhost:1/x", r"postgresql://nobody@localhost:1/x cannot be reached"),
    ):
        with pytest.raises((InputError, InvalidValueError), match=refusal):
            Ledger.opened(url)


def test_reading_more_than_the_window_changes_nothing(ledger: Ledger) -> None:
    old = [an_attempt(24 * 40 + i, "51", payment_id=f"old{i}") for i in range(200)]
    ledger.record([told(a) for a in (*old, *declines(5))], NOW)
    assert apart_from_volumes(ledger.verdicts(a_proposal(), NOW)) == in_memory_on(a_method(), [*old, *declines(5)])
    assert len(ledger.tally(a_proposal(), NOW).events) < 210


def in_memory_on(method: Method, made: Sequence[Attempt]) -> tuple[Verdict, ...]:
    context = a_context(made, method, payment=a_proposal(method=method).payment)
    return verdicts(Rulebook.load(), tally_of(context), a_proposal(method=method), NOW)


def test_a_stolen_card_is_remembered_however_long_ago(ledger: Ledger) -> None:
    made = [an_attempt(24 * 900, "43", payment_id="old")]
    made += [an_attempt(24 * 100 - i, "51", payment_id=f"new{i}") for i in range(100)]
    ledger.record([told(a) for a in made], NOW)
    forbidding = [v.rule_id for v in ledger.verdicts(a_proposal(), NOW) if not v.allowed]
    assert "visa-cat1-never-reattempt" in forbidding
    assert apart_from_volumes(ledger.verdicts(a_proposal(), NOW)) == in_memory_on(a_method(), made)


def test_facts_say_what_the_attempt_says() -> None:
    facts = facts_about(an_attempt(5, "51"))
    assert (facts.code, facts.category, facts.network, facts.issuer_country) == (
        "51",
        "insufficient_funds",
        "visa",
        "DE",
    )
    assert facts_of(an_attempt(5), a_method(), payment_of(an_attempt(5)), "r1").reservation_id == "r1"
