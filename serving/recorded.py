"""What the ledger knows about the payment and the methods of a request, read in one look before a decision."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from features.attempt import Attempt
from features.context import Context
from features.instants import to_micros
from features.method import Method
from features.vocabulary import Network, Outcome, Retryability
from model.candidates import usable_processors
from model.caps.engine import Proposal
from model.caps.fixes import Fix, FixKind
from model.caps.tally import Event
from model.decision import StopReason
from model.limits import proposal_in
from model.record import Halt, Record
from serving.ledger.advice import advice_in, advice_question
from serving.ledger.beyond import fixes_in, fixes_question
from serving.ledger.counting import Around, Held, around_in, known_network, near_question
from serving.ledger.holds import held_reasons
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reason, ReasonCode
from serving.ledger.selecting import FOR_EVER, Selector
from serving.ledger.situation import Situation, situation

_STOPS = {
    ReasonCode.PAID: StopReason.ALREADY_PAID,
    ReasonCode.CANCELLED: StopReason.CANCELLED,
    ReasonCode.OPTED_OUT: StopReason.OPTED_OUT,
    ReasonCode.ON_HOLD: StopReason.ON_HOLD,
    ReasonCode.ALREADY_HELD: StopReason.ATTEMPT_PENDING,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A context with what the ledger knows.

    Args:
        context: As asked, but without the consent that the ledger knows to be withdrawn, on the networks that it knows
            where the request names none, and with declines whose cause it knows to be mended counted as worth another
            try.
        record: The attempts, holds and volumes that count, what was mended, and what halts the recovery.
    """

    context: Context
    record: Record


def recorded(ledger: Ledger, selector: Selector, context: Context, without: str | None = None) -> Recorded:
    """What the ledger knows, all of one and the same state.

    Args:
        without: A reservation that is left out, to see what was known before it was made.

    Raises:
        InputError: The ledger cannot be reached.
    """
    on = _proposals(context)
    now, payment = to_micros(context.as_of), context.payment
    with ledger.store.reading() as transaction:
        rows = transaction.ask(  # in one exchange, where the database can
            *[near_question(one, FOR_EVER) for one in on],
            *[fixes_question(one) for one in on],
            advice_question(payment.merchant_id, payment.payment_id),
        )
        near, mended, against = [around_in(one) for one in rows[: len(on)]], rows[len(on) : -1], rows[-1]
        context = _on_known_networks(context, near)
        found = [
            situation(transaction, selector, proposal, context.as_of, near=around)
            for method, around in zip(context.methods, near, strict=True)
            for proposal in _through_all(context, method)
        ]
        rules = {rule.rule_id: rule for one in found for rule in one.selected.rulebook.rules}
        volumes = ledger.recent_volumes.of(transaction, payment.merchant_id, rules.values(), now)
    fixes, advice = fixes_in(on, mended), advice_in(against)
    if without is not None:
        found = [replace(one, held=tuple(h for h in one.held if h.reservation_id != without)) for one in found]
    events = _live(found, now)
    withdrawn = {s.proposal.method.method_id for s in found if ReasonCode.CONSENT_WITHDRAWN in _codes(s)}
    methods = tuple(_without_consent(m) if m.method_id in withdrawn else m for m in context.methods)
    attempts = tuple(_since_mended(attempt, fixes) for attempt in context.attempts)
    same = methods == context.methods and attempts == context.attempts
    known = context if same else replace(context, methods=methods, attempts=attempts)
    halt = _halt(context, found, events, advice)
    return Recorded(known, Record(tuple(events.values()), halt, volumes, fixes))


def _proposals(context: Context) -> list[Proposal]:
    """One of each method; what the ledger knows of a method is the same through all processors."""
    return [next(_through_all(context, method)) for method in context.methods]


def _through_all(context: Context, method: Method) -> Iterator[Proposal]:
    for processor in usable_processors(context, method) or ("",):
        yield proposal_in(context, method.method_id, processor)


def _on_known_networks(context: Context, near: Sequence[Around]) -> Context:
    """The context; a method whose network it does not name is on that of its latest attempt of which it is known."""
    methods = tuple(
        replace(method, network=known_network(method.method_id, around) or method.network)
        if method.network is Network.UNKNOWN
        else method
        for method, around in zip(context.methods, near, strict=True)
    )
    return context if methods == context.methods else replace(context, methods=methods)


def _live(found: Iterable[Situation], now: int) -> dict[str, Event]:
    """What counts, each attempt once; a hold whose time is over counts no longer."""
    over = {hold.reservation_id for s in found for hold in s.held if hold.expires_at <= now}
    return {event.attempt_id: event for s in found for event in s.counted.events if event.attempt_id not in over}


def _codes(found: Situation) -> set[ReasonCode]:
    return {reason.code for reason in found.standings}


def _since_mended(attempt: Attempt, fixes: Iterable[Fix]) -> Attempt:
    """The attempt; what it was declined for speaks no more against trying again where just that was mended since."""
    decline = attempt.decline
    if decline is None or decline.retryability is not Retryability.AFTER_FIX:
        return attempt
    mended = any(
        fix.kind is FixKind.DETAILS and fix.method_id == attempt.method_id and fix.at > to_micros(attempt.known_at)
        for fix in fixes
    )
    return replace(attempt, decline=replace(decline, retryability=Retryability.LATER)) if mended else attempt


def _without_consent(method: Method) -> Method:
    return replace(method, consented=False)


def _halt(
    context: Context, found: list[Situation], events: dict[str, Event], advice: tuple[Reason, ...]
) -> Halt | None:
    """The gravest thing that the ledger knows against any attempt on the payment."""
    held = {h.reservation_id: h for s in found for h in s.held if h.reservation_id in events}
    reasons = [*_standings(found), *advice, *_held(found, held)]
    for code, stop in _STOPS.items():
        sentences = tuple(dict.fromkeys(reason.sentence for reason in reasons if reason.code is code))
        if sentences:
            return Halt(stop, sentences)
    return _pending(context, (event for name, event in events.items() if name not in held))


def _standings(found: list[Situation]) -> Iterator[Reason]:
    for one in found:
        yield from one.standings


def _held(found: list[Situation], held: dict[str, Held]) -> list[Reason]:
    return held_reasons(tuple(held.values()), found[0].proposal)


def _pending(context: Context, attempts: Iterable[Event]) -> Halt | None:
    """An attempt on the payment whose outcome neither the ledger nor the request knows."""
    known = {attempt.attempt_id for attempt in context.attempts if attempt.outcome is not Outcome.UNKNOWN}
    own = (event for event in attempts if event.payment_id == context.payment.payment_id)
    for event in own:
        if event.outcome is Outcome.UNKNOWN and event.attempt_id not in known:
            sentence = (
                f"Attempt {event.attempt_id} of this payment has no final outcome yet; another could charge twice."
            )
            return Halt(StopReason.ATTEMPT_PENDING, (sentence,))
    return None
