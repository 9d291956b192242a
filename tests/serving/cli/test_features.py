"""`recoup features list` shows every column, as a table or as the page of the docs."""

from collections.abc import Callable
from typing import Protocol

from features.columns import COLUMNS
from features.columns.listing import markdown


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str


Recoup = Callable[..., Ran]


def test_every_column_is_in_the_tables_with_its_unit(recoup: Recoup) -> None:
    ran = recoup("features", "list")
    assert ran.code == 0
    assert f"{len(COLUMNS)} columns." in ran.out
    lines = {cells[1].strip(): cells[2].strip() for line in ran.out.splitlines() if len(cells := line.split("│")) > 5}
    for column in COLUMNS:
        assert lines[column.name] == ("category" if column.kind == "category" else column.unit)


def test_markdown_is_the_page(recoup: Recoup) -> None:
    assert recoup("features", "list", "--markdown").out == markdown()
