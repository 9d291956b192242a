"""Where a payment stands by every word on it, and by debits that had paid it and came back.

Whoever said that a payment was paid, while a debit had been taken, meant that debit: when it comes back the payment is
owed from then on, unless another attempt pays it. What was said since stands, and what was cancelled stays cancelled.
"""

from collections.abc import Iterable
from typing import NamedTuple

from features.vocabulary import Outcome
from serving.ledger.events import EventKind
from serving.ledger.store import Transaction, Value, number_of

# Of two words of the same instant the one that stops more.
_RANKS = {EventKind.REOPENED: 0, EventKind.CANCELLED: 1, EventKind.PAID: 2}
_APPROVAL = f'%"outcome":"{Outcome.APPROVED}"%'  # in the body of an event


class Word(NamedTuple):
    """What was said of a payment, and as of when (microseconds since 1970, UTC)."""

    said_at: int
    kind: EventKind


def standing_of(words: Iterable[Word], came_back_at: int | None, *, approved: bool) -> Word | None:
    """The word that a payment stands by; None where nobody said any.

    Args:
        came_back_at: When a debit that had been taken was last sent back, if one was.
        approved: Whether an attempt on it stands as approved.
    """
    last = max(words, key=lambda word: (word.said_at, _RANKS[word.kind]), default=None)
    if came_back_at is None or approved:
        return last
    if last is not None and (last.said_at >= came_back_at or last.kind is EventKind.CANCELLED):
        return last
    return Word(came_back_at, EventKind.REOPENED)


def stand_after_return(transaction: Transaction, merchant_id: str, payment_id: str, *, ever: bool) -> None:
    """Have a payment stand where it does, if a debit of it ever came back.

    It is worked out from all that was told, at every event that could change it, so that every order of telling ends
    the same; others who tell of the payment at this moment wait, and see it.

    Args:
        ever: Whether an attempt was sent back, though it may count no more.
    """
    transaction.ask(("lock_recovery", {"key": number_of(merchant_id, "standing", payment_id)}))
    where: dict[str, Value] = {"merchant_id": merchant_id, "payment_id": payment_id}
    (returns,) = transaction.ask(("taken_and_sent_back", {**where, "approval": _APPROVAL}))
    came_back_at, approved = returns[0]
    if came_back_at is None and not ever:
        return
    (told,) = transaction.ask(("payment_words", where))
    words = [Word(int(said_at or 0), EventKind(str(kind))) for said_at, kind in told]
    word = standing_of(words, None if came_back_at is None else int(came_back_at), approved=bool(approved))
    transaction.put("drop_payment_standing", where)
    if word is not None:
        standing = {"topic": "payment", "subject_id": payment_id, "word": word.kind.value, "said_at": word.said_at}
        transaction.put("put_standing", {"merchant_id": merchant_id, **standing})
