"""One cell as one field."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import BY_NAME
from features.money import minor_digits
from features.sources.cells import MoneyFormat, Unit, Value, cell_reader, money_reader
from features.sources.refusal import Refusal
from features.sources.times import TimeFormat

MAJOR = MoneyFormat(Unit.MAJOR)


def read(field: str, text: str) -> Value | Refusal:
    return cell_reader(BY_NAME[field], TimeFormat())(text)


@given(minor=st.integers(1, 10**15), currency=st.sampled_from(["EUR", "JPY", "KWD", "CZK"]))
def test_major_units_are_read_exactly_in_every_currency(minor: int, currency: str) -> None:
    major = Decimal(minor).scaleb(-minor_digits(currency))
    assert money_reader("amount_minor", MAJOR)(f"{major:f}", currency) == minor
    european = f"{major:,f}".replace(",", "_").replace(".", ",").replace("_", ".")
    assert money_reader("amount_minor", MoneyFormat(Unit.MAJOR, ",", "."))(european, currency) == minor
    assert money_reader("amount_minor", MoneyFormat())(str(minor), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "how"),
    [
        ("12.505", "EUR", MAJOR),
        ("12.5", "JPY", MAJOR),
        ("0", "EUR", MAJOR),
        ("-3.00", "EUR", MAJOR),
        ("1_000", "EUR", MAJOR),
        ("1e3", "EUR", MAJOR),
        ("NaN", "EUR", MAJOR),
        ("1.234,50", "EUR", MAJOR),
        ("12.50", "EUR", MoneyFormat(Unit.MAJOR, ",")),
        ("12.50", "EUR", MoneyFormat()),
        ("9" * 30, "EUR", MoneyFormat()),
        ("9" * 5000, "EUR", MAJOR),
        ("٣", "EUR", MoneyFormat()),
    ],
)
def test_an_amount_that_is_not_exactly_money_is_refused(text: str, currency: str, how: MoneyFormat) -> None:
    assert isinstance(money_reader("amount_minor", how)(text, currency), Refusal)


def test_a_fee_may_be_nothing_but_not_less() -> None:
    assert money_reader("attempt_fee_minor", MoneyFormat())("0", "EUR") == 0
    assert isinstance(money_reader("attempt_fee_minor", MoneyFormat())("-1", "EUR"), Refusal)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("outcome", "Approved", "approved"),
        ("rail", "Bank Debit", "bank_debit"),
        ("network", "american-express", "american_express"),
        ("currency", "eur", "EUR"),
        ("issuer_country", "de", "DE"),
        ("issuer_bin", "411111", "411111"),
        ("issuer_time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("three_d_secure", "Yes", True),
        ("three_d_secure", "0", False),
        ("propensity", "0.25", 0.25),
        ("propensity", "1", 1.0),
        ("customer_since", "2024-02-01", date(2024, 2, 1)),
        ("code", "05", "05"),
    ],
)
def test_a_cell_becomes_a_value_of_its_field(field: str, text: str, value: Value) -> None:
    assert read(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "hint"),
    [
        ("outcome", "aproved", "did you mean 'approved'"),
        ("network", "martian", "one of visa"),
        ("currency", "XXXX", "ISO 4217"),
        ("currency", "XAU", "ISO 4217"),
        ("issuer_country", "Germany", "two letters"),
        ("issuer_bin", "41111", "six to eight digits"),
        ("issuer_bin", "411111111", "six to eight digits"),
        ("issuer_bin", "4111 11", "six to eight digits"),
        ("issuer_time_zone", "Europe/Berlinn", "IANA"),
        ("issuer_time_zone", "../../etc/passwd", "IANA"),
        ("three_d_secure", "maybe", "true or false"),
        ("propensity", "0", "above 0"),
        ("propensity", "1.01", "at most 1"),
        ("propensity", "nan", "above 0"),
        ("propensity", "often", "probability"),
        ("customer_since", "01.02.2024", "2026-11-23"),
    ],
)
def test_a_wrong_cell_is_refused_with_what_would_be_right(field: str, text: str, hint: str) -> None:
    answer = read(field, text)
    assert isinstance(answer, Refusal)
    assert hint in answer.expected
