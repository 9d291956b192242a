"""The quick look never clears a rule that forbids, over random histories of every kind, and clears most others."""

from datetime import timedelta
from random import Random

from cap_builders import NOW, a_method, a_payment, an_attempt
from features.attempt import Attempt
from features.instants import to_micros
from features.vocabulary import Outcome
from fuzz.histories import ordered, rulebooks, scene
from model.caps.engine import Proposal, prepare
from model.caps.prescreen import Prescreen
from model.caps.proposal import binds
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of

SCENES = 3_000


def screened(book: Rulebook, proposal: Proposal) -> Prescreen:
    about = book.about(proposal.method.rail, proposal.method.network)
    return Prescreen(r for r in about if r.in_force_on(NOW.date()) and binds(r, proposal))


def suspects(screen: Prescreen, events: tuple[Event, ...], payment_id: str) -> set[str]:
    """As the ledger looks: every attempt counted, each setting off what it can for its own payment or for another."""
    set_off = 0
    for event in events:
        bits = screen.set_off_by(event)
        set_off |= bits if event.payment_id == payment_id else screen.elsewhere(bits)
    return {rule.rule_id for rule in screen.rulebook(screen.suspects(len(events), set_off)).rules}


def test_whatever_forbids_is_suspected() -> None:
    random, forbidden, cleared = Random(20_261_126), 0, 0
    for _ in range(SCENES):
        drawn, book = scene(random), random.choice(rulebooks())
        history = [known for known in ordered(drawn.history) if known.attempt.outcome is not Outcome.ERROR]
        events = tuple(event_of(known.attempt, known.method, known.merchant_id) for known in history)
        proposal = Proposal(drawn.payment, random.choice(drawn.methods), random.choice(drawn.kind.processors))
        at = drawn.now + timedelta(hours=random.choice((0, 1, 24, 500)))
        about = book.about(proposal.method.rail, proposal.method.network)
        screen = Prescreen(r for r in about if r.in_force_on(at.date()) and binds(r, proposal))
        found = {v.rule_id for v in prepare(book, Tally(events), proposal).at(at) if not v.allowed}
        suspected = suspects(screen, events, proposal.payment.payment_id)
        assert found <= suspected, (proposal, at, history)
        forbidden += bool(found)
        cleared += not suspected
    assert forbidden > SCENES / 10, "too little was forbidden for this to prove anything"
    assert cleared > SCENES / 20, "too little was cleared for this to be of any use"


def after(*attempts: Attempt) -> set[str]:
    proposal = Proposal(a_payment(), a_method(), "north")
    events = tuple(event_of(attempt, a_method(), "acme") for attempt in attempts)
    return suspects(screened(Rulebook.load(), proposal), events, "pay")


def test_a_few_ordinary_declines_of_a_card_leave_nothing_to_look_at() -> None:
    assert after(an_attempt(6, "51"), an_attempt(30, "51")) == set()


def test_a_cap_is_looked_at_from_as_many_attempts_on_as_it_allows() -> None:
    ordinary = [an_attempt(3 * (i + 1), "51", payment_id=f"past{i}") for i in range(15)]
    assert "visa-cat2-reattempt-cap" not in after(*ordinary[1:])
    assert "visa-cat2-reattempt-cap" in after(*ordinary)


def test_what_a_decline_of_another_payment_sets_off_is_looked_at_only_where_that_counts() -> None:
    stolen = an_attempt(6, "43", payment_id="other")
    assert "visa-cat1-never-reattempt" in after(stolen)
    assert "recoup-never-again" not in after(stolen)
    assert "recoup-never-again" in after(an_attempt(6, "43"))


def test_what_a_cap_bears_is_told_from_what_it_counts_and_never_too_much() -> None:
    random, sharper = Random(20_261_128), 0
    for _ in range(SCENES // 3):
        drawn, book = scene(random), random.choice(rulebooks())
        history = [known for known in ordered(drawn.history) if known.attempt.outcome is not Outcome.ERROR]
        events = tuple(event_of(known.attempt, known.method, known.merchant_id) for known in history)
        proposal = Proposal(drawn.payment, random.choice(drawn.methods), random.choice(drawn.kind.processors))
        screen = Prescreen(book.binding(proposal))
        more, now = random.choice((0, 0, 3)), to_micros(drawn.now)
        bearable = screen.bearable(events, proposal.counter, now)
        suspected = {rule.rule_id for rule in screen.rulebook(screen.suspects_after(bearable, more, 0)).rules}
        at = drawn.now + timedelta(hours=random.choice((0, 1, 24, 500)))
        for verdict in prepare(book, Tally(events), proposal).at(at):
            used_up = verdict.limit is not None and verdict.used is not None and verdict.used + more >= verdict.limit
            assert not used_up or verdict.rule_id in suspected, (proposal, at, history)
        sharper += suspected < {r.rule_id for r in screen.rulebook(screen.suspects(len(events) + more, 0)).rules}
    assert sharper > SCENES / 100, "it never told more than the number of all attempts does"


def test_advice_and_notes_are_never_suspected() -> None:
    proposal = Proposal(a_payment(), a_method(), "stripe")
    screen = screened(Rulebook.load(), proposal)
    assert all(not rule.advises for rule in screen.rules)
