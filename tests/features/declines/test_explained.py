"""An explanation says how a code is read and who says so, and agrees with the reading itself."""

from datetime import UTC, date, datetime

import pytest

from features.declines.explained import explained, named
from features.declines.reading import load_table
from features.declines.rewritten import hidden_codes
from features.declines.taxonomy import classify
from features.declines.unknown import UnknownCode, unknown_codes
from features.errors import InvalidValueError
from features.vocabulary import Network, Retryability

VISA = Network.VISA


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("visa", VISA),
        ("VISA", VISA),
        ("American Express", Network.AMERICAN_EXPRESS),
        ("amex", Network.AMERICAN_EXPRESS),
        ("nacha", Network.ACH),
        ("SEPA", Network.SEPA_CORE),
        ("bacs", Network.BACS),
    ],
)
def test_a_networks_name_is_not_a_processors(name: str, network: Network) -> None:
    assert named(name) == (None, network)


def test_any_other_name_is_a_processors() -> None:
    assert named("stripe") == ("stripe", None)
    assert named("unknown") == ("unknown", None)
    assert named("?") == ("?", None)


@pytest.mark.parametrize("country", ["false", "de", "UK", "Germany", ""])
def test_what_is_no_country_is_refused_by_name(country: str) -> None:
    with pytest.raises(InvalidValueError, match=r"country.*such as DE or GB"):
        explained("51", processor=None, network=VISA, country=country)


def test_both_sides_are_shown_where_both_speak() -> None:
    found = explained("generic_decline", processor="stripe", network=VISA, subcode="43")
    assert found.own is not None
    assert found.networks is not None
    assert (found.own.table, found.networks.table) == ("stripe", "visa")
    assert found.network_code == "43"
    assert found.decline.retryability is Retryability.NEVER


def test_every_row_of_stripe_and_visa_is_explained_as_it_is_read() -> None:
    for table, processor in (("stripe", "stripe"), ("visa", None)):
        for entry in load_table(table).entries:
            found = explained(entry.code, processor=processor, network=VISA)
            assert found.decline == classify(entry.code, processor=processor, network=VISA, text=entry.code)


def test_advice_is_told_with_its_wait() -> None:
    found = explained("51", processor=None, network=Network.MASTERCARD, advice_code="27")
    assert found.advice is not None
    assert (found.advice.asks, found.advice.min_wait_hours) == ("wait 4 days", 96)


def test_what_a_05_may_hide_depends_on_its_day() -> None:
    def hidden(day: date) -> list[str]:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return list(explained("5", processor=None, network=VISA, at=at).may_hide)

    assert hidden(date(2025, 4, 11)) == []
    assert hidden(date(2025, 4, 12)) == ["12", "15"]
    assert hidden(date(2025, 9, 30)) == ["12", "15"]
    assert hidden(date(2025, 10, 1)) == ["12", "15", "57"]
    assert hidden(date(2026, 10, 24)) == ["12", "15", "57"]
    assert hidden(date(2026, 10, 25)) == ["12", "15"]


def test_other_codes_and_networks_hide_nothing() -> None:
    assert hidden_codes(VISA, "51", date(2026, 1, 1)) == frozenset()
    assert hidden_codes(Network.MASTERCARD, "05", date(2026, 1, 1)) == frozenset()
    assert hidden_codes(Network.ACH, "05", date(2026, 1, 1)) == frozenset()


def test_a_processor_without_a_table_is_said_to_have_none() -> None:
    assert not explained("51", processor="nobody", network=VISA).tables_known
    assert explained("51", processor="nobody", network=VISA).decline.title
    assert explained("51", processor=None, network=VISA).tables_known


FAILURES = [
    ("stripe", VISA, "insufficient_funds", None, None, 90),
    ("stripe", VISA, "new_word", None, None, 9),
    ("stripe", VISA, "NEW_WORD ", None, None, 1),
    ("north-2", VISA, 'say "no"', None, None, 20),
    ("north-2", VISA, "51", None, None, 5),
    ("north-2", VISA, "4242424242424242", None, None, 5),
]


def test_unknown_codes_are_counted_by_processor_most_frequent_first() -> None:
    found = unknown_codes(FAILURES)
    assert found == (UnknownCode("north-2", 'SAY "NO"', 20, 20 / 30), UnknownCode("stripe", "NEW_WORD", 10, 0.1))


def test_the_line_that_adds_a_code_can_be_read_back() -> None:
    from features.declines.extra import parse_extra

    text = "\n".join(each.line for each in unknown_codes(FAILURES))
    codes = parse_extra(text, "mine.toml")
    assert {name: [e.code for e in table.entries] for name, table in codes.processors.items()} == {
        "north2": ['SAY "NO"'],
        "stripe": ["NEW_WORD"],
    }


def test_a_card_number_among_the_codes_is_not_repeated() -> None:
    assert not any("4242" in each.line for each in unknown_codes(FAILURES))
