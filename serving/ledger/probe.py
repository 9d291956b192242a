"""Whether the ledger takes anything in: a row that is written and gone again before anybody sees it."""

from secrets import token_hex

from serving.ledger.store import Store, Value


def write_nothing(store: Store) -> None:
    """Commit a transaction that goes to the disk like any other, and leaves nothing.

    Raises:
        InputError: It cannot be written.
    """
    key = token_hex(16)
    row: dict[str, Value] = {"merchant_id": "", "idempotency_key": key, "fingerprint": "", "claim": key, "now": 0}
    with store.writing() as transaction:
        transaction.put("claim_request", row)
        transaction.put("forget_request", row)
