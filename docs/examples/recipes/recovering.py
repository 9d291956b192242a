"""What the recipes share: ask what to do about an unpaid payment, carry out what is due, and take up what was left.

Nothing is kept here: what is owed stands with the biller, what is held stands with Recoup. All three may be run again
at any time, after a crash too.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from serving.client import Recoup
from serving.client.shapes import (
    AttemptIn,
    AttemptReport,
    CheckRequest,
    DecisionRequest,
    MethodIn,
    Outcome,
    PaymentEventKind,
    PaymentOut,
    Rail,
    ReasonCode,
    ReleaseRequest,
    ReportKind,
    ReservationOut,
    ReservedDecisionAnswer,
    SettledAttempt,
    SettleRequest,
    State,
    StopReason,
)

_NOT_FINAL = frozenset({408, 409, 425, 429})
"""Refusals by which nothing is said about the charge itself."""

_KEEPS_ITS_PLACE = frozenset({ReasonCode.ON_HOLD, ReasonCode.TOO_EARLY, ReasonCode.ADVICE_EXPIRED})
"""What speaks against charging now, and not against the place.

An emergency stop may end within the window. After the window a charge that nobody heard of may still turn up, and is
settled with until the hold ends.
"""

_HAS_NO_PLACE = frozenset({ReasonCode.NOT_HELD, ReasonCode.EXPIRED})
_SAID_OF_IT = frozenset({StopReason.ALREADY_PAID, StopReason.CANCELLED, StopReason.OPTED_OUT})
"""Stops that last as long as the word on the payment that they repeat."""

LOOKED_AFTER = timedelta(days=62)
"""So long after its last attempt a payment is asked about: a recovery takes 60 days at most, a hold ends later."""

NOT_AFTER_A_REFUSAL = timedelta(days=1)
"""So long after a place was released nobody asks again: what a biller refuses now it refuses in an hour, too."""


class RefusedToChargeError(Exception):
    """The biller would not charge: certainly nothing was made."""


class NotAllCarriedOutError(Exception):
    """What could not be carried out, by payment, and what was.

    Args:
        made: The attempts of the others, settled.
        failed: The payments for which it was not carried out, each with what happened.
        held: The places that were given to others.
    """

    def __init__(
        self,
        made: Sequence[SettledAttempt],
        failed: Sequence[tuple[str, Exception]],
        held: Sequence[ReservationOut] = (),
    ) -> None:
        self.made, self.failed, self.held = tuple(made), tuple(failed), tuple(held)
        told = "; ".join(f"payment {payment_id}: {type(error).__name__}: {error}" for payment_id, error in failed)
        super().__init__(f"{len(failed)} could not be carried out: {told}")


class Biller(Protocol):
    """A billing system as recoveries need it."""

    merchant_id: str
    answers_later: bool
    """Whether a charge is answered by a webhook and not at once."""

    def owed(self, payment_id: str) -> DecisionRequest | None:
        """All that is known of a payment that is owed and was attempted; None for any other."""
        ...

    def made_since(self, payment_id: str, at: datetime) -> SettledAttempt | None:
        """The latest attempt on the payment since an instant."""
        ...

    def charge(self, held: ReservationOut) -> None:
        """Try once to collect; a decline is no error.

        Raises:
            httpx.HTTPError: Nobody answered, or the biller would not charge.
        """
        ...


def advise(recoup: Recoup, biller: Biller, payment_id: str) -> ReservationOut | None:
    """Ask what to do about a payment: a retry that has its place now, or None. To be run when an attempt has failed."""
    request = biller.owed(payment_id)
    if request is None:
        return None
    decided = recoup.decide(replace(request, reserve=True))
    return decided.reservation if isinstance(decided, ReservedDecisionAnswer) else None


def carry_out_due(recoup: Recoup, biller: Biller, now: datetime | None = None) -> list[SettledAttempt]:
    """Carry out what is due now; what was attempted. Run it every few minutes, one at a time.

    Raises:
        NotAllCarriedOutError: Some could not be carried out; the others were. What the biller will not charge loses its
            place; what nobody knows of keeps it until the hold ends, and is looked for in every run until then.
    """
    at = now or datetime.now(UTC)
    # After the window too: an attempt at its end may not be settled yet.
    begun = [one for one in recoup.all_reservations(merchant_id=biller.merchant_id) if one.fire_from <= at]
    made: list[SettledAttempt] = []
    failed: list[tuple[str, Exception]] = []
    for held in begun:
        try:
            attempt = _carried_out(recoup, biller, held, at)
            if attempt is not None:
                made.append(attempt)
                if attempt.outcome is not Outcome.APPROVED:
                    advise(recoup, biller, held.payment_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on, and it is told at the end
            failed.append((held.payment_id, error))
    if failed:
        raise NotAllCarriedOutError(made, failed)
    return made


def sweep(recoup: Recoup, biller: Biller, now: datetime | None = None) -> list[ReservationOut]:
    """Ask again about what is owed and has no place; the places given. Run it every hour.

    Only payments that were advised on before are asked about, and not before their last answer says so: after a window
    that nobody used, an emergency stop, or a stop whose limit has freed since; after a refusal a day later.

    Raises:
        NotAllCarriedOutError: Some could not be asked about; the others were.
    """
    at = now or datetime.now(UTC)
    placed = {one.payment_id for one in recoup.all_reservations(merchant_id=biller.merchant_id)}
    held: list[ReservationOut] = []
    failed: list[tuple[str, Exception]] = []
    for payment in recoup.all_payments(merchant_id=biller.merchant_id, limit=200):
        if payment.payment_id in placed or not _looked_after(payment, at):
            continue
        try:
            place = _asked_again(recoup, biller, payment, at)
            if place is not None:
                held.append(place)
        except Exception as error:  # noqa: BLE001 - as above
            failed.append((payment.payment_id, error))
    if failed:
        raise NotAllCarriedOutError((), failed, held)
    return held


def run(recoup: Recoup, biller: Biller, arguments: Sequence[str]) -> None:
    """What a recipe's program does: `advise PAYMENT` after a failure, `due` every few minutes, `sweep` every hour."""
    try:
        match arguments:
            case ["advise", payment_id]:
                held = advise(recoup, biller, payment_id)
                sys.stdout.write(f"{payment_id}: {held.fire_from if held else 'no retry'}\n")
            case ["due"]:
                _tell(carry_out_due(recoup, biller), ())
            case ["sweep"]:
                _tell((), sweep(recoup, biller))
            case _:
                raise SystemExit("expected advise PAYMENT, due, or sweep")
    except NotAllCarriedOutError as error:
        _tell(error.made, error.held)
        raise SystemExit(str(error)) from error


