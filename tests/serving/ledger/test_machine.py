"""Any sequence of calls on both databases against a model of plain Python that knows no database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cap_builders import NOW, a_method, a_payment, an_attempt, hours
from features.attempt import Attempt
from features.instants import to_micros
from features.method import Method
from features.vocabulary import Network, Outcome
from ledger_builders import apart_from_volumes, facts_about
from model.caps.engine import Proposal, verdicts
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of
from serving.ledger.events import EventKind, Source, reported, told
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Refused, Reservation, State

METHODS = (a_method(Network.VISA, "visa"), a_method(Network.MASTERCARD, "mc"))
PAYMENTS = tuple(f"p{i}" for i in range(6))
MERCHANTS = count()


@dataclass
class Hold:
    """A reservation in the model."""

    proposal: Proposal
    at: datetime
    expires_at: datetime
    state: State = State.HELD


class LedgerMachine(RuleBasedStateMachine):
    """The model holds attempts and holds in dictionaries and asks the engine about all of them, always."""

    ledger: Ledger

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.attempts: dict[str, Attempt] = {}
        self.holds: dict[str, Hold] = {}
        self.paid: set[str] = set()
        self.merchant = f"machine{next(MERCHANTS)}"

    @initialize(tries=st.integers(0, 20), method=st.sampled_from(METHODS))
    def history(self, tries: int, method: Method) -> None:
        """Begin with declines, so that caps are near."""
        for number in range(tries):
            self.tell(method, "old", Outcome.DECLINED, 1 + number)

    def propose(self, payment: str, method: Method) -> Proposal:
        return Proposal(replace(a_payment(payment), merchant_id=self.merchant), method, "north")

    def tell(self, method: Method, payment: str, outcome: Outcome, ago: float) -> None:
        made = an_attempt(ago, method=method, payment_id=payment, outcome=outcome, before=self.now)
        attempt = replace(made, attempt_id=f"a{len(self.attempts)}")
        self.attempts[attempt.attempt_id] = attempt
        self.record(attempt, method)

    def record(self, attempt: Attempt, method: Method) -> None:
        event = reported(self.merchant, Source.WEBHOOK, f"e-{attempt.attempt_id}", facts_about(attempt, method))
        assert self.ledger.record([event], self.now).new == 1
        assert self.ledger.record([event], self.now).new == 0

    def counted(self, at: datetime) -> Tally:
        """Every attempt and every hold; what is later than `at` as if it were then."""
        on = {method.method_id: method for method in METHODS}
        events = [event_of(a, on[a.method_id], self.merchant) for a in self.attempts.values()]
        events += [self.pending(name, hold) for name, hold in self.holds.items() if hold.state is State.HELD]
        micros = to_micros(at)
        clamped = [e if e.at <= micros else replace(e, at=micros, earliest=micros) for e in events]
        return Tally(tuple(sorted(clamped, key=lambda e: (e.at, e.attempt_id))))

    def pending(self, name: str, hold: Hold) -> Event:
        made = an_attempt(0, method=hold.proposal.method, outcome=Outcome.UNKNOWN, before=hold.at)
        attempt = replace(made, attempt_id=name, payment_id=hold.proposal.payment.payment_id)
        return event_of(attempt, hold.proposal.method, self.merchant)

    def expire_in_the_way(self, proposal: Proposal) -> None:
        for hold in self.holds.values():
            near = (
                hold.proposal.method.method_id == proposal.method.method_id
                or hold.proposal.payment.payment_id == proposal.payment.payment_id
            )
            if near and hold.state is State.HELD and hold.expires_at <= self.now:
                hold.state = State.EXPIRED

    def is_paid(self, payment: str) -> bool:
        approvals = (a for a in self.attempts.values() if a.outcome is Outcome.APPROVED)
        return payment in self.paid or any(a.payment_id == payment for a in approvals)

    @rule(
        payment=st.sampled_from(PAYMENTS),
        method=st.sampled_from(METHODS),
        outcome=st.sampled_from([Outcome.DECLINED, Outcome.DECLINED, Outcome.APPROVED]),
        ago=st.floats(0, 800),
    )
    def report(self, payment: str, method: Method, outcome: Outcome, ago: float) -> None:
        """Somebody else's attempt, perhaps told long after."""
        self.tell(method, payment, outcome, ago)

    @rule(payment=st.sampled_from(PAYMENTS), method=st.sampled_from(METHODS), later=st.integers(0, 30))
    def reserve(self, payment: str, method: Method, later: int) -> None:
        """Granted exactly when the model grants it."""
        proposal, at, name = self.propose(payment, method), self.now + hours(later), f"r{len(self.holds)}"
        answer = self.ledger.reserve(proposal, at, self.now, reservation_id=name)
        self.expire_in_the_way(proposal)
        taken = any(h.state is State.HELD and h.proposal.payment.payment_id == payment for h in self.holds.values())
        allowed = all(v.allowed for v in verdicts(Rulebook.load(), self.counted(at), proposal, at))
        if allowed and not taken and not self.is_paid(payment):
            assert isinstance(answer, Reservation)
            self.holds[name] = Hold(proposal, at, answer.expires_at)
            assert self.ledger.reserve(proposal, at, self.now, reservation_id=name) == answer
        else:
            assert isinstance(answer, Refused)
            assert answer.reasons

    @rule(pick=st.randoms(use_true_random=False), outcome=st.sampled_from([Outcome.DECLINED, Outcome.APPROVED]))
    def settle(self, pick: Random, outcome: Outcome) -> None:
        """The attempt counts once, whatever has become of the hold."""
        open_or_over = [n for n, h in self.holds.items() if h.state is not State.SPENT and f"s{n}" not in self.attempts]
        if not open_or_over:
            return
        name = pick.choice(open_or_over)
        hold = self.holds[name]
        made = an_attempt(0, method=hold.proposal.method, outcome=outcome, before=max(self.now, hold.at))
        attempt = replace(made, attempt_id=f"s{name}", payment_id=hold.proposal.payment.payment_id)
        for _ in range(2):
            settled = self.ledger.settle(self.merchant, name, attempt, self.now)
            assert settled.late is (hold.state in {State.EXPIRED, State.RELEASED})
        self.attempts[attempt.attempt_id] = attempt
        hold.state = State.SPENT if hold.state is State.HELD else hold.state

    @rule(pick=st.randoms(use_true_random=False))
    def release(self, pick: Random) -> None:
        """What has ended stays as it ended."""
        if self.holds:
            name = pick.choice(sorted(self.holds))
            hold = self.holds[name]
            hold.state = State.RELEASED if hold.state is State.HELD else hold.state
            assert self.ledger.release(self.merchant, name, self.now).state is hold.state

    @rule(payment=st.sampled_from(PAYMENTS))
    def pay(self, payment: str) -> None:
        """Paid by other means."""
        name = f"paid-{payment}-{self.now.isoformat()}"
        event = told(self.merchant, Source.REPORTED, name, EventKind.PAID, payment, self.now)
        self.ledger.record([event], self.now)
        self.paid.add(payment)

    @rule(minutes=st.sampled_from([1, 30, 61, 60 * 25]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @invariant()
    def counts_agree(self) -> None:
        """The rules say the same of the ledger as of everything ever told."""
        for method in METHODS:
            proposal = self.propose("new", method)
            said = verdicts(Rulebook.load(), self.counted(self.now), proposal, self.now)
            assert apart_from_volumes(self.ledger.verdicts(proposal, self.now)) == said

    @invariant()
    def states_agree(self) -> None:
        """Every reservation is where the model has it."""
        for name, hold in self.holds.items():
            assert self.ledger.reservation(self.merchant, name).state is hold.state


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_no_sequence_of_calls_leads_astray(kind: str, new_url: Callable[[str], str]) -> None:
    ledger = Ledger.opened(new_url(kind))
    machine = type("Machine", (LedgerMachine,), {"ledger": ledger})
    quick = settings(
        max_examples=60,
        stateful_step_count=18,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(machine, settings=quick)
    ledger.close()
