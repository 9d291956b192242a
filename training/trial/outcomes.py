"""Reads recorded reality for a replay: a CSV with a failed payment a row and what each day after it would have brought.

    invoice,failed_on,observed_days,would_clear
    inv-000918,1993-03-28,60,000000000000000000000000001111…

The first column is the payment's id as the history has it; `would_clear` holds one character a day after the failure,
`1` where a retry that day would clear. `observed_days`, where it stands, must be the number of characters. Other
columns are not read.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from experiments.recorded_world import Recorded
from features.errors import InputError, InvalidValueError

CLEARS = "would_clear"
OBSERVED = "observed_days"


def read_outcomes(path: Path) -> dict[str, Recorded]:
    """What is known of each failed payment, by payment_id.

    Raises:
        InputError: The file cannot be read, has no such columns, or a row is not what it should be.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            if len(names) < 2 or CLEARS not in names:
                raise InputError(f"{path}: expected a payment id in the first column and a column {CLEARS}")
            found: dict[str, Recorded] = {}
            for row in reader:
                key = row[names[0]]
                if key in found:
                    raise InputError(f"{path}:{reader.line_num}: {names[0]} {key!r} occurs twice")
                found[key] = _recorded(row, f"{path}:{reader.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: cannot be read as CSV ({reason})") from None
    if not found:
        raise InputError(f"{path}: holds no failed payment")
    return found


def _recorded(row: Mapping[str, str | None], place: str) -> Recorded:
    text = row[CLEARS] or ""
    observed = row.get(OBSERVED)
    if observed is not None and observed != str(len(text)):
        raise InputError(f"{place}: {OBSERVED} is {observed!r}, but {CLEARS} holds {len(text)} characters")
    try:
        return Recorded(text)
    except InvalidValueError as error:
        raise InputError(f"{place}: {error}") from None
