"""The ledger: counts what was attempted, and holds a place in every counter for what may be attempted next."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex

from features.attempt import Attempt
from features.errors import InvalidValueError, RecoupError
from features.instants import require_aware, to_micros
from features.vocabulary import Outcome
from model.caps.engine import Proposal, Verdict, prepare
from model.caps.rulebook import Rulebook
from model.caps.tally import Tally
from serving.ledger import recording
from serving.ledger.counting import Counted, Held, Selector, counted, near_question, standing_question
from serving.ledger.events import LedgerEvent, Source, reported
from serving.ledger.facts import facts_of
from serving.ledger.migrate import require_current
from serving.ledger.opening import store_at
from serving.ledger.recording import Recorded, lock_key
from serving.ledger.reservations import (
    Check,
    Reason,
    ReasonCode,
    Refused,
    Reservation,
    Settled,
    State,
    cap_reasons,
    reservation_from,
    standing_reasons,
    values_of,
)
from serving.ledger.store import LedgerConflictError, Row, Store, Transaction

HOLD_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Situation:
    """A proposal as the ledger stands: what it counts with, what the rules say, and what else speaks against it."""

    counted: Counted
    verdicts: tuple[Verdict, ...]
    standings: tuple[Reason, ...]


class Ledger:
    """Attempts, reservations and standings of every merchant in one database.

    Instants are given, never read from a clock. Every method that writes is safe to repeat.
    """

    def __init__(self, store: Store, rulebook: Rulebook) -> None:
        self._store = store
        self._rulebook = rulebook
        self._selector = Selector(rulebook)

    @staticmethod
    def at(url: str, rulebook: Rulebook | None = None) -> "Ledger":
        """The ledger in the database at an address; an empty database is made into one.

        Raises:
            InvalidValueError: Not the address of a database.
            InputError: It cannot be reached, or is of another version.
        """
        store = store_at(url)
        try:
            require_current(store)
        except RecoupError:
            store.close()
            raise
        return Ledger(store, rulebook or Rulebook.load())

    @property
    def store(self) -> Store:
        """The database."""
        return self._store

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def record(self, events: Sequence[LedgerEvent], now: datetime) -> Recorded:
        """Append what was told, all of it or nothing; what was told before changes nothing.

        Raises:
            InvalidValueError: An id was used before for something else.
        """
        return recording.record(self._store, events, to_micros(now))

    def tally(self, proposal: Proposal, at: datetime) -> Tally:
        """The counters that rules may look at for such an attempt at an instant; what is held counts as pending."""
        with self._store.reading() as transaction:
            return self._counted(transaction, proposal, at)[0].tally(to_micros(at))

    def verdicts(self, proposal: Proposal, at: datetime) -> tuple[Verdict, ...]:
        """What every rule says about such an attempt at an instant, as things stand."""
        with self._store.reading() as transaction:
            return self._situation(transaction, proposal, at).verdicts

    def reserve(
        self,
        proposal: Proposal,
        at: datetime,
        now: datetime,
        *,
        reservation_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> Reservation | Refused:
        """Hold a place in every counter that the attempt would use, if every rule allows it.

        Args:
            at: When it is to be made, not before `now`.
            reservation_id: Asked again under the same id, the same reservation is returned.
            expires_at: When the hold ends by itself; by default an hour after `at`.

        Raises:
            InvalidValueError: The id stands for another proposal, or an instant is out of order.
        """
        wanted = Reservation(
            reservation_id=reservation_id or f"rsv_{token_hex(12)}",
            proposal=proposal,
            at=require_aware("at", at),
            held_at=require_aware("now", now),
            expires_at=require_aware("expires_at", expires_at or at + HOLD_FOR),
            state=State.HELD,
            rulebook=self._rulebook.version,
        )
        _check_order(wanted)
        try:
            return self._reserve(wanted, repeated=reservation_id is not None)
        except LedgerConflictError:
            # The same id was asked for twice at once under different counters: whoever came first has it.
            with suppress(InvalidValueError):
                return _same(self.reservation(proposal.payment.merchant_id, wanted.reservation_id), wanted)
            raise

    def reservation(self, merchant_id: str, reservation_id: str) -> Reservation:
        """One reservation.

        Raises:
            InvalidValueError: There is none of that id.
        """
        with self._store.reading() as transaction:
            return _found(transaction, merchant_id, reservation_id)

    def settle(self, merchant_id: str, reservation_id: str, attempt: Attempt, now: datetime) -> Settled:
        """The attempt was made: it counts from now on, and the hold is spent.

        It counts too when the hold had ended before, because it was made; the answer says so. Settled again with
        the same attempt, nothing changes; a later outcome of the same attempt is recorded with it.

        Raises:
            InvalidValueError: There is no such reservation, it was spent by another attempt, or the attempt is of
                another payment or method.
        """
        locks = [lock_key(merchant_id, "attempt", attempt.attempt_id)]
        with self._store.writing(locks, [lock_key(merchant_id, "recording")]) as transaction:
            before = _found(transaction, merchant_id, reservation_id)
            _check_attempt(before, attempt)
            closed = _close(transaction, merchant_id, reservation_id, State.SPENT, now, attempt_id=attempt.attempt_id)
            after = _found(transaction, merchant_id, reservation_id)
            if after.state is State.SPENT and after.attempt_id != attempt.attempt_id:
                raise InvalidValueError(
                    "attempt_id", attempt.attempt_id, f"the attempt that spent it: {after.attempt_id}"
                )
            event = _settling(before, attempt)
            recording.append(transaction, event, to_micros(now))
        return _settled(after, attempt, closed=closed)

    def release(self, merchant_id: str, reservation_id: str, now: datetime, reason: str | None = None) -> Reservation:
        """The attempt will not be made: the hold is let go. A hold that has ended is left as it ended.

        Raises:
            InvalidValueError: There is no such reservation.
        """
        with self._store.writing() as transaction:
            _close(transaction, merchant_id, reservation_id, State.RELEASED, now, reason=reason)
            return _found(transaction, merchant_id, reservation_id)

    def expire(self, now: datetime) -> int:
        """End every hold whose time is over; how many there were."""
        with self._store.writing() as transaction:
            return transaction.change("expire_reservations", {"now": to_micros(now)})

    def check(self, merchant_id: str, reservation_id: str, at: datetime) -> Check:
        """Whether the reserved attempt may be fired at this instant, and why not.

        Raises:
            InvalidValueError: There is no such reservation.
        """
        with self._store.reading() as transaction:
            reservation = _found(transaction, merchant_id, reservation_id)
            situation = self._situation(transaction, reservation.proposal, at, without=reservation_id)
        reasons = (*_hold_reasons(reservation, at), *situation.standings, *cap_reasons(situation.verdicts))
        return Check(reservation, reasons, situation.verdicts)

    def _reserve(self, wanted: Reservation, *, repeated: bool) -> Reservation | Refused:
        with self._store.writing(_locks(wanted.proposal)) as transaction:
            if repeated and (earlier := _maybe(transaction, _merchant(wanted), wanted.reservation_id)):
                return _same(earlier, wanted)
            situation = self._situation(transaction, wanted.proposal, wanted.at)
            if _expired(transaction, wanted, situation.counted.held):
                situation = self._situation(transaction, wanted.proposal, wanted.at)
            reasons = (
                *situation.standings,
                *_held_reasons(situation.counted.held, wanted.proposal),
                *cap_reasons(situation.verdicts),
            )
            if reasons:
                return Refused(reasons, situation.verdicts)
            transaction.put("insert_reservation", values_of(wanted))
        return wanted

    def _situation(
        self, transaction: Transaction, proposal: Proposal, at: datetime, without: str | None = None
    ) -> Situation:
        found, standings, rulebook = self._counted(transaction, proposal, at)
        tally = found.tally(to_micros(at), without=without)
        said = prepare(rulebook, tally, proposal).at(at)
        own = (event for event in found.events if event.payment_id == proposal.payment.payment_id)
        paying = max((e for e in own if e.outcome is Outcome.APPROVED), key=lambda event: event.at, default=None)
        return Situation(found, said, tuple(standing_reasons(proposal, standings, paying)))

    def _counted(
        self, transaction: Transaction, proposal: Proposal, at: datetime
    ) -> tuple[Counted, list[Row], Rulebook]:
        selected = self._selector.selected(proposal, require_aware("at", at))
        near, standings = transaction.ask(near_question(proposal), standing_question(proposal))
        return counted(transaction, proposal, at, selected.reach, near), standings, selected.rulebook


def _locks(proposal: Proposal) -> list[int]:
    """Whoever shares a counter shares one of these; each is locked in the order of its number."""
    merchant_id, method = proposal.payment.merchant_id, proposal.method
    keys = [("payment", proposal.payment.payment_id), ("method", method.method_id)]
    keys += [("mandate", method.mandate_id)] if method.mandate_id else []
    return [lock_key(merchant_id, scope, identity) for scope, identity in keys]


def _expired(transaction: Transaction, wanted: Reservation, held: Sequence[Held]) -> bool:
    """End the holds in the way whose time is over; whether there were any."""
    now = to_micros(wanted.held_at)
    over = sorted(hold.reservation_id for hold in held if hold.expires_at <= now)
    for reservation_id in over:
        _close(transaction, _merchant(wanted), reservation_id, State.EXPIRED, wanted.held_at)
    return bool(over)


def _merchant(reservation: Reservation) -> str:
    return reservation.proposal.payment.merchant_id


def _check_order(wanted: Reservation) -> None:
    if wanted.expires_at <= wanted.held_at:
        raise InvalidValueError("expires_at", wanted.expires_at.isoformat(), "an instant after now")
    if wanted.at < wanted.held_at:
        raise InvalidValueError("at", wanted.at.isoformat(), f"an instant not before {wanted.held_at.isoformat()}")


def _check_attempt(reservation: Reservation, attempt: Attempt) -> None:
    proposal = reservation.proposal
    for name, value, right in (
        ("payment_id", attempt.payment_id, proposal.payment.payment_id),
        ("method_id", attempt.method_id, proposal.method.method_id),
    ):
        if value != right:
            raise InvalidValueError(name, value, f"that of the reservation: {right}")


def _same(earlier: Reservation, wanted: Reservation) -> Reservation:
    if (earlier.proposal, earlier.at) != (wanted.proposal, wanted.at):
        raise InvalidValueError(
            "reservation_id", wanted.reservation_id, "an id that does not stand for another proposal already"
        )
    return earlier


def _maybe(transaction: Transaction, merchant_id: str, reservation_id: str) -> Reservation | None:
    where = {"merchant_id": merchant_id, "reservation_id": reservation_id}
    (rows,) = transaction.ask(("reservation", where))
    return reservation_from(rows[0]) if rows else None


def _found(transaction: Transaction, merchant_id: str, reservation_id: str) -> Reservation:
    found = _maybe(transaction, merchant_id, reservation_id)
    if found is None:
        raise InvalidValueError("reservation_id", reservation_id, "the id of a reservation of this merchant")
    return found


def _close(
    transaction: Transaction,
    merchant_id: str,
    reservation_id: str,
    state: State,
    now: datetime,
    *,
    reason: str | None = None,
    attempt_id: str | None = None,
) -> bool:
    """End the hold; False when it had ended before."""
    return bool(
        transaction.change(
            "close_reservation",
            {
                "merchant_id": merchant_id,
                "reservation_id": reservation_id,
                "state": state.value,
                "closed_at": to_micros(now),
                "reason": reason,
                "attempt_id": attempt_id,
            },
        )
    )


def _settling(reservation: Reservation, attempt: Attempt) -> LedgerEvent:
    """The attempt as an event of its own: one for what is pending, another for its outcome."""
    proposal = reservation.proposal
    facts = facts_of(attempt, proposal.method, proposal.payment, reservation.reservation_id)
    event = reported(_merchant(reservation), Source.ADVISED, reservation.reservation_id, facts)
    return replace(event, source_event_id=f"{reservation.reservation_id}/x{lock_key(event.body) & (1 << 63) - 1:x}")


def _settled(after: Reservation, attempt: Attempt, *, closed: bool) -> Settled:
    late = after.state is not State.SPENT
    if late:
        ended = f"The reservation had {'expired' if after.state is State.EXPIRED else 'been released'} before"
        return Settled(after, True, f"{ended}; attempt {attempt.attempt_id} counts all the same, because it was made.")
    again = "" if closed else " already"
    return Settled(after, False, f"The reservation is{again} spent by attempt {attempt.attempt_id}.")


def _hold_reasons(reservation: Reservation, at: datetime) -> list[Reason]:
    name = reservation.reservation_id
    if reservation.state is not State.HELD:
        return [Reason(ReasonCode.NOT_HELD, f"Reservation {name} is {reservation.state.value}, not held.")]
    if at >= reservation.expires_at:
        return [Reason(ReasonCode.EXPIRED, f"Reservation {name} ended at {reservation.expires_at.isoformat()}.")]
    return []


def _held_reasons(held: Sequence[Held], proposal: Proposal) -> list[Reason]:
    """Another attempt on the payment is allowed already; a second might charge the payer twice."""
    return [
        Reason(ReasonCode.ALREADY_HELD, f"Reservation {hold.reservation_id} for this payment is still held.")
        for hold in held
        if hold.payment_id == proposal.payment.payment_id
    ]
