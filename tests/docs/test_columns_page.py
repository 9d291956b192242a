"""docs/columns.md lists the columns as the code has them."""

from pathlib import Path

from features.columns.listing import markdown

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == markdown(), "run `recoup features list --markdown > docs/columns.md`"
