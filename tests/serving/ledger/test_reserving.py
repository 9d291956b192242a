"""What happens when somebody else reserves between a decision and its hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt
from features.action import Retry
from features.context import Context
from features.supposed import SUPPOSED
from features.table import Asked
from ledger_builders import a_proposal
from model.caps.engine import Proposal
from model.caps.rulebook import Rulebook
from model.decision import StopReason
from model.prior import PriorScorer
from model.scorer import Scores, ScoreSource
from serving.ledger.ledger import Ledger
from serving.ledger.recoveries import UNEXPLAINED, Advised
from serving.ledger.reservations import Refused, Reservation
from serving.ledger.selecting import Selector
from serving.ledger.store import Question
from serving.registry import Answering
from serving.reserving import Decided, decide_and_reserve
from serving.service import Service, prior_service

RULES = Rulebook.load()


@dataclass
class Overtaken:
    """A scorer during whose work somebody else is faster: it stands between looking and holding."""

    meanwhile: Callable[[int], object]
    scored: int = 0
    inner: PriorScorer = field(default_factory=PriorScorer)
    source: ScoreSource = "prior"

    @property
    def version(self) -> str:
        return self.inner.version

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        return self.inner.score(context, retries)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """A decision asks once about what is; what it only imagines is not counted."""
        if any(all(attempt.source != SUPPOSED for attempt in context.attempts) for context, _ in asked):
            self.scored += 1
            self.meanwhile(self.scored)
        return self.inner.score_many(asked)


def a_failure() -> Context:
    payment = replace(a_payment(), due_at=NOW - timedelta(hours=1), recover_by=NOW + timedelta(days=30))
    return a_context([an_attempt(1)], replace(a_method(), processors=("north",)), payment=payment)


def reserved(ledger: Ledger, scorer: Overtaken) -> Decided:
    plain = prior_service()
    service = Service(Answering(scorer, "a test", refused=None), plain.rulebook, plain.economics)
    return decide_and_reserve(ledger, Selector(RULES), service, a_failure(), NOW)


def use_up(ledger: Ledger) -> int:
    """Hold the card for other payments until no rule allows one more; how many that were."""
    count = 0
    while isinstance(ledger.reserve(a_proposal(f"other{count}"), NOW + timedelta(minutes=count + 1), NOW), Reservation):
        count += 1
    return count


def test_it_is_planned_once_more_with_what_the_ledger_knows_then(ledger: Ledger) -> None:
    undisturbed = reserved(ledger, Overtaken(lambda time: None))
    assert undisturbed.reservation is not None
    ledger.release("acme", undisturbed.reservation.reservation_id, NOW)

    scorer = Overtaken(lambda time: use_up(ledger) if time == 1 else None)
    decided = reserved(ledger, scorer)
    assert decided.decision.retry != undisturbed.decision.retry
    assert decided.decision.removed
    if decided.decision.retry is None:
        assert (scorer.scored, decided.reservation) == (1, None)
    else:
        assert scorer.scored == 2
        assert decided.reservation is not None
        assert decided.reservation.at == decided.decision.retry.slot.start


def test_overtaken_on_the_same_payment_it_stops_and_holds_nothing_more(ledger: Ledger) -> None:
    rival: list[Reservation] = []

    def reserve_the_payment(time: int) -> None:
        held = ledger.reserve(a_proposal(), NOW + timedelta(hours=2), NOW)
        assert isinstance(held, Reservation)
        rival.append(held)

    decided = reserved(ledger, Overtaken(reserve_the_payment))
    assert decided.reservation is None
    assert decided.decision.stop is not None
    assert decided.decision.stop.reason == StopReason.ATTEMPT_PENDING
    assert any(rival[0].reservation_id in reason.sentence for reason in decided.decision.reasons)


def test_overtaken_twice_it_stops_and_says_why(ledger: Ledger) -> None:
    class Busy(Ledger):
        """A ledger where others hold a place at every moment but those at which somebody looks."""

        def reserve(
            self,
            proposal: Proposal,
            at: datetime,
            now: datetime,
            *,
            reservation_id: str | None = None,
            expires_at: datetime | None = None,
            advised: Advised = UNEXPLAINED,
            beside: Callable[[Reservation], Question] | None = None,
        ) -> Reservation | Refused:
            rival = super().reserve(a_proposal(), NOW + timedelta(hours=2), NOW)
            assert isinstance(rival, Reservation)
            found = super().reserve(proposal, at, now, expires_at=expires_at)
            self.release("acme", rival.reservation_id, NOW)
            return found

    scorer = Overtaken(lambda time: None)
    decided = reserved(Busy(ledger.store, RULES), scorer)
    assert scorer.scored == 2
    assert decided.reservation is None
    assert decided.decision.stop is not None
    assert decided.decision.stop.reason == StopReason.NO_ALLOWED_ACTION
    assert any("for this payment is still held" in reason.sentence for reason in decided.decision.reasons)
    assert decided.decision.valid_until == NOW + timedelta(days=1)
