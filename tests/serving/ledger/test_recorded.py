"""What the ledger knows counts in a decision exactly as the ledger itself would count it."""

from dataclasses import replace

from cap_builders import NOW, a_context, a_method, an_attempt, hours
from features.context import Context
from features.vocabulary import Network, Outcome
from ledger_builders import MERCHANT, a_proposal, apart_from_volumes, declines, told
from model.caps.rulebook import Rulebook
from model.decision import StopReason
from model.limits import proposal_in
from model.record import NOTHING, Judge, recorded_tally
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation
from serving.ledger.selecting import Selector
from serving.recorded import recorded

RULES = Rulebook.load()


def a_failure() -> Context:
    """One payment that was declined an hour ago."""
    return a_context([an_attempt(1)])


def hold(ledger: Ledger, payment_id: str, ahead: float) -> Reservation:
    held = ledger.reserve(a_proposal(payment_id), NOW + hours(ahead), NOW)
    assert isinstance(held, Reservation)
    return held


def test_an_empty_ledger_adds_nothing(ledger: Ledger) -> None:
    context = a_failure()
    known = recorded(ledger, Selector(RULES), context)
    assert known.context is context
    assert known.record == NOTHING


def test_at_every_instant_the_rules_say_what_they_say_on_the_ledger(ledger: Ledger) -> None:
    context = a_failure()
    ledger.record([told(attempt) for attempt in (*context.attempts, *declines(9, every=30))], NOW)
    for number, ahead in enumerate((5, 40, 41, 200)):
        hold(ledger, f"other{number}", ahead)
    known = recorded(ledger, Selector(RULES), context)
    proposal = proposal_in(context, "pm", "north")
    judge = Judge(RULES, recorded_tally(known.context, known.record), proposal, NOW, known.record)
    assert judge.at(NOW) == ledger.verdicts(proposal, NOW)
    for later in (0.5, 4.9, 5, 6, 39, 40.5, 100, 199, 201, 800):
        at = NOW + hours(later)
        said, asked = judge.at(at), ledger.verdicts(proposal, at)
        assert apart_from_volumes(said) == apart_from_volumes(asked), later


def test_a_hold_on_the_payment_halts_it_until_its_time_is_over(ledger: Ledger) -> None:
    held, selector = hold(ledger, "pay", 5), Selector(RULES)
    halt = recorded(ledger, selector, a_failure()).record.halt
    assert halt is not None
    assert halt.reason is StopReason.ATTEMPT_PENDING
    assert held.reservation_id in halt.sentences[0]
    late = a_context([an_attempt(1)], as_of=held.expires_at)
    assert recorded(ledger, selector, late).record == NOTHING


def test_an_attempt_that_nobody_knows_the_outcome_of_halts_the_payment(ledger: Ledger) -> None:
    pending = an_attempt(2, outcome=Outcome.UNKNOWN)
    ledger.record([told(pending)], NOW)
    halt = recorded(ledger, Selector(RULES), a_failure()).record.halt
    assert halt is not None
    assert pending.attempt_id in halt.sentences[0]


def test_an_outcome_that_only_the_request_knows_counts(ledger: Ledger) -> None:
    context = a_failure()
    (attempt,) = context.attempts
    ledger.record([told(an_attempt(1, outcome=Outcome.UNKNOWN))], NOW)
    known = recorded(ledger, Selector(RULES), context)
    assert known.record.halt is None
    (event,) = recorded_tally(context, known.record).events
    assert (event.attempt_id, event.outcome) == (attempt.attempt_id, Outcome.DECLINED)


def test_an_approval_that_only_the_ledger_knows_ends_the_recovery(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(0.5, outcome=Outcome.APPROVED))], NOW)
    halt = recorded(ledger, Selector(RULES), a_failure()).record.halt
    assert halt is not None
    assert halt.reason is StopReason.ALREADY_PAID


def test_every_method_of_the_request_is_looked_up(ledger: Ledger) -> None:
    second = a_method(method_id="pm2")
    ledger.record([told(an_attempt(3, method=second, payment_id="elsewhere"), second)], NOW)
    known = recorded(ledger, Selector(RULES), _with_two_methods())
    assert {event.method_id for event in known.record.events} == {"pm2"}
    assert {event.merchant_id for event in known.record.events} == {MERCHANT}


def test_a_method_without_its_network_is_on_the_one_that_the_ledger_knows(ledger: Ledger) -> None:
    visa, nameless = a_method(), a_method(network=Network.UNKNOWN)
    ledger.record([told(one, visa) for one in declines(16)], NOW)
    ledger.record([told(an_attempt(0.2), nameless, event_id="without")], NOW)
    known = recorded(ledger, Selector(RULES), a_context([an_attempt(1)], nameless, a_method(method_id="pm2")))
    assert [method.network for method in known.context.methods] == [Network.VISA, Network.VISA]
    unheard = recorded(ledger, Selector(RULES), a_context([an_attempt(1)], replace(nameless, method_id="new")))
    assert [method.network for method in unheard.context.methods] == [Network.UNKNOWN]


def _with_two_methods() -> Context:
    first = an_attempt(1)
    return a_context([first], a_method(), a_method(method_id="pm2"))
