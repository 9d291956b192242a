"""What is told of customers is kept once, in both databases, and never changed."""

from dataclasses import replace

import pytest

from cap_builders import NOW
from features.errors import CardNumberError, InvalidValueError
from features.money import Money
from ledger_builders import MERCHANT
from serving.ledger.customers import CustomerEvent, CustomerWord, tell_of_customer
from serving.ledger.ledger import Ledger
from serving.ledger.store import LedgerConflictError

PAID = CustomerEvent(MERCHANT, "c1", "ann", CustomerWord.PAID, NOW, Money(4900, "EUR"))


def test_the_same_told_again_changes_nothing(ledger: Ledger) -> None:
    assert [tell_of_customer(ledger.store, PAID, NOW) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "other",
    [
        replace(PAID, customer_id="bob"),
        replace(PAID, word=CustomerWord.REFUNDED),
        replace(PAID, amount=Money(4901, "EUR")),
        replace(PAID, word=CustomerWord.LEFT, amount=None),
    ],
)
def test_the_same_id_for_something_else_is_refused(ledger: Ledger, other: CustomerEvent) -> None:
    tell_of_customer(ledger.store, PAID, NOW)
    with pytest.raises(InvalidValueError, match="was not used before for something else"):
        tell_of_customer(ledger.store, other, NOW)


def test_another_merchant_may_use_the_same_id(ledger: Ledger) -> None:
    assert tell_of_customer(ledger.store, PAID, NOW)
    assert tell_of_customer(ledger.store, replace(PAID, merchant_id="other"), NOW)


def test_what_was_told_is_never_changed_or_removed(ledger: Ledger) -> None:
    tell_of_customer(ledger.store, PAID, NOW)
    for statement in ("UPDATE customer_event SET kind = 'left';", "DELETE FROM customer_event;"):
        with pytest.raises(LedgerConflictError, match="never"), ledger.store.writing() as transaction:
            transaction.script(statement)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"customer_id": ""}, "customer_id"),
        ({"event_id": "a\x00b"}, "event_id"),
        ({"amount": None}, "amount"),
        ({"word": CustomerWord.LOST}, "amount"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changed: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValueError, match=field):
        replace(PAID, **changed)  # type: ignore[arg-type]  # one field of its own type each


def test_a_card_number_for_an_id_is_refused() -> None:
    with pytest.raises(CardNumberError):
        replace(PAID, customer_id="4111111111111111")
