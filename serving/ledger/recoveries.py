"""Recoveries: begun when a retry is asked for, followed by whatever is told, ended by exactly one event."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.instants import from_micros, to_micros
from features.payment import Payment
from serving.ledger.exposures import Exposure
from serving.ledger.outbox import EventType, Outbox, Written, put_event
from serving.ledger.reservations import ReasonCode, Refused, Reservation
from serving.ledger.store import Store, Transaction, Value, number_of

PENDING_FOR = timedelta(days=30)
"""An attempt without an answer keeps its recovery open for so long after the payment's time is over."""

_REOPENED = "payment_reopened"


@dataclass(frozen=True, slots=True)
class Advised:
    """What goes with the reservation of a retry: what its merchant is told, and the variant that advised it.

    Args:
        until: The end of the window that is advised.
        why: One sentence a reason.
        exposure: Written in the transaction that holds.
    """

    until: datetime | None = None
    why: tuple[str, ...] = ()
    exposure: Exposure | None = None


UNEXPLAINED = Advised()


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A rule that forbids a retry; `frees_at` None where it never allows one again."""

    rule_id: str
    method_id: str
    sentence: str
    used: int | None = None
    limit: int | None = None
    frees_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A decision that no retry is to be made.

    Args:
        reason: In one word.
        for_good: Whether no retry of the payment can follow as things stand.
        sentences: The same for people.
        payer_could: What only the payer can do about it, most helpful first.
        limits: The rules that forbid.
    """

    reason: str
    for_good: bool
    sentences: tuple[str, ...] = ()
    payer_could: tuple[str, ...] = ()
    limits: tuple[LimitReached, ...] = ()


@dataclass(frozen=True, slots=True)
class _Recovery:
    number: int
    started_at: int
    recover_by: int
    ended_at: int | None
    ending: str | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """How a payment stands."""

    attempts: int
    pending: int
    held: int
    word: str
    said_at: int
    paying: tuple[str, int, str, str, int, str] | None

    @property
    def paid(self) -> bool:
        if self.word == "payment_paid":
            return True
        return self.paying is not None and not (self.word == _REOPENED and self.paying[1] <= self.said_at)

    @property
    def cancelled(self) -> bool:
        return not self.paid and self.word == "payment_cancelled"


def scheduled(transaction: Transaction, outbox: Outbox, made: Reservation, advised: Advised) -> None:
    """A retry has its place: told, in a recovery that begins with it where none runs."""
    proposal, now = made.proposal, to_micros(made.held_at)
    about = _begun(transaction, proposal.payment, now, after_end=True)
    if about is None:
        return
    facts = _facts(transaction, about.merchant_id, about.payment_id, now)
    details = {
        "reservation_id": made.reservation_id,
        "at": made.at,
        "until": advised.until,
        "method_id": proposal.method.method_id,
        "processor": proposal.processor,
        "amount_minor": proposal.payment.amount.amount_minor,
        "currency": proposal.payment.amount.currency,
        "attempt_number": facts.attempts + 1,
        "why": advised.why,
    }
    put_event(transaction, outbox, about, EventType.SCHEDULED, made.reservation_id, details, now)
    follow(transaction, outbox, about.merchant_id, about.payment_id, now)


def refused(transaction: Transaction, outbox: Outbox, wanted: Reservation, why: Refused) -> None:
    """A retry was refused its place: told where it is a limit that refuses it."""
    capped = [verdict for verdict in why.verdicts if not verdict.allowed]
    if not capped or any(reason.code is not ReasonCode.OVER_CAP for reason in why.reasons):
        return
    method_id = wanted.proposal.method.method_id
    limits = tuple(
        LimitReached(v.rule_id, method_id, v.sentence, v.used, v.limit, v.frees_at) for v in dict.fromkeys(capped)
    )
    stop = Stopped("no_allowed_action", for_good=False, limits=limits)
    stopped(transaction, outbox, wanted.proposal.payment, stop, to_micros(wanted.held_at))