def variable(name: str) -> str:
    """What the environment says under a name that a program cannot do without."""
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; the first lines of the program show the variables it needs.")
    return value


def _tell(made: Sequence[SettledAttempt], held: Sequence[ReservationOut]) -> None:
    for attempt in made:
        sys.stdout.write(f"{attempt.attempt_id}: {attempt.outcome}\n")
    for place in held:
        sys.stdout.write(f"{place.payment_id}: {place.fire_from}\n")


def _carried_out(recoup: Recoup, biller: Biller, held: ReservationOut, now: datetime) -> SettledAttempt | None:
    # An attempt since then is the one of this reservation: its report was lost, or somebody else was faster.
    made = biller.made_since(held.payment_id, held.fire_from)
    if made is None:
        checked = recoup.check(held.reservation_id, CheckRequest(merchant_id=biller.merchant_id))
        if not checked.go:
            reasons = {one.code for one in checked.reasons}
            if reasons <= _KEEPS_ITS_PLACE:
                return None
            if reasons.isdisjoint(_HAS_NO_PLACE):
                _let_go(recoup, biller, held, checked.reasons[0].sentence)
            advise(recoup, biller, held.payment_id)
            return None
        if biller.answers_later:
            return _begun(recoup, biller, held, now)
        try:
            _charge(biller, held)
        except RefusedToChargeError as error:
            _let_go(recoup, biller, held, str(error))
            raise
        made = biller.made_since(held.payment_id, held.fire_from)
    if made is not None:
        _settle(recoup, biller, held, made)
    return made


def _looked_after(payment: PaymentOut, now: datetime) -> bool:
    over = payment.approved or payment.opted_out or now - payment.last_attempt_at > LOOKED_AFTER
    return not over and payment.standing not in {PaymentEventKind.PAYMENT_PAID, PaymentEventKind.PAYMENT_CANCELLED}


