"""What is told under an id of the source's own: once, and never for two things."""

from collections.abc import Sequence
from datetime import datetime

from features.errors import InvalidValueError
from features.instants import to_micros
from serving.ledger.store import Transaction, Values


def told_once(
    transaction: Transaction, told: str, row: Values, event_id: str, columns: Sequence[str], now: datetime
) -> bool:
    """Append a row; False when the same was told before, which changes nothing.

    Args:
        told: The statements' name: `insert_` and it appends a row, it alone finds what was told under the id.
        columns: Of what is found; what they say makes it the same.

    Raises:
        InvalidValueError: The id was used before for something else.
    """
    if transaction.change(f"insert_{told}", {**row, "recorded_at": to_micros(now)}):
        return True
    (rows,) = transaction.ask((told, row))
    if rows != [tuple(row[name] for name in columns)]:
        expected = "an id that was not used before for something else"
        raise InvalidValueError("source_event_id", event_id, expected)
    return False
