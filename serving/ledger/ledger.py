"""The ledger: counts what was attempted, and holds a place in every counter for what may be attempted next."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from os import urandom

from features.attempt import Attempt
from features.card_number import refuse_card_number, refuse_card_numbers
from features.errors import InvalidValueError, RecoupError
from features.instants import require_aware, to_micros
from features.payment import Payment
from model.caps.engine import Proposal, Verdict
from model.caps.rulebook import Rulebook
from model.caps.tally import Tally
from serving.ledger import recording, recoveries
from serving.ledger.at_once import reserve_at_once
from serving.ledger.beyond import forbidding, weighed
from serving.ledger.events import EventKind, LedgerEvent, Source, reported
from serving.ledger.exposures import Exposure, Known, known_of, put_exposure
from serving.ledger.facts import Facts, facts_of
from serving.ledger.group import GroupWriter
from serving.ledger.holds import (
    end_hold,
    expire_in_the_way,
    found,
    held_reasons,
    hold_reasons,
    locks_of,
    maybe_found,
    same,
)
from serving.ledger.identity import Authority, of_another
from serving.ledger.migrate import require_current
from serving.ledger.opening import store_at
from serving.ledger.outbox import SILENT, Outbox
from serving.ledger.recent_volumes import RecentVolumes
from serving.ledger.recording import Recorded, attempt_lock, recording_lock
from serving.ledger.recoveries import UNEXPLAINED, Advised, Stopped
from serving.ledger.reservations import (
    Check,
    Refused,
    Reservation,
    Settled,
    State,
    cap_reasons,
    values_of,
)
from serving.ledger.selecting import Selector
from serving.ledger.situation import Situation, situation
from serving.ledger.statements import statements_of
from serving.ledger.store import LedgerConflictError, Question, Store, Transaction, number_of

HOLD_FOR = timedelta(hours=1)


class TakenIdError(InvalidValueError):
    """An id stands for something else already."""


class Ledger:
    """Attempts, reservations and standings of every merchant in one database.

    Instants are given, never read from a clock. Every method that writes is safe to repeat.

    Args:
        outbox: Which merchants are told what becomes of their payments.
    """

    def __init__(self, store: Store, rulebook: Rulebook, outbox: Outbox = SILENT) -> None:
        self.outbox = outbox
        self._store = store
        self._rulebook = rulebook
        self._selector = Selector(rulebook)
        self.recent_volumes = RecentVolumes()
        self.together = GroupWriter(store)
        self.versions_kept: set[tuple[str, str]] = set()
        self.when_ended: Callable[[State, int], None] = lambda state, holds: None  # noqa: ARG005 - nobody asked

    @staticmethod
    def opened(url: str, rulebook: Rulebook | None = None, outbox: Outbox = SILENT) -> "Ledger":
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
        return Ledger(store, rulebook or Rulebook.load(), outbox)

    @property
    def store(self) -> Store:
        """The database."""
        return self._store

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def require_own_id(self, reservation: Reservation, attempt: Attempt) -> None:
        """Refuse the id of another attempt, before a reservation that is not spent is settled with it.

        Raises:
            TakenIdError: The attempt's id is known as that of another attempt, or was withdrawn.
        """
        if reservation.state is not State.SPENT:
            with self._store.reading() as transaction:
                _check_id_of_its_own(transaction, reservation, attempt)

    def record(self, events: Sequence[LedgerEvent], now: datetime) -> Recorded:
        """Append what was told, all of it or nothing; what was told before changes nothing.

        Raises:
            InvalidValueError: An id was used before for something else.
        """
        return recording.record(self._store, events, to_micros(now), self.outbox)

    def tally(self, proposal: Proposal, at: datetime) -> Tally:
        """The counters that rules may look at for such an attempt at an instant; what is held counts as pending."""
        with self._store.reading() as transaction:
            return Tally(self._situation(transaction, proposal, at).tally.events)

    def verdicts(self, proposal: Proposal, at: datetime) -> tuple[Verdict, ...]:
        """What every rule says about such an attempt at an instant, as things stand."""
        with self._store.reading() as transaction:
            return weighed(transaction, self._situation(transaction, proposal, at))

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
        """Hold a place in every counter that the attempt would use, if every rule allows it.

        Args:
            at: When it is to be made, not before `now`.
            reservation_id: Asked again under the same id, the same reservation is returned.
            expires_at: When the hold ends by itself; by default an hour after `at`.
            advised: What the merchant's own systems are told about it.
            beside: What is written in the transaction that makes the hold, such as the decision that asked for it.

        Raises:
            InvalidValueError: The id stands for another proposal, or an instant is out of order.
            CardNumberError: An id looks like a card number.
        """
        now = require_aware("now", now)
        wanted = Reservation(
            reservation_id=reservation_id or _new_id(now),
            proposal=proposal,
            at=require_aware("at", at),
            held_at=now,
            expires_at=require_aware("expires_at", expires_at or at + HOLD_FOR),
            state=State.HELD,
            rulebook=self._rulebook.version,
        )
        _check_order(wanted)
        _check_ids(wanted, reservation_id)
        try:
            return self._reserve(wanted, advised, beside and beside(wanted), repeated=reservation_id is not None)
        except LedgerConflictError:
            # The same id was asked for at once for something else, under other locks: whoever came first has it.
            return same(self.reservation(proposal.payment.merchant_id, wanted.reservation_id), wanted)

    def reservation(self, merchant_id: str, reservation_id: str) -> Reservation:
        """One reservation.

        Raises:
            InvalidValueError: There is none of that id.
        """
        with self._store.reading() as transaction:
            return found(transaction, merchant_id, reservation_id)

    def maybe_reservation(self, merchant_id: str, reservation_id: str) -> Reservation | None:
        """One reservation, if there is one of that id."""
        with self._store.reading() as transaction:
            return maybe_found(transaction, merchant_id, reservation_id)

    def settle(self, merchant_id: str, reservation_id: str, attempt: Attempt, now: datetime) -> Settled:
        """The attempt was made: it counts from now on, and the hold is spent.

        It counts too when the hold had ended before, because it was made; the answer says so. Settled again with
        the same attempt, nothing changes; a later outcome of the same attempt is recorded with it.

        Raises:
            InvalidValueError: There is no such reservation, it was spent by another attempt, or the attempt is of
                another payment or method.
            TakenIdError: The attempt's id is known as that of another attempt, or was withdrawn.
        """
        locks = [attempt_lock(merchant_id, attempt.attempt_id)]

        def once() -> tuple[Settled, bool]:
            with self._store.writing(locks, [recording_lock(merchant_id)]) as transaction:
                return _settle(transaction, merchant_id, reservation_id, attempt, now, self.outbox)

        settled, closed = recording.repeated_when_stuck(once)
        if closed:
            self.when_ended(State.SPENT, 1)
        return settled

    def release(self, merchant_id: str, reservation_id: str, now: datetime, reason: str | None = None) -> Reservation:
        """The attempt will not be made: the hold is let go. A hold that has ended is left as it ended.

        Raises:
            InvalidValueError: There is no such reservation.
            CardNumberError: The reason holds what looks like a card number.
        """
        refuse_card_number("reason", reason or "")
        with self._store.writing() as transaction:
            ended = end_hold(transaction, merchant_id, reservation_id, State.RELEASED, now, reason=reason)
            after = found(transaction, merchant_id, reservation_id)
        if ended:
            self.when_ended(State.RELEASED, 1)
        return after

    def expire(self, now: datetime) -> int:
        """End every hold whose time is over; how many there were."""
        with self._store.writing() as transaction:
            ended = transaction.change("expire_reservations", {"now": to_micros(now)})
        if ended:
            self.when_ended(State.EXPIRED, ended)
        return ended

    def check(self, merchant_id: str, reservation_id: str, at: datetime) -> Check:
        """Whether the reserved attempt may be fired at this instant, and why not.

        Raises:
            InvalidValueError: There is no such reservation.
        """
        with self._store.reading() as transaction:
            reservation = found(transaction, merchant_id, reservation_id)
            known = situation(transaction, self._selector, reservation.proposal, at, reservation_id, now=at)
            verdicts = weighed(transaction, known)
        return Check(reservation, (*hold_reasons(reservation, at), *known.standings, *cap_reasons(verdicts)), verdicts)

    def tell_stop(
        self,
        payment: Payment,
        stop: Stopped,
        now: datetime,
        exposure: Exposure | None = None,
        beside: Question | None = None,
    ) -> None:
        """Tell the payment's merchant that no retry is advised, where somebody is to be told.

        Args:
            exposure: The variant that advises none, written in the same transaction.
            beside: What else is written in it where there is an exposure, such as the decision.
        """
        telling = self.outbox.tells(payment.merchant_id)
        if not telling and exposure is None:
            return

        def once() -> None:
            with self._store.writing() as transaction:
                if exposure is not None:
                    put_exposure(transaction, exposure)
                    if beside is not None:
                        transaction.put(*beside)
                if telling:
                    recoveries.stopped(transaction, self.outbox, payment, stop, to_micros(now))

        recording.repeated_when_stuck(once)

    def expose(self, exposure: Exposure, beside: Question | None = None) -> None:
        """Write that a variant answers for a payment; what was written before stays.

        Args:
            beside: What is written in the same transaction, such as the decision.
        """
        with self._store.writing() as transaction:
            put_exposure(transaction, exposure)
            if beside is not None:
                transaction.put(*beside)

    def exposed(self, merchant_id: str, payment_id: str, customer_id: str) -> Known:
        """The variants that have answered for a payment and for its customer, and its first failure."""
        with self._store.reading() as transaction:
            return known_of(transaction, merchant_id, payment_id, customer_id)

    def _reserve(
        self, wanted: Reservation, advised: Advised, beside: Question | None, *, repeated: bool
    ) -> Reservation | Refused:
        if advised.exposure is None and not self.outbox.tells(wanted.proposal.payment.merchant_id):
            selected = self._selector.selected(wanted.proposal, wanted.at)
            if reserve_at_once(self._store, selected, wanted, values_of(wanted), beside):
                return wanted
            return self._reserve_looking(wanted, advised, beside, repeated=repeated)
        return recording.repeated_when_stuck(lambda: self._reserve_looking(wanted, advised, beside, repeated=repeated))

    def _reserve_looking(
        self, wanted: Reservation, advised: Advised, beside: Question | None, *, repeated: bool
    ) -> Reservation | Refused:
        proposal, merchant_id = wanted.proposal, wanted.proposal.payment.merchant_id
        telling = self.outbox.tells(merchant_id)
        with self._store.writing(locks_of(proposal)) as transaction:
            if repeated and (earlier := maybe_found(transaction, merchant_id, wanted.reservation_id)):
                return same(earlier, wanted)
            now = self._situation(transaction, proposal, wanted.at)
            in_the_way = expire_in_the_way(transaction, merchant_id, now.held, wanted.held_at)
            if in_the_way:
                now = self._situation(transaction, proposal, wanted.at)
            against = forbidding(transaction, now)
            reasons = (*now.standings, *held_reasons(now.held, proposal), *cap_reasons(against))
            done: Reservation | Refused = Refused(reasons, weighed(transaction, now)) if reasons else wanted
            if isinstance(done, Refused):
                if telling:
                    recoveries.refused(transaction, self.outbox, wanted, done)
            else:
                self._put_hold(transaction, wanted, advised, beside)
        if in_the_way:
            self.when_ended(State.EXPIRED, in_the_way)
        return done

    def _put_hold(
        self, transaction: Transaction, wanted: Reservation, advised: Advised, beside: Question | None
    ) -> None:
        transaction.put("insert_reservation", values_of(wanted))
        if advised.exposure is not None:
            put_exposure(transaction, advised.exposure)
        if beside is not None:
            transaction.put(*beside)
        if self.outbox.tells(wanted.proposal.payment.merchant_id):
            recoveries.scheduled(transaction, self.outbox, wanted, advised)

    def _situation(
        self, transaction: Transaction, proposal: Proposal, at: datetime, without: str | None = None
    ) -> Situation:
        return situation(transaction, self._selector, proposal, at, without)


def _settle(
    transaction: Transaction, merchant_id: str, reservation_id: str, attempt: Attempt, now: datetime, outbox: Outbox
) -> tuple[Settled, bool]:
    """What it is settled with, and whether that ended the hold."""
    before = found(transaction, merchant_id, reservation_id)
    _check_attempt(before, attempt)
    if before.attempt_id is None:
        _check_id_of_its_own(transaction, before, attempt)
    closed = end_hold(transaction, merchant_id, reservation_id, State.SPENT, now, attempt_id=attempt.attempt_id)
    after = found(transaction, merchant_id, reservation_id)
    if after.state is State.SPENT and after.attempt_id != attempt.attempt_id:
        raise InvalidValueError("attempt_id", attempt.attempt_id, f"the attempt that spent it: {after.attempt_id}")
    recording.append(transaction, _settling(before, attempt), to_micros(now), outbox)
    return _settled(after, attempt, closed=closed), closed


def _new_id(now: datetime) -> str:
    """Ids of later reservations sort later, so that an index of them grows at its end (as RFC 9562, version 7)."""
    return f"rsv_{to_micros(now) // 1_000:012x}{urandom(10).hex()}"


def _check_order(wanted: Reservation) -> None:
    if wanted.expires_at <= wanted.held_at:
        raise InvalidValueError("expires_at", wanted.expires_at.isoformat(), "an instant after now")
    if wanted.at < wanted.held_at:
        raise InvalidValueError("at", wanted.at.isoformat(), f"an instant not before {wanted.held_at.isoformat()}")


def _check_ids(wanted: Reservation, reservation_id: str | None) -> None:
    """Look at every id from outside; an id made here is one long word and never a card number."""
    payment, method = wanted.proposal.payment, wanted.proposal.method
    refuse_card_numbers(
        {
            "reservation_id": reservation_id,
            "merchant_id": payment.merchant_id,
            "payment_id": payment.payment_id,
            "customer_id": payment.customer_id,
            "method_id": method.method_id,
            "mandate_id": method.mandate_id,
            "processor": wanted.proposal.processor,
            "issuer_id": method.issuer.issuer_id,
            "market": payment.market,
            "purpose": payment.purpose,
        }
    )


def _check_attempt(reservation: Reservation, attempt: Attempt) -> None:
    proposal = reservation.proposal
    for name, value, right in (
        ("payment_id", attempt.payment_id, proposal.payment.payment_id),
        ("method_id", attempt.method_id, proposal.method.method_id),
    ):
        if value != right:
            raise InvalidValueError(name, value, f"that of the reservation: {right}")


def _check_id_of_its_own(transaction: Transaction, reservation: Reservation, attempt: Attempt) -> None:
    """Two attempts of one id would count as one: refuse what is known as another one, or was taken back."""
    where = {"merchant_id": reservation.proposal.payment.merchant_id}
    known, told = transaction.ask(
        ("attempt_facts", {**where, "attempt_id": attempt.attempt_id}),
        ("attempt_events", {**where, "subject_id": attempt.attempt_id}),
    )
    statements = list(statements_of(where["merchant_id"], attempt.attempt_id, told))
    proposal = reservation.proposal
    own = facts_of(attempt, proposal.method, proposal.payment, reservation.reservation_id)
    another = of_another(own, Authority.HELD, statements)
    for row in known:
        facts = dict(zip(Facts.__slots__, row, strict=True))
        if another or facts["reservation_id"] not in {None, reservation.reservation_id}:
            right = f"an id of its own: that is an attempt on payment {facts['payment_id']!s}"
            raise TakenIdError("attempt_id", attempt.attempt_id, right)
    if any(statement.kind is EventKind.WITHDRAWN for statement in statements):
        right = "an id of its own: the attempt of this id was withdrawn, as one that never took place"
        raise TakenIdError("attempt_id", attempt.attempt_id, right)


def _settling(reservation: Reservation, attempt: Attempt) -> LedgerEvent:
    """The attempt as an event of its own: one for what is pending, another for its outcome."""
    proposal = reservation.proposal
    facts = facts_of(attempt, proposal.method, proposal.payment, reservation.reservation_id)
    event = reported(proposal.payment.merchant_id, Source.ADVISED, reservation.reservation_id, facts)
    return replace(event, source_event_id=f"{reservation.reservation_id}/x{number_of(event.body) & (1 << 63) - 1:x}")


def _settled(after: Reservation, attempt: Attempt, *, closed: bool) -> Settled:
    late = after.state is not State.SPENT
    if late:
        ended = f"The reservation had {'expired' if after.state is State.EXPIRED else 'been released'} before"
        return Settled(after, True, f"{ended}; attempt {attempt.attempt_id} counts all the same, because it was made.")
    again = "" if closed else " already"
    return Settled(after, False, f"The reservation is{again} spent by attempt {attempt.attempt_id}.")
