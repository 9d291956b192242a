"""Run as a process and killed without warning: works on a ledger and acknowledges each step on standard output.

Arguments: the address, what to do (`reserve`, `decide` or `backfill`), a history file for `backfill`.
"""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt
from features.instants import to_micros
from ledger_builders import MERCHANT, a_proposal
from serving.ledger import backfill
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation
from serving.ledger.selecting import Selector
from serving.reserving import decide_and_reserve, decide_on_record
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


def decide(url: str) -> None:
    """Decide for ever, every other time with a hold."""
    service, ledger = prior_service(), Ledger.opened(url)
    selector = Selector(service.rulebook)
    for number in range(1_000_000):
        now = NOW + timedelta(seconds=number)
        payment = replace(a_payment(f"p{number}"), due_at=NOW - timedelta(hours=1), recover_by=NOW + timedelta(hours=4))
        method = replace(a_method(method_id=f"pm{number}"), processors=("north",))
        attempt = replace(an_attempt(1, method=method, payment_id=f"p{number}"), attempt_id=f"a{number}")
        context = replace(a_context([attempt], method, payment=payment), as_of=now)
        if number % 2:
            decided = decide_and_reserve(ledger, selector, service, context, now)
        else:
            decided = decide_on_record(ledger, selector, service, context, now)
        held = decided.reservation.reservation_id if decided.reservation else ""
        sys.stdout.write(f"decided {decided.decision.decision_id} {held}\n")
        sys.stdout.flush()


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
        decide(sys.argv[1])
    else:
        take_in(sys.argv[1], sys.argv[3])