def _asked_again(recoup: Recoup, biller: Biller, payment: PaymentOut, now: datetime) -> ReservationOut | None:
    of_it = recoup.decisions(payment_id=payment.payment_id, merchant_id=biller.merchant_id, limit=1).decisions
    if not of_it:
        return None
    last = of_it[0]
    if payment.last_attempt_at <= last.as_of and last.reason not in _SAID_OF_IT:
        answer = recoup.decision(last.decision_id, merchant_id=biller.merchant_id).answer
        if last.reason == StopReason.RECOVERY_WINDOW_OVER or now < answer.valid_until:
            return None
    if last.reservation_id is not None:
        place = recoup.reservation(last.reservation_id, merchant_id=biller.merchant_id)
        if place.state == State.RELEASED and place.closed_at and now < place.closed_at + NOT_AFTER_A_REFUSAL:
            return None
        if place.state == State.EXPIRED:
            _settle_lapsed(recoup, biller, place)
    return advise(recoup, biller, payment.payment_id)


def _settle_lapsed(recoup: Recoup, biller: Biller, lapsed: ReservationOut) -> None:
    """Settle with an attempt that was made while the place was held, and of which nobody told Recoup then."""
    made = biller.made_since(lapsed.payment_id, lapsed.fire_from)
    if made is not None and made.attempted_at < lapsed.expires_at:
        _settle(recoup, biller, lapsed, made)


def _begun(recoup: Recoup, biller: Biller, held: ReservationOut, now: datetime) -> SettledAttempt:
    """A charge that is answered later, told before it is made.

    While its outcome is not known nothing else is advised, so that nothing is charged twice, whenever this may end.
    """
    pending = SettledAttempt(attempt_id=own_id(held.reservation_id), attempted_at=now, outcome=Outcome.UNKNOWN)
    _settle(recoup, biller, held, pending)
    try:
        _charge(biller, held)
    except RefusedToChargeError:
        never = AttemptReport(
            merchant_id=biller.merchant_id,
            event_id=f"{pending.attempt_id}/refused",
            attempt_id=pending.attempt_id,
            kind=ReportKind.WITHDRAWN,
            told_at=now,
        )
        recoup.report_attempts(never)
        raise
    return pending


def _charge(biller: Biller, held: ReservationOut) -> None:
    try:
        biller.charge(held)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if error.response.is_client_error and status not in _NOT_FINAL:
            raise RefusedToChargeError(f"the biller would not charge (status {status})") from error
        raise


def _let_go(recoup: Recoup, biller: Biller, held: ReservationOut, why: str) -> None:
    recoup.release(held.reservation_id, ReleaseRequest(merchant_id=biller.merchant_id, reason=why))


def _settle(recoup: Recoup, biller: Biller, held: ReservationOut, made: SettledAttempt) -> None:
    recoup.settle(held.reservation_id, SettleRequest(merchant_id=biller.merchant_id, attempt=made))


def own_id(reservation_id: str) -> str:
    """The id of an attempt that the biller gives none."""
    return f"try_{reservation_id.removeprefix('rsv_')}"


def settled_from(attempts: Sequence[AttemptIn], at: datetime) -> SettledAttempt | None:
    """The latest of some attempts since an instant, as it settles a reservation."""
    since = [one for one in attempts if one.attempted_at >= at]
    if not since:
        return None
    last = max(since, key=lambda one: one.attempted_at)
    return SettledAttempt(
        attempt_id=last.attempt_id,
        attempted_at=last.attempted_at,
        outcome=last.outcome,
        code=last.code,
        subcode=last.subcode,
        advice_code=last.advice_code,
        text=last.text,
    )


def methods_for(methods: Sequence[MethodIn], attempts: Sequence[AttemptIn]) -> tuple[MethodIn, ...]:
    """The methods on file, and those of earlier attempts that are not on file any more and may not be charged."""
    known = {one.method_id for one in methods}
    gone = dict.fromkeys(one.method_id for one in attempts if one.method_id not in known)
    return (*methods, *(MethodIn(method_id=name, rail=Rail.UNKNOWN, consented=False) for name in gone))
