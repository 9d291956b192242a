"""A decision with its place held: decide, re-check every counter and hold it; once more when somebody was faster."""

from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

from features.context import Context
from features.errors import InvalidValueError
from model.decision import Decision, StopReason
from model.limits import proposal_in
from model.record import NOTHING, Halt, Record
from model.screening import retries_left
from serving.answers import answer_body
from serving.contexts import context_of
from serving.errors import FieldError, invalid_request
from serving.events_out.stops import stopped_by
from serving.idempotency import held_name
from serving.keeping import beside_hold, keep, keep_versions, kept_decision
from serving.ledger.answered import Answer, Claim, kept_answer
from serving.ledger.decisions import KeptDecision, kept_beside
from serving.ledger.events import Source
from serving.ledger.exposures import Exposure
from serving.ledger.facts import facts_of
from serving.ledger.ledger import HOLD_FOR, Ledger
from serving.ledger.recording import put_together
from serving.ledger.recoveries import Advised
from serving.ledger.reservations import Refused, Reservation, State
from serving.ledger.selecting import Selector
from serving.ledger.store import Question
from serving.ledger_access import LedgerAccess
from serving.ledger_events import attempt_event
from serving.metrics import Metrics
from serving.recorded import recorded
from serving.schemas import DecisionRequest
from serving.service import Service
from serving.traces import stage

_TRIES = 2
_OK, _JSON = 200, "application/json"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, the context that it answers, and what is held for it.

    Args:
        answer: The body of the answer, without the reservation.
        record: What counted beyond the context.
        refused: What was not held on the way to it.
        answer_kept: Whether the answer is kept under the key of its request already.
    """

    context: Context
    decision: Decision
    answer: bytes
    record: Record = NOTHING
    reservation: Reservation | None = None
    refused: tuple[Refused, ...] = ()
    answer_kept: bool = False

    @staticmethod
    def by(service: Service, context: Context, record: Record = NOTHING) -> "Decided":
        """What a service decides in a context with what is on record, and the body of the answer."""
        with stage("score and plan"):
            decision = service.decide(context, record)
        return Decided(context, decision, answer_body(decision, context), record)

    def kept(self, now: datetime) -> KeptDecision:
        """As it is kept, answered now."""
        return kept_decision(self.decision, self.context, self.record, self.answer, now)


async def decided_for(
    asked: DecisionRequest, service: Service, access: LedgerAccess, now: datetime, claim: Claim | None = None
) -> Decided:
    """The decision that a request asks for, with a place held where it asks for that too.

    Args:
        claim: The right to work on the request, under a key; asked again, what was held before is found.

    Raises:
        RequestError: The request contradicts itself, or the ledger that it needs cannot be asked.
    """
    began = perf_counter()
    context = _context(asked, now)
    held_as = None if claim is None else held_name(claim, asked.payment.payment_id)

    def work(ledger: Ledger) -> Decided:
        decided, unwritten = _decided(asked, context, service, access, ledger, now, held_as)
        if unwritten is None:
            return decided
        if claim is None:
            ledger.together.write(unwritten)
            return decided
        answer = Answer(_OK, _JSON, decided.answer)
        put_together(ledger.store, (unwritten, kept_answer(claim, answer, now)))
        return replace(decided, answer_kept=True)

    if access.ledger is None and not asked.reserve:
        decided = Decided.by(service, context)
    else:
        decided = await access.ask(work)
    count(decided, access.metrics, perf_counter() - began)
    return decided


def decided_here(
    asked: DecisionRequest, service: Service, access: LedgerAccess, now: datetime, reservation_id: str | None = None
) -> tuple[Decided, Question | None]:
    """The same in the thread of whoever asks, and what is to be written yet before it is counted and answered.

    Raises:
        RequestError: As for `decided_for`.
    """
    context = _context(asked, now)
    if access.ledger is None and not asked.reserve:
        return Decided.by(service, context), None
    return access.ask_here(lambda ledger: _decided(asked, context, service, access, ledger, now, reservation_id))


def _context(asked: DecisionRequest, now: datetime) -> Context:
    if asked.reserve and asked.as_of is not None:
        given = asked.as_of.isoformat()
        raise invalid_request((FieldError("as_of", given, "nothing with reserve: a place is held as of now"),))
    with stage("context"):
        return context_of(asked, now)


def _decided(
    asked: DecisionRequest,
    context: Context,
    service: Service,
    access: LedgerAccess,
    ledger: Ledger,
    now: datetime,
    reservation_id: str | None,
) -> tuple[Decided, Question | None]:
    if asked.reserve:
        return decide_and_reserve(ledger, access.selector, service, context, now, reservation_id), None
    return _decided_on_record(ledger, access.selector, service, context, now, live=asked.as_of is None)


def count(decided: Decided, metrics: Metrics, seconds: float) -> None:
    """Count what was decided and held, and how long that took."""
    metrics.decided(decided.decision, seconds)
    for refused in decided.refused:
        metrics.not_held(refused.reasons)
    if decided.reservation is not None:
        metrics.held()
    for last in decided.context.own_attempts[-1:]:
        metrics.declined(last.processor, last.decline, "decision")


def _decided_on_record(
    ledger: Ledger, selector: Selector, service: Service, context: Context, now: datetime, *, live: bool
) -> tuple[Decided, Question | None]:
    """The decision, and the statement that keeps it; None where it is kept already, with what it exposed."""
    service = _enrolling(ledger, service, context)
    with stage("record"):
        known = recorded(ledger, selector, context)
    decided = Decided.by(service, known.context, known.record)
    keep_versions(ledger, service)
    exposure, kept = _exposure(service, decided, now) if live else None, kept_beside(decided.kept(now))
    if exposure is None:
        return decided, kept
    ledger.expose(exposure, beside=kept)
    return decided, None


def _exposure(service: Service, decided: Decided, now: datetime) -> Exposure | None:
    """What is written of the variant that answers, with what the merchant's own limits left; None where it stands."""
    enrolled = service.enrolled
    if enrolled is None or enrolled.exposed:
        return None
    return enrolled.exposure(now, retries_left(decided.context, service.rulebook, decided.record))


