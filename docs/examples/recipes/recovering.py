"""What the recipes share: ask what to do about an unpaid payment, and carry out what is due.

Nothing is kept here: what is owed stands with the biller, what is held stands with Recoup. Both may be run again at any
time, after a crash too.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
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
    Rail,
    ReleaseRequest,
    ReportKind,
    ReservationOut,
    ReservedDecisionAnswer,
    SettledAttempt,
    SettleRequest,
)

_NOT_FINAL = frozenset({408, 409, 425, 429})
"""Refusals by which nothing is said about the charge itself."""


class RefusedToChargeError(Exception):
    """The biller would not charge: certainly nothing was made."""


class NotAllCarriedOutError(Exception):
    """What could not be carried out, by payment, and what was.

    Args:
        made: The attempts of the others, settled.
        failed: The reservations that were not carried out, each with what happened.
    """

    def __init__(self, made: Sequence[SettledAttempt], failed: Sequence[tuple[ReservationOut, Exception]]) -> None:
        self.made, self.failed = tuple(made), tuple(failed)
        told = "; ".join(f"payment {held.payment_id}: {type(error).__name__}: {error}" for held, error in failed)
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
            place; what nobody knows of keeps it, and is asked about in the next run.
    """
    at = now or datetime.now(UTC)
    due = [one for one in recoup.all_reservations(merchant_id=biller.merchant_id) if one.fire_from <= at < one.fire_by]
    made: list[SettledAttempt] = []
    failed: list[tuple[ReservationOut, Exception]] = []
    for held in due:
        try:
            attempt = _carried_out(recoup, biller, held, at)
            if attempt is not None:
                made.append(attempt)
                if attempt.outcome is not Outcome.APPROVED:
                    advise(recoup, biller, held.payment_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on, and it is told at the end
            failed.append((held, error))
    if failed:
        raise NotAllCarriedOutError(made, failed)
    return made


def run(recoup: Recoup, biller: Biller, arguments: Sequence[str]) -> None:
    """What a recipe's program does: `advise PAYMENT` after a failure, `due` every few minutes."""
    match arguments:
        case ["advise", payment_id]:
            held = advise(recoup, biller, payment_id)
            sys.stdout.write(f"{payment_id}: {held.fire_from if held else 'no retry'}\n")
        case ["due"]:
            try:
                _tell(carry_out_due(recoup, biller))
            except NotAllCarriedOutError as error:
                _tell(error.made)
                raise SystemExit(str(error)) from error
        case _:
            raise SystemExit("expected advise PAYMENT, or due")


def _tell(made: Sequence[SettledAttempt]) -> None:
    for one in made:
        sys.stdout.write(f"{one.attempt_id}: {one.outcome}\n")


def _carried_out(recoup: Recoup, biller: Biller, held: ReservationOut, now: datetime) -> SettledAttempt | None:
    # An attempt since then is the one of this reservation: its report was lost, or somebody else was faster.
    made = biller.made_since(held.payment_id, held.fire_from)
    if made is None:
        checked = recoup.check(held.reservation_id, CheckRequest(merchant_id=biller.merchant_id))
        if not checked.go:
            _let_go(recoup, biller, held, checked.reasons[0].sentence)
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
