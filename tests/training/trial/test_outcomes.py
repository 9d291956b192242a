"""Recorded outcomes are read whole, or refused with the line and what would be right."""

from pathlib import Path

import pytest

from features.errors import InputError
from training.trial.outcomes import read_outcomes


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_row_is_a_failed_payment(tmp_path: Path) -> None:
    found = read_outcomes(
        file(tmp_path, "invoice,failed_on,observed_days,would_clear\na,2025-01-01,3,010\nb,2025-01-02,0,\n")
    )
    assert {key: one.clears for key, one in found.items()} == {"a": "010", "b": ""}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("invoice,failed_on\na,2025-01-01\n", "a column would_clear"),
        ("invoice,would_clear\na,01x\n", ":2: would_clear: '01x'"),
        ("invoice,observed_days,would_clear\na,4,010\n", ":2: observed_days is '4', but would_clear holds 3"),
        ("invoice,would_clear\na,0\na,1\n", ":3: invoice 'a' occurs twice"),
        ("invoice,would_clear\n", "holds no failed payment"),
    ],
)
def test_what_it_is_not_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_outcomes(file(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_outcomes(tmp_path / "none.csv")
