"""Money is exact: ISO 4217 minor units, no rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InvalidValueError
from features.money import Money, from_major, minor_digits


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0), ("CZK", 2)])
def test_minor_units_follow_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@given(st.integers(0, 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_major_units_and_back_lose_nothing(minor: int, currency: str) -> None:
    assert from_major(str(Money(minor, currency).major), currency) == Money(minor, currency)


@pytest.mark.parametrize("currency", ["eur", "EURO", "XXX", "XAU", "", "ZZZ"])
def test_what_is_no_currency_is_refused_by_name(currency: str) -> None:
    with pytest.raises(InvalidValueError, match="currency"):
        Money(1, currency)


@pytest.mark.parametrize("text", ["12.345", "abc", "", "NaN", "1e-9", "Infinity"])
def test_an_amount_that_is_no_whole_number_of_cents_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        from_major(text, "EUR")


def test_money_reads_as_people_write_it() -> None:
    assert str(Money(123456, "EUR")) == "1,234.56 EUR"
    assert str(Money(500, "JPY")) == "500 JPY"


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_reads_as_its_major_units_do(minor: int, currency: str) -> None:
    assert str(Money(minor, currency)) == f"{Money(minor, currency).major:,f} {currency}"
