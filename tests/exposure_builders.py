"""Exposures for tests."""

from datetime import timedelta

from cap_builders import NOW
from features.money import Money
from features.vocabulary import DeclineCategory, Rail
from ledger_builders import MERCHANT
from model.decision import Assignment
from serving.ledger.exposures import Exposure

PLAN = Assignment("first", "plan", "cus_1", 0.4999)


def an_exposure(payment_id: str = "pay", assignment: Assignment = PLAN, merchant_id: str = MERCHANT) -> Exposure:
    return Exposure(
        merchant_id=merchant_id,
        payment_id=payment_id,
        customer_id="cus_1",
        assignment=assignment,
        exposed_at=NOW,
        failed_at=NOW - timedelta(hours=1),
        amount=Money(4900, "EUR"),
        market="DE",
        rail=Rail.CARD,
        category=DeclineCategory.INSUFFICIENT_FUNDS,
    )
