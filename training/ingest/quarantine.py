"""Writes the rows that were not accepted, each with its place and what would be right; card numbers never."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from features.card_number import holds_card_number, mask_card_numbers
from features.sources.masking import without_card_numbers
from features.sources.refusal import Fault, Reason, sentence

HEADER = ("file", "line", "field", "value", "reason", "expected", "also", "row")

# Longer rows are cut: what reads CSV by default stops at 131,072 characters, spreadsheets at 32,767.
_LONGEST_ROW = 32_000


class Quarantine:
    """A CSV file that is created with its first row.

    Args:
        path: Where to write; the caller moves it into place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._file: TextIO | None = None

    def add(self, file: str, line: int, faults: Sequence[Fault], original: str) -> None:
        """Write one refused row with its first fault; the other faulty fields stand under `also`.

        The original row is left out where anything in it looks like a card number.
        """
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._write(HEADER)
        first = faults[0]
        hides = holds_card_number(original) or without_card_numbers(original.encode("utf-8", "replace")).marked
        unsafe = hides or any(found.refusal.reason is Reason.CARD_NUMBER for found in faults)
        self._write(
            (
                mask_card_numbers(file),
                str(line),
                first.field or first.column,
                first.value,
                str(first.refusal.reason),
                first.refusal.expected,
                "; ".join(sentence(found) for found in faults[1:]),
                "" if unsafe else original[:_LONGEST_ROW],
            )
        )
        self.rows += 1

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, cells: Sequence[str]) -> None:
        if self._file is not None:
            csv.writer(self._file, lineterminator="\n").writerow(cells)


def was_written_by_us(path: Path) -> bool:
    """Whether the file is a quarantine file of an earlier import."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\n") == ",".join(HEADER)
    except (OSError, UnicodeError):
        return False
