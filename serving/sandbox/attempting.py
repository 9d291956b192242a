"""Carries out what was advised in a sandbox: checked, answered as told, and recorded as live attempts are."""

from dataclasses import dataclass, replace
from datetime import datetime

from features.errors import InvalidValueError
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation, Settled, reservation_from
from serving.ledger_checks import FireCheck, fire_check
from serving.ledger_events import attempt_of_settling
from serving.ledger_schemas import SettledAttempt
from serving.reporting import settle
from serving.sandbox.script import Rule, Tried, answer_to

MADE_HERE = "sbx_"
"""How the ids of attempts begin that the sandbox carried out."""


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of an advised attempt; `made` and `settled` are None where the check said no-go."""

    checked: FireCheck
    made: SettledAttempt | None = None
    settled: Settled | None = None


def carry_out(
    ledger: Ledger, merchant_id: str, reservation_id: str, rules: tuple[Rule, ...], now: datetime
) -> CarriedOut:
    """Check the reserved attempt, have it answered, and settle it with the answer.

    Raises:
        InvalidValueError: There is no such reservation.
        InputError: The ledger cannot be reached.
    """
    checked = fire_check(ledger, merchant_id, reservation_id, now)
    if checked.reasons:
        return CarriedOut(checked)
    reservation = checked.reservation
    answer = answer_to(rules, _tried(ledger, reservation, now))
    made = SettledAttempt(
        attempt_id=MADE_HERE + reservation_id.removeprefix("rsv_"),
        attempted_at=now,
        outcome=answer.outcome,
        code=answer.code,
        subcode=answer.subcode,
        advice_code=answer.advice_code,
    )
    settled = settle(ledger, reservation, attempt_of_settling(made, reservation, now), now)
    return CarriedOut(replace(checked, reservation=settled.reservation), made, settled)


def held_for(ledger: Ledger, merchant_id: str, payment_id: str) -> Reservation:
    """What is held for a payment.

    Raises:
        InvalidValueError: Nothing is.
    """
    with ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("held_of_payment", {"merchant_id": merchant_id, "payment_id": payment_id}))
    if not rows:
        raise InvalidValueError("payment_id", payment_id, "a payment with a reservation held: decide with reserve")
    return reservation_from(rows[0])


def _tried(ledger: Ledger, reservation: Reservation, now: datetime) -> Tried:
    proposal = reservation.proposal
    payment = proposal.payment
    with ledger.store.reading() as transaction:
        values = {
            "merchant_id": payment.merchant_id,
            "payment_id": payment.payment_id,
            "made_here": MADE_HERE,
        }
        (rows,) = transaction.ask(("sandbox_tries", values))
    earlier = int(rows[0][0] or 0)
    return Tried(payment.payment_id, proposal.method.method_id, proposal.processor, now, earlier)
