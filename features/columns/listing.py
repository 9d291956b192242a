"""The columns as a table for people: in Markdown for the docs, as rows for a terminal."""

from collections.abc import Sequence

from features.columns import COLUMNS, SUBJECTS
from features.columns.column import Column

HEADINGS = ("name", "unit", "about", "monotone", "why")
_DIRECTIONS = {1: "rising", -1: "falling", 0: ""}


def cells(column: Column) -> tuple[str, ...]:
    """What the table says of a column, in the order of the headings."""
    unit = "category" if column.kind == "category" else column.unit
    return column.name, unit, column.about, _DIRECTIONS[column.monotone], column.why


def markdown() -> str:
    """docs/columns.md: an introduction, and one table a subject."""
    parts = [_INTRODUCTION.format(count=len(COLUMNS))]
    for subject, columns in SUBJECTS.items():
        parts += [f"## {subject}", _table(columns)]
    return "\n\n".join(parts) + "\n"


def _table(columns: Sequence[Column]) -> str:
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *((f"`{column.name}`", *cells(column)[1:]) for column in columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


_INTRODUCTION = """# Columns

What the model reads, {count} columns: `recoup features list` prints these tables, `recoup features list --markdown`
this page. Each is defined by a function in `features/columns/`, which training calls. A decision's few rows are
computed by compiled loops (`features/few/`), which a test holds to the same numbers. Both see only what was known when
the retry was decided.

*About*: `context` is the same for every action of one decision, `action` may differ between them. *Monotone*: the model
may only let the chance rise (or fall) with it. *Points* are hundredths of an approval rate, counted from past outcomes
with a half-life and shrunk to the wider rate (`features/rates.py`)."""
