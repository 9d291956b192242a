"""What a glance allows every rule allows, over random histories; and a glance is enough for an ordinary card."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cap_builders import NOW, a_method, an_attempt
from features.attempt import Attempt
from features.method import Method
from features.vocabulary import Network, Rail
from ledger_builders import MERCHANT, MINUTE, UNDER_A_MANDATE, a_proposal, approved, declines, told
from ledger_histories import METHODS, attempts
from model.caps.engine import Proposal
from model.caps.rulebook import Rulebook
from serving.ledger.at_once import reserve_at_once
from serving.ledger.events import EventKind, Source
from serving.ledger.events import told as word
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Refused, Reservation, State, values_of
from serving.ledger.selecting import Selector
from serving.ledger.situation import situation

WORDS = (EventKind.PAID, EventKind.CANCELLED, EventKind.REOPENED, EventKind.CONSENT_WITHDRAWN, EventKind.CONSENT_GIVEN)


class Glancing:
    """A ledger with what it has learnt of endings, asked by a glance or by a close look."""

    def __init__(self, url: str) -> None:
        self.ledger = Ledger.opened(url)
        self.selector = Selector(Rulebook.load())

    def look(self, proposal: Proposal) -> list[object]:
        """What speaks against it by every rule; endings are learnt by it."""
        with self.ledger.store.reading() as transaction:
            found = situation(transaction, self.selector, proposal, NOW)
        own = [hold for hold in found.held if hold.payment_id == proposal.payment.payment_id]
        return [*found.standings, *own, *found.forbidden()]

    def allows(self, proposal: Proposal) -> bool:
        """Whether a glance is enough to hold it."""
        wanted = Reservation(f"r-{proposal.payment.merchant_id}", proposal, NOW, NOW, NOW + MINUTE, State.HELD, "book")
        selected = self.selector.selected(proposal, NOW)
        return reserve_at_once(self.ledger.store, selected, wanted, values_of(wanted))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_a_glance_allows_nothing_speaks_against(kind: str, new_url: Callable[[str], str]) -> None:
    glancing, number, seen = Glancing(new_url(kind)), iter(range(10_000)), {True: 0, False: 0}

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(
        attempts(), st.sampled_from([1, 2, 3, 12]), st.sampled_from([None] * 15 + [*WORDS]), st.sampled_from([0, 1, 14])
    )
    def agree(drawn: tuple[Method, list[Attempt]], most: int, said: EventKind | None, holds: int) -> None:
        method, made = drawn[0], drawn[1][:most]
        merchant = f"merchant{next(number)}"
        proposal = Proposal(replace(a_proposal().payment, merchant_id=merchant), method, "north")
        methods = {each.method_id: each for each in METHODS}
        events = [told(attempt, methods[attempt.method_id]) for attempt in made]
        if said is not None:
            subject = method.method_id if "consent" in said.value else "pay"
            events.append(word(merchant, Source.WEBHOOK, "word", said, subject, NOW))
        glancing.ledger.record([replace(event, merchant_id=merchant) for event in events], NOW)
        for i in range(holds):
            other = replace(proposal.payment, payment_id=f"held{i}")
            glancing.ledger.reserve(replace(proposal, payment=other), NOW + i * MINUTE, NOW)
        against = glancing.look(proposal)
        allowed = glancing.allows(proposal)
        assert not (allowed and against), (against, made)
        seen[allowed] += 1

    agree()
    assert min(seen.values()) > 25, "too little was allowed or refused for this to prove anything"
    glancing.ledger.close()


def glanced(ledger: Ledger, proposal: Proposal, monkeypatch: pytest.MonkeyPatch) -> Reservation | Refused | str:
    """What is reserved when nobody can look closely."""
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "_situation", lambda *_: (_ for _ in ()).throw(AssertionError("looked closely")))
        try:
            return ledger.reserve(proposal, NOW, NOW)
        except AssertionError as looked:
            return str(looked)


def learn(ledger: Ledger, *made: Attempt, methods: Sequence[Method] = (a_method(),)) -> None:
    """Record attempts and look at them closely once, for another payment."""
    ledger.record([told(attempt) for attempt in made], NOW)
    for method in methods:
        first = ledger.reserve(a_proposal("first", method), NOW, NOW)
        if isinstance(first, Reservation):
            ledger.release(MERCHANT, first.reservation_id, NOW)


def test_an_ordinary_card_needs_no_closer_look(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(glanced(ledger, a_proposal("new"), monkeypatch), Reservation)  # nothing is known against it
    learn(ledger, *declines(3))
    assert isinstance(glanced(ledger, a_proposal("next"), monkeypatch), Reservation)


@pytest.mark.parametrize(
    "made",
    [
        [an_attempt(6, "43", payment_id="other")],  # never again, for every payment
        [approved(an_attempt(6))],  # the payment is paid
        declines(15),  # as many as Visa allows
    ],
)
def test_what_may_forbid_is_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, made: list[Attempt]) -> None:
    learn(ledger, *made)
    assert glanced(ledger, a_proposal(), monkeypatch) == "looked closely"


def test_an_ending_that_was_never_looked_at_is_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(ledger, *declines(2))
    ledger.record([told(an_attempt(7, "61", payment_id="past9"))], NOW)
    assert glanced(ledger, a_proposal(), monkeypatch) == "looked closely"
    learn(ledger)
    assert isinstance(glanced(ledger, a_proposal(), monkeypatch), Reservation)


def test_a_second_hold_on_a_payment_is_refused_and_one_on_its_card_counts(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(glanced(ledger, a_proposal(), monkeypatch), Reservation)
    assert glanced(ledger, a_proposal(), monkeypatch) == "looked closely"
    assert isinstance(ledger.reserve(a_proposal(), NOW, NOW), Refused)
    held = 1
    while isinstance(glanced(ledger, a_proposal(f"other{held}"), monkeypatch), Reservation):
        held += 1
    assert held == 15  # as many as Visa allows in 30 days; the next is looked at


def test_a_hold_past_its_time_is_ended_by_whoever_reserves_next(ledger: Ledger) -> None:
    first = ledger.reserve(a_proposal("first"), NOW, NOW)
    assert isinstance(first, Reservation)
    later = first.expires_at + MINUTE
    assert isinstance(ledger.reserve(a_proposal("second"), later, later), Reservation)
    assert ledger.reservation(MERCHANT, first.reservation_id).state is State.EXPIRED


SEPA = [a_method(Network.SEPA_CORE, f"sepa{i}", Rail.BANK_DEBIT, mandate_id="m1") for i in range(4)]


def test_what_is_held_under_a_mandate_counts_for_each_of_its_methods(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Ledger.opened(url, Rulebook((UNDER_A_MANDATE,)))) as ledger:
        for method in SEPA[:3]:
            assert isinstance(glanced(ledger, a_proposal(method.method_id, method), monkeypatch), Reservation)
        assert glanced(ledger, a_proposal("one more", SEPA[3]), monkeypatch) == "looked closely"


def test_an_attempt_under_a_mandate_is_looked_at_for_each_of_its_methods(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Ledger.opened(url, Rulebook((UNDER_A_MANDATE,)))) as ledger:
        ledger.record([told(an_attempt(5, "MS03", method=SEPA[0], payment_id="past"), SEPA[0])], NOW)
        assert glanced(ledger, a_proposal("new", SEPA[1]), monkeypatch) == "looked closely"
