"""The economics file: what it says, what a merchant may replace, and how faults are named."""

from pathlib import Path

import pytest

from features.errors import InputError, InvalidValueError
from features.money import Money
from features.vocabulary import Rail
from model.economics import Economics, Exchange, Fee

ROUTING = Path(__file__).parents[2] / "docs" / "examples" / "economics" / "psp_routing.toml"


def test_the_default_is_complete_and_named_by_its_content() -> None:
    economics = Economics.default()
    assert set(economics.harm) == set(Rail)
    assert economics.fees_of("nobody in particular") == economics.fees["default"]
    assert economics.version == Economics.from_toml("").version


def test_the_routing_example_states_the_fees_of_its_processors() -> None:
    economics = Economics.from_toml(ROUTING.read_text(encoding="utf-8"))
    stated = {
        name: (economics.fees_of(name).approved.fixed.major, economics.fees_of(name).declined.fixed.major)
        for name in ("Moneycard", "Goldcard", "UK_Card", "Simplecard")
    }
    assert {name: (float(a), float(d)) for name, (a, d) in stated.items()} == {
        "Moneycard": (5.0, 2.0),
        "Goldcard": (10.0, 5.0),
        "UK_Card": (3.0, 1.0),
        "Simplecard": (1.0, 0.5),
    }


def test_a_merchant_s_file_replaces_only_what_it_states() -> None:
    default = Economics.default()
    own = Economics.from_toml(
        '[value]\nmargin = 0.5\n[fees."my.psp"]\napproved = {fixed = "0.25 USD"}\ndeclined = "0 USD"\n'
    )
    assert (own.margin, own.half_life_days) == (0.5, default.half_life_days)
    assert own.fees_of("my.psp").approved == Fee(Money(25, "USD"), share=0.0)
    assert own.fees_of("other") == default.fees_of("other")
    assert own.version != default.version


def test_a_stated_fee_replaces_the_default_s_share_too() -> None:
    own = Economics.from_toml('[fees.default]\napproved = {fixed = "0.30 EUR"}\n')
    assert own.fees_of("any").approved == Fee(Money(30, "EUR"))
    assert own.fees_of("any").declined == Economics.default().fees_of("any").declined


def test_every_fault_is_named_by_its_key_at_once() -> None:
    text = """
    [value]
    margn = 0.5
    margin = 1.5
    half_life_days = "long"
    later_invoices = true
    [harm]
    card = "-1 EUR"
    wallet = "1 EURO"
    voucher = 1
    [fees.gold]
    approved = "4242424242424242"
    [exchange]
    as_of = "today"
    base = "euro"
    [exchange.per_base]
    US = 1.1
    """
    with pytest.raises(InputError) as refusal:
        Economics.from_toml(text, "mine.toml")
    message = str(refusal.value)
    assert message.startswith("mine.toml: ")
    for place in (
        "value.margn is not a key of this file; did you mean margin?",
        "value.margin: 1.5",
        "value.half_life_days: 'long'",
        "value.later_invoices: True",
        "harm.card: '-1 EUR'",
        "harm.wallet: '1 EURO'",
        "harm.voucher: 1",
        "fees.gold.approved: ",
        "fees.gold.declined: is missing",
        "exchange.as_of: 'today'",
        "exchange.base: 'euro'",
        "exchange.per_base.US: 'US'",
    ):
        assert place in message
    assert "4242424242424242" not in message


@pytest.mark.parametrize("text", ["margin = ", "value = 3", "[fees]\ngold = 3"])
def test_what_is_no_economics_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="economics"):
        Economics.from_toml(text)


def test_money_is_weighed_across_currencies_and_their_minor_units() -> None:
    exchange = Exchange("EUR", Economics.default().exchange.as_of, {"JPY": 160.0, "KWD": 0.4})
    assert exchange.minor_units(Money(100, "EUR"), "JPY") == pytest.approx(160.0)
    assert exchange.minor_units(Money(400, "KWD"), "EUR") == pytest.approx(100.0)
    assert exchange.minor_units(Money(160, "JPY"), "KWD") == pytest.approx(400.0)


def test_a_currency_without_a_rate_is_refused_unless_none_is_needed() -> None:
    exchange = Economics.default().exchange
    assert exchange.minor_units(Money(5, "FKP"), "FKP") == 5.0
    assert exchange.minor_units(Money(0, "EUR"), "FKP") == 0.0
    with pytest.raises(InvalidValueError, match="FKP"):
        exchange.minor_units(Money(5, "EUR"), "FKP")
