"""A country is two capitals; what others write for one is read as it, and a market only where it names one."""

import holidays
import pytest

from features.countries import country_of, country_of_market, is_country


def test_every_country_with_a_calendar_is_one_but_for_a_second_name_of_britain() -> None:
    codes = [code for code in holidays.list_supported_countries(include_aliases=True) if len(code) == 2]
    assert [code for code in codes if not is_country(code)] == ["UK"]
    assert [country_of(code.lower()) for code in codes if code != "UK"] == [code for code in codes if code != "UK"]


@pytest.mark.parametrize("text", ["", "D", "de", "DEU", "D1", "ÄÖ", "ＤＥ", "DE\n", "UK"])
def test_nothing_else_is_one(text: str) -> None:
    assert not is_country(text)


@pytest.mark.parametrize("text", ["", "D", "DEU", "D1", "ß", "Germany", None])
def test_what_names_none_is_none(text: str | None) -> None:
    assert country_of(text) is None


@pytest.mark.parametrize(
    ("market", "country"), [("FR", "FR"), ("UK", "GB"), ("fr", None), ("EMEA", None), ("1A", None), (None, None)]
)
def test_a_market_names_a_country_in_capitals_only(market: str | None, country: str | None) -> None:
    assert country_of_market(market) == country