def _enrolling(ledger: Ledger, service: Service, context: Context) -> Service:
    """What answers for the payment: the variant that did before, or else the one that it is assigned."""
    if not service.experiments.live:
        return service
    payment = context.payment
    return service.enrolling(context, ledger.exposed(payment.merchant_id, payment.payment_id, payment.customer_id))


def decide_and_reserve(
    ledger: Ledger,
    selector: Selector,
    service: Service,
    context: Context,
    now: datetime,
    reservation_id: str | None = None,
) -> Decided:
    """The decision with a hold on every counter that its retry would use.

    The attempts of the context are told to the ledger first, so that the one transaction that re-checks and holds
    counts them too. When a hold is refused because something happened in between, it is planned once more with what
    the ledger knows then; refused again, it stops and says why. What was held before under the same id, by a process
    that ended before it could answer, is answered again. The merchant's own systems are told of a hold in the
    transaction that makes it, and of a stop before it is answered. The decision is kept with the hold; one without a
    hold of its own is kept before it is answered.

    Raises:
        InvalidValueError: An attempt cannot be recorded.
        InputError: The ledger cannot be reached.
    """
    with stage("report"):
        _tell(ledger, context, now)
    service = _enrolling(ledger, service, context)
    keep_versions(ledger, service)
    decided = _decided_and_held(ledger, selector, service, context, now, reservation_id)
    if decided.reservation is None:
        exposure, kept = _exposure(service, decided, now), decided.kept(now)
        ledger.tell_stop(decided.context.payment, stopped_by(decided.decision), now, exposure, kept_beside(kept))
        if exposure is None:
            keep(ledger, kept)
    return decided


def _decided_and_held(
    ledger: Ledger,
    selector: Selector,
    service: Service,
    context: Context,
    now: datetime,
    reservation_id: str | None,
) -> Decided:
    earlier = reservation_id and ledger.maybe_reservation(context.payment.merchant_id, reservation_id)
    if earlier:
        if before := _decided_before(ledger, selector, service, context, earlier):
            return before
        reservation_id = None  # what it stands for is over, or is not what would be advised any more
    refused: tuple[Refused, ...] = ()
    for _ in range(_TRIES):
        with stage("record"):
            known = recorded(ledger, selector, context)
        decided = Decided.by(service, known.context, known.record)
        if decided.decision.retry is None:
            return replace(decided, refused=refused)
        with stage("reserve"):
            held = _hold(ledger, decided, _exposure(service, decided, now), now, reservation_id)
        if isinstance(held, Reservation):
            if held.held_at != now:  # by a request under the same id that was faster
                keep(ledger, decided.kept(now))
            return replace(decided, reservation=held, refused=refused)
        refused = (*refused, held)
    known = recorded(ledger, selector, context)
    sentences = tuple(reason.sentence for reason in refused[-1].reasons)
    stopped = replace(known.record, halt=known.record.halt or Halt(StopReason.NO_ALLOWED_ACTION, sentences))
    return replace(Decided.by(service, known.context, stopped), refused=refused)


def _tell(ledger: Ledger, context: Context, now: datetime) -> None:
    """The attempts of the context as they are listed, behind all that anybody says of one by itself.

    Told again the same way nothing changes.
    """
    methods = {method.method_id: method for method in context.methods}
    payment = context.payment
    facts = [facts_of(attempt, methods[attempt.method_id], payment) for attempt in context.attempts]
    events = [attempt_event(payment.merchant_id, Source.LISTED, one) for one in facts]
    ledger.record(events, now)


def _decided_before(
    ledger: Ledger, selector: Selector, service: Service, context: Context, earlier: Reservation
) -> Decided | None:
    """The decision that a hold was made for, as of then and without it; None where it would be another one today."""
    if earlier.state is not State.HELD:
        return None
    then = replace(context, as_of=earlier.held_at)
    known = recorded(ledger, selector, then, without=earlier.reservation_id)
    decided = replace(Decided.by(service, known.context, known.record), reservation=earlier)
    retry = decided.decision.retry
    if retry is None or max(retry.slot.start, earlier.held_at) != earlier.at:
        return None
    same = proposal_in(decided.context, retry.method_id, retry.processor) == earlier.proposal
    return decided if same else None


def _hold(
    ledger: Ledger, decided: Decided, exposure: Exposure | None, now: datetime, reservation_id: str | None
) -> Reservation | Refused:
    retry = decided.decision.retry
    if retry is None:
        raise InvalidValueError("action", "stop", "a retry, to hold a place for")
    proposal, kept = proposal_in(decided.context, retry.method_id, retry.processor), decided.kept(now)
    return ledger.reserve(
        proposal,
        max(retry.slot.start, now),
        now,
        reservation_id=reservation_id,
        expires_at=retry.slot.end + HOLD_FOR,
        advised=Advised(
            retry.slot.end,
            tuple(reason.sentence for reason in decided.decision.reasons),
            exposure,
        ),
        beside=lambda wanted: beside_hold(kept, wanted.reservation_id),
    )
