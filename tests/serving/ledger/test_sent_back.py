"""A debit that had paid a payment and came back leaves it owed, whoever said meanwhile that it was paid."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from cap_builders import NOW, a_method, an_attempt
from features.declines.taxonomy import classify
from features.vocabulary import Network, Outcome, Rail
from ledger_builders import MERCHANT, MINUTE, a_proposal, approved, told
from serving.ledger.events import EventKind, LedgerEvent, Source, sent_back
from serving.ledger.events import told as word
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import ReasonCode, Refused

DAY = timedelta(days=1)
AT = NOW + 30 * DAY
DEBIT = a_method(Network.SEPA_CORE, "iban", Rail.BANK_DEBIT, mandate_id="mandate")
TAKEN = replace(approved(an_attempt(0, method=DEBIT, before=NOW - 5 * DAY)), attempt_id="taken")
BACK = sent_back(
    MERCHANT, Source.WEBHOOK, "back", "taken", classify("AM04", processor=None, network=Network.SEPA_CORE), NOW
)
CANCELLED = word(MERCHANT, Source.WEBHOOK, "cancelled", EventKind.CANCELLED, "pay", NOW - DAY)
WITHDRAWN = word(MERCHANT, Source.REPORTED, "withdrawn", EventKind.WITHDRAWN, "taken", NOW + DAY)
CARD = replace(approved(an_attempt(0, before=NOW - 4 * DAY)), attempt_id="by card")


def paid(days: float) -> LedgerEvent:
    at = NOW + days * DAY
    return word(MERCHANT, Source.WEBHOOK, f"paid {days}", EventKind.PAID, "pay", at)


def reasons(ledger: Ledger, events: Sequence[LedgerEvent], payment: str) -> set[ReasonCode]:
    """Why no place is held on the payment once all that was told, in that order."""
    for event in events:
        ledger.record([event], AT)
    held = ledger.reserve(a_proposal(payment, a_method(method_id=payment)), AT + MINUTE, AT)
    return {reason.code for reason in held.reasons} if isinstance(held, Refused) else set()


def of(payment: str, events: Sequence[LedgerEvent]) -> list[LedgerEvent]:
    """The same events about another payment and its attempts."""
    return [
        replace(
            event,
            source_event_id=f"{event.source_event_id} {payment}",
            subject_id=payment if event.subject_id == "pay" else f"{event.subject_id} {payment}",
            facts=event.facts
            and replace(event.facts, payment_id=payment, attempt_id=f"{event.facts.attempt_id} {payment}"),
        )
        for event in events
    ]


@pytest.mark.parametrize(
    ("events", "stands"),
    [
        ([told(TAKEN, DEBIT), BACK], set()),
        ([told(TAKEN, DEBIT), paid(-2), BACK], set()),
        ([told(TAKEN, DEBIT), paid(-2), BACK, paid(1)], {ReasonCode.PAID}),
        ([told(TAKEN, DEBIT), paid(-2), BACK, told(CARD)], {ReasonCode.PAID}),
        ([told(replace(TAKEN, outcome=Outcome.UNKNOWN), DEBIT), paid(-2), BACK], {ReasonCode.PAID}),
        ([told(TAKEN, DEBIT), paid(-2), CANCELLED, BACK], {ReasonCode.CANCELLED}),
        ([told(TAKEN, DEBIT), paid(-2), BACK, WITHDRAWN], {ReasonCode.PAID}),
    ],
    ids=[
        "taken",
        "taken and said to be paid",
        "paid since",
        "paid by card too",
        "paid before the debit failed",
        "cancelled meanwhile",
        "never took place",
    ],
)
def test_every_order_of_telling_ends_the_same(ledger: Ledger, events: list[LedgerEvent], stands: set[str]) -> None:
    for number, order in enumerate(permutations(events)):
        payment = f"pay{number}"
        assert reasons(ledger, of(payment, order), payment) == stands, [one.kind for one in order]
