"""Merchants whose keys may ask and tell; attempts of others may be in the ledger too."""

from dataclasses import dataclass
from datetime import datetime

from features.card_number import refuse_card_numbers
from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from serving.ledger.store import Store, Transaction

_LONGEST = 200
# Stands for all merchants in questions to the database.
_RESERVED = "*"


@dataclass(frozen=True, slots=True)
class Merchant:
    """One merchant.

    Args:
        keys: How many of its keys can be used.
    """

    merchant_id: str
    name: str
    created_at: datetime
    keys: int


def add_merchant(store: Store, merchant_id: str, name: str, now: datetime) -> bool:
    """Add a merchant; False when there was one of that id, which is left as it is.

    Raises:
        InvalidValueError: The id or the name cannot be kept.
        CardNumberError: One of them looks like a card number.
    """
    given = {"merchant_id": merchant_id, "name": name}
    refuse_card_numbers(given)
    for field, text in given.items():
        if len(text) > _LONGEST or not text.isprintable():
            raise InvalidValueError(field, text[:_LONGEST], f"at most {_LONGEST} printable characters")
    if merchant_id in {"", _RESERVED}:
        raise InvalidValueError("merchant_id", merchant_id, "an id of your own, such as acme")
    with store.writing() as transaction:
        return transaction.change("add_merchant", given | {"created_at": to_micros(now)}) == 1


def merchants_of(store: Store, now: datetime) -> tuple[Merchant, ...]:
    """Every merchant."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("all_merchants", {"now": to_micros(now)}))
    return tuple(
        Merchant(str(merchant_id), str(name), from_micros(int(created_at or 0)), int(keys or 0))
        for merchant_id, name, created_at, keys in rows
    )


def doubts_about(store: Store, merchant_id: str) -> tuple[str, ...]:
    """A sentence where nobody seems to have that id, as when it is misspelt."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("merchant_is_known", {"merchant_id": merchant_id}))
    if rows:
        return ()
    nothing = f"Nobody was added as merchant {merchant_id}, and the ledger has no attempt and no decision of it"
    return (f"{nothing}: is it misspelt?",)


def doubts_about_ledger(store: Store) -> tuple[str, ...]:
    """A sentence where nothing was ever told to the ledger or decided with it, as when it is not the service's."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("anything", {}))
    return () if rows else (f"The ledger {store.where} holds no attempt and no decision: is it the service's?",)


def require_merchant(transaction: Transaction, merchant_id: str) -> None:
    """Refuse an id that no merchant has.

    Raises:
        InvalidValueError: Says how to add one.
    """
    (rows,) = transaction.ask(("merchant", {"merchant_id": merchant_id}))
    if not rows:
        expected = "a merchant that was added; add it first with recoup merchants add"
        raise InvalidValueError("merchant_id", merchant_id, expected)
