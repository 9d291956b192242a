"""Run as a process and killed without warning: works on a ledger and acknowledges each step on standard output.

Arguments: the address, what to do (`reserve`, `decide` or `backfill`), a history file for `backfill`.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cap_builders import NOW, a_method, an_attempt
from features.instants import to_micros
from features.vocabulary import Network, Outcome, Rail
from ledger_builders import MERCHANT, a_proposal
from serving.ledger import backfill
from serving.ledger.answered import Asked, Claim, claim
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation
from serving.ledger_access import LedgerAccess
from serving.reserving import decided_for
from serving.schemas import AttemptIn, DecisionRequest, MethodIn, PaymentIn
from serving.service import prior_service

METHODS = 10


def reserve(url: str) -> None:
    """Reserve and settle for ever, spread over a few methods."""
    ledger = Ledger.opened(url)
    for number in range(1_000_000):
        payment, method = f"p{number % 400}", a_method(method_id=f"pm{number % METHODS}")
        made = ledger.reserve(a_proposal(payment, method), NOW, NOW, reservation_id=f"r{number}")
        if not isinstance(made, Reservation):
            continue
        sys.stdout.write(f"held r{number} {method.method_id} {payment}\n")
        sys.stdout.flush()
        if number % 3:
            attempt = replace(an_attempt(0, method=method, payment_id=payment), attempt_id=f"a{number}")
            ledger.settle(MERCHANT, made.reservation_id, attempt, NOW)
            sys.stdout.write(f"settled r{number} a{number}\n")
            sys.stdout.flush()


async def decide(url: str) -> None:
    """Answer requests for ever as the service does: every other one with a hold, all but every third under a key."""
    service, ledger = prior_service(), Ledger.opened(url)
    access = LedgerAccess(ledger, service.rulebook)
    for number in range(1_000_000):
        now, key = NOW + timedelta(seconds=number), f"k{number}" if number % 3 else ""
        taken_up = claim(ledger.store, Asked(MERCHANT, key, ""), now) if key else None
        if not isinstance(taken_up, Claim | None):
            continue
        decided = await decided_for(a_request(number), service, access, now, taken_up)
        held = decided.reservation.reservation_id if decided.reservation else ""
        answered = key if decided.answer_kept else ""
        sys.stdout.write(f"decided {decided.decision.decision_id} {held} {answered}\n")
        sys.stdout.flush()


def a_request(number: int) -> DecisionRequest:
    """A payment of its own that failed an hour ago, on a method of its own."""
    due = NOW - timedelta(hours=1)
    return DecisionRequest(
        payment=PaymentIn(
            payment_id=f"p{number}",
            merchant_id=MERCHANT,
            customer_id="cus",
            amount_minor=4_900,
            currency="EUR",
            due_at=due,
            recover_by=NOW + timedelta(hours=4),
        ),
        methods=(MethodIn(method_id=f"pm{number}", rail=Rail.CARD, network=Network.VISA, processors=("north",)),),
        attempts=(
            AttemptIn(
                attempt_id=f"a{number}",
                method_id=f"pm{number}",
                processor="north",
                attempted_at=due,
                outcome=Outcome.DECLINED,
                code="51",
            ),
        ),
        reserve=bool(number % 2),
    )


def take_in(url: str, history: str) -> None:
    """Back-fill in small batches."""
    backfill.ROWS_A_BATCH = 20
    ledger = Ledger.opened(url)

    def acknowledge(done: int, _: int) -> None:
        sys.stdout.write(f"done {done}\n")
        sys.stdout.flush()

    backfill.backfill(ledger.store, Path(history), to_micros(NOW), acknowledge)


if __name__ == "__main__":
    if sys.argv[2] == "reserve":
        reserve(sys.argv[1])
    elif sys.argv[2] == "decide":
        asyncio.run(decide(sys.argv[1]))
    else:
        take_in(sys.argv[1], sys.argv[3])