def stopped(transaction: Transaction, outbox: Outbox, payment: Payment, stop: Stopped, now: int) -> None:
    """No retry is advised: told what only the payer can mend, which limits are reached, and the end if it is one.

    Nothing is told of a payment that is paid, cancelled or held for, nor of a recovery that has ended.
    """
    merchant_id, payment_id = payment.merchant_id, payment.payment_id
    follow(transaction, outbox, merchant_id, payment_id, now)
    facts = _facts(transaction, merchant_id, payment_id, now)
    tells = stop.for_good or stop.limits or stop.payer_could
    if not tells or facts.paid or facts.cancelled or facts.held or facts.pending:
        return
    about = _begun(transaction, payment, now, after_end=False)
    if about is None:
        return
    for one in stop.limits:
        subject = f"{one.rule_id}/{one.method_id}/{facts.attempts}"
        put_event(transaction, outbox, about, EventType.LIMIT_REACHED, subject, _limit(one), now)
    if stop.payer_could:
        told = {"reason": stop.reason, "payer_could": stop.payer_could, "why": stop.sentences}
        subject = "/".join((str(facts.attempts), *stop.payer_could))
        put_event(transaction, outbox, about, EventType.ACTION_NEEDED, subject, told, now)
    if stop.for_good:
        _exhausted(transaction, outbox, about, stop.reason, stop.sentences, facts.attempts, now)


def follow(
    transaction: Transaction,
    outbox: Outbox,
    merchant_id: str,
    payment_id: str,
    now: int,
    reopened_at: int | None = None,
) -> None:
    """End or begin again the recovery of a payment by how the payment stands now.

    Args:
        reopened_at: Since when the payment is owed again, where that is what was just told.
    """
    _lock(transaction, merchant_id, payment_id)
    recovery = _recovery(transaction, merchant_id, payment_id)
    if recovery is None:
        return
    facts = _facts(transaction, merchant_id, payment_id, now)
    about = Written(merchant_id, payment_id, recovery.number)
    if recovery.ended_at is None:
        _end_as_it_stands(transaction, outbox, about, facts, recovery, now)
    elif _owed_again(recovery, facts, reopened_at):
        window = recovery.recover_by - recovery.started_at
        _put(transaction, merchant_id, payment_id, recovery.number + 1, now, max(recovery.recover_by, now + window))


def lapse(store: Store, outbox: Outbox, now: datetime, most: int) -> int:
    """End the recoveries whose time is over; how many there were."""
    micros = to_micros(now)
    asked = {"now": micros, "pending_since": to_micros(now - PENDING_FOR), "most": most}
    with store.reading() as transaction:
        (rows,) = transaction.ask(("lapsed_recoveries", asked))
    for merchant_id, payment_id in rows:
        with store.writing() as transaction:
            _lapse(transaction, outbox, str(merchant_id), str(payment_id), micros)
    return len(rows)


def _lapse(transaction: Transaction, outbox: Outbox, merchant_id: str, payment_id: str, now: int) -> None:
    follow(transaction, outbox, merchant_id, payment_id, now)
    recovery = _recovery(transaction, merchant_id, payment_id)
    facts = _facts(transaction, merchant_id, payment_id, now)
    if recovery is None or recovery.ended_at is not None or recovery.recover_by > now or facts.held:
        return
    sentence = f"Retries of this payment ended on {from_micros(recovery.recover_by):%Y-%m-%d %H:%M} UTC."
    about = Written(merchant_id, payment_id, recovery.number)
    _exhausted(transaction, outbox, about, "recovery_window_over", (sentence,), facts.attempts, now)


def _begun(transaction: Transaction, payment: Payment, now: int, *, after_end: bool) -> Written | None:
    """The running recovery of a payment, begun where there is none; None where the last ended and none may follow."""
    merchant_id, payment_id = payment.merchant_id, payment.payment_id
    _lock(transaction, merchant_id, payment_id)
    recovery = _recovery(transaction, merchant_id, payment_id)
    if recovery is not None and recovery.ended_at is not None and not after_end:
        return None
    runs = recovery is not None and recovery.ended_at is None
    number = 1 if recovery is None else recovery.number + (not runs)
    started_at = recovery.started_at if recovery is not None and runs else now
    _put(transaction, merchant_id, payment_id, number, started_at, to_micros(payment.recover_by))
    return Written(merchant_id, payment_id, number)


