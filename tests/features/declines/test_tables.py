"""Every shipped code loads, is reachable, and says what the reference counts say."""

from collections import Counter
from datetime import UTC, date, datetime
from importlib.resources import files
from urllib.parse import urlsplit

import pytest

from features.declines.index import table_index
from features.declines.reading import load_table, parse_table
from features.declines.table import ANY_CODE, STRICTEST_FIRST, CodeTable
from features.declines.taxonomy import classify
from features.errors import InputError
from features.vocabulary import DeclineCategory, Network, Retryability

# Rows of the reference of 23 November 2026, by table.
ROWS = {
    "abecs_brazil": 157, "adyen": 44, "american_express": 16, "asaas_pix_automatico": 11, "authorize_net": 124,
    "autogiro": 5, "bacs_addacs": 9, "bacs_arudd": 12, "bacs_auddis": 18, "becs_au": 1, "becs_nz": 1,
    "braintree": 111, "canada_pad": 20, "checkout_com": 144, "cielo": 64, "cybersource": 53, "elo": 37,
    "gocardless": 28, "hyperpay_oppwa": 66, "iso8583": 46, "mastercard": 64, "mercado_pago": 19,
    "migs_mastercard_gateway": 22, "nacha": 56, "paypal": 152, "pix_automatico": 21, "razorpay": 82,
    "sepa_direct_debit": 30, "square": 49, "stripe": 50, "stripe_advice_code": 3, "visa": 58, "worldpay": 39,
}  # fmt: skip
TOTAL = 1612
ADDED = {"adyen_reasons": 19, "stripe_debits": 12}
"""What the reference does not have."""
RETRYABILITIES = {"after_fix": 585, "later": 294, "never": 527, "soon": 153, "with_authentication": 53}


def every_table() -> list[CodeTable]:
    return [load_table(name) for name in sorted(ROWS)]


def test_the_shipped_files_are_the_tables_of_the_reference_row_for_row() -> None:
    shipped = {path.name.removesuffix(".toml") for path in (files("features.declines") / "codes").iterdir()}
    assert shipped == {*ROWS, *ADDED}
    assert {name: len(load_table(name).entries) for name in ADDED} == ADDED
    assert {table.name: len(table.entries) for table in every_table()} == ROWS
    assert sum(ROWS.values()) == TOTAL


def test_every_table_can_be_reached_and_the_index_names_no_other() -> None:
    assert table_index().tables == {*ROWS, *ADDED}


def test_every_code_states_a_public_source_a_title_and_a_retryability() -> None:
    for table in every_table():
        for entry in table.entries:
            assert urlsplit(entry.source).scheme == "https", entry
            assert entry.title
            assert entry.retryability is not Retryability.UNKNOWN


def test_categories_and_retryabilities_are_spread_as_in_the_reference() -> None:
    entries = [entry for table in every_table() for entry in table.entries]
    assert {entry.category for entry in entries} == set(DeclineCategory)
    assert Counter(entry.retryability for entry in entries) == RETRYABILITIES


def test_every_network_code_reads_as_its_own_row_says() -> None:
    for network, names in table_index().networks.items():
        table = load_table(names[0])
        for entry in table.entries:
            if entry.code == ANY_CODE:
                continue
            advice = entry.subcode if network is Network.MASTERCARD else None
            subcode = None if network is Network.MASTERCARD else entry.subcode
            decline = classify(entry.code, processor=None, network=network, subcode=subcode, advice_code=advice)
            same = [e for e in table.entries if (e.code, e.subcode) == (entry.code, entry.subcode)]
            assert decline.category in {e.category for e in same}
            assert decline.retryability is min((e.retryability for e in same), key=STRICTEST_FIRST.index)


def test_every_processor_word_reads_as_its_own_row_says_unless_the_network_forbids_it() -> None:
    for processor, names in table_index().processors.items():
        for entry in (entry for name in names for entry in load_table(name).entries):
            code = entry.code.split("-")[0] if entry.code == "2109-2999" else entry.code
            decline = classify(code, processor=processor, network=Network.DINERS, subcode=entry.subcode)
            stricter = STRICTEST_FIRST.index(decline.retryability) < STRICTEST_FIRST.index(entry.retryability)
            assert decline.retryability is entry.retryability or stricter, entry
            assert decline.category is entry.category or entry.category in {"unknown", "do_not_honor"}, entry


def test_a_brazilian_pair_that_stands_twice_is_never_if_either_is() -> None:
    table = load_table("abecs_brazil")
    pairs = Counter((entry.code, entry.subcode) for entry in table.entries)
    assert sum(count - 1 for count in pairs.values()) == 26
    for entry in table.entries:
        found = table.exact(entry.code, entry.subcode)
        assert found is not None
        if entry.retryability is Retryability.NEVER:
            assert found.retryability is Retryability.NEVER


def test_a_code_with_a_first_day_means_nothing_the_day_before() -> None:
    visa = load_table("visa")
    assert visa.exact("83", on=date(2026, 7, 24)) is None
    assert visa.exact("83", on=date(2026, 7, 25)) is not None
    before = classify("83", processor=None, network=Network.VISA, at=datetime(2026, 7, 24, 23, 59, 59, tzinfo=UTC))
    after = classify("83", processor=None, network=Network.VISA, at=datetime(2026, 7, 25, tzinfo=UTC))
    assert (before.category, after.category) == (DeclineCategory.UNKNOWN, DeclineCategory.SUSPECTED_FRAUD)


HEAD = 'title = "T"\nas_of = 2026-11-23\nconfidence = "low"\nsource = "https://example.org"\n'
ROW = 'code = "1", title = "t", category = "unknown", retryability = "later"'


def table_of(row: str) -> str:
    return f"{HEAD}codes = [{{ {row} }}]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("codes = [", "not TOML"),
        (HEAD, "codes is missing"),
        (table_of('code = "1"'), "title"),
        (table_of(ROW.replace("unknown", "poor")), "category is 'poor'"),
        (table_of(ROW.replace("later", "maybe")), "retryability is 'maybe'"),
        (table_of(ROW + ", min_wait_hours = -1"), "min_wait_hours is -1"),
        (table_of(ROW + ", effective_from = 1"), "effective_from is 1"),
        (table_of(ROW + ', insufficient_funds_in = ["de"]'), "insufficient_funds_in"),
        (table_of(ROW + ', outranks = "all"'), "outranks is 'all'"),
        (table_of(ROW + ', colour = "red"'), "colour is not a field"),
    ],
)
def test_a_malformed_table_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(InputError, match=r"codes/mine\.toml") as caught:
        parse_table("mine", text)
    assert says in str(caught.value)


def test_a_table_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="no such table"):
        load_table("nobody")
