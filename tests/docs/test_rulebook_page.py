"""What docs/rulebook.md shows can be used as it stands."""

import re
import tomllib
from pathlib import Path

import pytest

from features.declines.extra import parse_extra
from features.vocabulary import Network
from model.caps.rule import Kind
from model.caps.rulebook import Rulebook
from model.caps.settings import parse_settings

PAGE = (Path(__file__).parents[2] / "docs" / "rulebook.md").read_text("utf-8")
BLOCKS: list[str] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
BOOK = Rulebook.load()


def block(holds: str) -> str:
    return next(text for text in BLOCKS if holds in text)


def test_the_settings_can_be_used() -> None:
    book = parse_settings(block("[tighten."), "page").applied(BOOK)
    limits = {rule.limit for rule in book.rules if rule.rule_id == "mastercard-tpe-24h-excessive-attempts"}
    assert limits == {4}


def test_the_rule_can_be_added_to_the_shipped_ones() -> None:
    assert Rulebook.from_texts({"page": block("[[rule]]")}).rules[0].rule_id == "acme-daily"


def test_the_codes_can_be_added() -> None:
    codes = parse_extra(block("processors."), "page")
    assert set(codes.networks) == {Network.VISA}


def test_every_kind_is_explained() -> None:
    for kind in Kind:
        assert f"| `{kind}` |" in PAGE


def test_every_rule_with_a_looser_figure_is_in_the_table() -> None:
    rows = PAGE.partition("| rule | in force | selectable |")[2].partition("\n\n")[0].strip().splitlines()[1:]
    looser = {rule.rule_id for rule in BOOK.rules if rule.published}
    # Visa's categories 2 to 4 share a row.
    assert len(rows) == len(looser) - 2


@pytest.mark.parametrize("text", BLOCKS)
def test_every_block_is_toml(text: str) -> None:
    assert tomllib.loads(text)