def _end_as_it_stands(
    transaction: Transaction, outbox: Outbox, about: Written, facts: _Facts, recovery: _Recovery, now: int
) -> None:
    if facts.paid:
        put_event(transaction, outbox, about, EventType.RECOVERED, "", _recovered(facts, recovery), now)
        _end(transaction, about, "recovered", now)
    elif facts.cancelled:
        sentence = f"The payment was cancelled on {from_micros(facts.said_at):%Y-%m-%d %H:%M} UTC."
        _exhausted(transaction, outbox, about, "cancelled", (sentence,), facts.attempts, now)


def _owed_again(recovery: _Recovery, facts: _Facts, reopened_at: int | None) -> bool:
    if facts.paid or facts.cancelled or recovery.ended_at is None:
        return False
    return recovery.ending in {"recovered", "cancelled"} or (reopened_at or 0) > recovery.ended_at


def _recovered(facts: _Facts, recovery: _Recovery) -> dict[str, object]:
    """How it was paid; an approval from before a later recovery began ended an earlier one."""
    paying = facts.paying
    if paying is None or (recovery.number > 1 and paying[1] < recovery.started_at):
        return {"by": "other_means", "at": from_micros(facts.said_at), "attempts": facts.attempts}
    attempt_id, at, method_id, processor, amount_minor, currency = paying
    return {
        "by": "attempt",
        "at": from_micros(at),
        "attempts": facts.attempts,
        "attempt_id": attempt_id,
        "method_id": method_id,
        "processor": processor,
        "amount_minor": amount_minor,
        "currency": currency,
    }


def _limit(one: LimitReached) -> dict[str, object]:
    return {
        "rule_id": one.rule_id,
        "method_id": one.method_id,
        "used": one.used,
        "limit": one.limit,
        "frees_at": one.frees_at,
        "why": one.sentence,
    }


def _exhausted(
    transaction: Transaction,
    outbox: Outbox,
    about: Written,
    reason: str,
    sentences: tuple[str, ...],
    attempts: int,
    now: int,
) -> None:
    details = {"reason": reason, "attempts": attempts, "why": sentences}
    put_event(transaction, outbox, about, EventType.EXHAUSTED, "", details, now)
    _end(transaction, about, reason, now)


def _lock(transaction: Transaction, merchant_id: str, payment_id: str) -> None:
    transaction.ask(("lock_recovery", {"key": number_of(merchant_id, "recovery", payment_id)}))


def _recovery(transaction: Transaction, merchant_id: str, payment_id: str) -> _Recovery | None:
    (rows,) = transaction.ask(("recovery", {"merchant_id": merchant_id, "payment_id": payment_id}))
    if not rows:
        return None
    number, started_at, recover_by, ended_at, ending = rows[0]
    return _Recovery(
        int(number or 0),
        int(started_at or 0),
        int(recover_by or 0),
        None if ended_at is None else int(ended_at),
        None if ending is None else str(ending),
    )


def _facts(transaction: Transaction, merchant_id: str, payment_id: str, now: int) -> _Facts:
    where: dict[str, Value] = {"merchant_id": merchant_id, "payment_id": payment_id, "now": now}
    (rows,) = transaction.ask(("recovery_facts", where))
    attempts, pending, held, word, said_at, attempt_id, at, method_id, processor, amount, currency = rows[0]
    paying = None
    if attempt_id is not None:
        paying = (str(attempt_id), int(at or 0), str(method_id), str(processor), int(amount or 0), str(currency))
    return _Facts(int(attempts or 0), int(pending or 0), int(held or 0), str(word or ""), int(said_at or 0), paying)


def _put(
    transaction: Transaction, merchant_id: str, payment_id: str, number: int, started_at: int, recover_by: int
) -> None:
    row: dict[str, Value] = {
        "merchant_id": merchant_id,
        "payment_id": payment_id,
        "number": number,
        "started_at": started_at,
        "recover_by": recover_by,
    }
    transaction.put("put_recovery", row)


def _end(transaction: Transaction, about: Written, ending: str, now: int) -> None:
    row: dict[str, Value] = {
        "merchant_id": about.merchant_id,
        "payment_id": about.payment_id,
        "number": about.recovery,
        "ending": ending,
        "now": now,
    }
    transaction.put("end_recovery", row)
