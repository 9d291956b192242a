"""Mapping files are validated whole, and what they say wrong is named."""

import pytest

from features.errors import InputError
from features.history import REQUIRED
from features.sources.cells import MoneyFormat, Unit
from features.sources.mapping import Column, Constant, FieldRule, PaymentGrouping, Template, ValueTable
from features.sources.mapping_file import parse_mapping
from features.sources.times import TimeFormat

EVERY_REQUIRED = "[fields]\n" + "\n".join(f'{name} = "{name}"' for name in REQUIRED)


def problem(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_mapping(text, "shop.toml")
    return str(caught.value)


def with_field(name: str, rule: str) -> str:
    lines = [line for line in EVERY_REQUIRED.splitlines() if not line.startswith(f"{name} =")]
    return "\n".join([*lines, f"{name} = {rule}"])


def test_a_whole_mapping_is_read_as_it_is_written() -> None:
    mapping = parse_mapping(
        """
        [file]
        format = "csv"
        delimiter = ";"
        quote = "'"
        encoding = "cp1252"
        empty = ["NULL", "-"]
        [fields]
        merchant_id = { constant = "acme" }
        rail = { constant = "card" }
        processor = "gateway"
        amount_minor = { column = "total", unit = "major", decimal = ",", thousands = "." }
        currency = { column = "cur", default = "EUR" }
        attempted_at = { column = "when", format = "%d.%m.%Y", zone = "Europe/Berlin" }
        outcome = { column = "ok", values = { Y = "approved", N = "declined" }, otherwise = "unknown" }
        issuer_id = { template = "{country}-{bank}" }
        [payments]
        by = ["card", "total"]
        gap_seconds = 60
        """,
        "shop.toml",
    )
    assert mapping.shape.delimiter == ";"
    assert mapping.shape.quote == "'"
    assert mapping.shape.encoding == "cp1252"
    assert mapping.shape.empty == {"NULL", "-"}
    assert mapping.grouping == PaymentGrouping(("card", "total"), 60)
    assert mapping.rules["merchant_id"] == FieldRule("merchant_id", Constant("acme"))
    assert mapping.rules["processor"] == FieldRule("processor", Column("gateway"))
    assert mapping.rules["amount_minor"].money == MoneyFormat(Unit.MAJOR, ",", ".")
    assert mapping.rules["attempted_at"].time == TimeFormat("%d.%m.%Y", "Europe/Berlin")
    assert mapping.rules["outcome"].table == ValueTable({"Y": "approved", "N": "declined"}, "unknown")
    assert mapping.rules["issuer_id"].source == Template("{country}-{bank}")
    assert mapping.columns == ("gateway", "total", "cur", "when", "ok", "country", "bank", "card")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[fields", "not valid TOML"),
        (
            f"{EVERY_REQUIRED}\n[feilds]\n",
            "feilds: is not known here; expected one of file, fields, payments; did you mean 'fields'?",
        ),
        (with_field("curency", '"cur"'), "; did you mean 'currency'?"),
        (
            with_field("currency", "{ colum = 'cur' }"),
            "default; did you mean 'column'?",
        ),
        (with_field("currency", "{ column = 'a', constant = 'EUR' }"), "exactly one of column, constant and template"),
        (with_field("currency", "{ default = 'EUR' }"), "exactly one of column, constant and template"),
        (with_field("currency", "3"), "fields.currency: 3 is not accepted; expected a column's name or a table"),
        (with_field("currency", '""'), "expected a column's name or a table"),
        (with_field("currency", "{ constant = 'EURO' }"), "fields.currency.constant: 'EURO' is not accepted"),
        (with_field("rail", "{ column = 'r', default = 'crad' }"), "fields.rail.default: 'crad'"),
        (with_field("outcome", "{ column = 'o', values = { a = 'payed' } }"), "fields.outcome.values.a: 'payed'"),
        (with_field("outcome", "{ column = 'o', values = {} }"), "at least one value"),
        (with_field("outcome", "{ column = 'o', otherwise = 'unknown' }"), "otherwise beside a table of values"),
        (with_field("outcome", "{ column = 'o', values = 3 }"), "fields.outcome.values: 3 is not accepted"),
        (
            with_field("code", "{ column = 'o', values = { a = 'b' }, otherwise = 'c', keep_unlisted = true }"),
            "otherwise or keep_unlisted, not both",
        ),
        (with_field("method_id", "{ template = 'no columns' }"), "fields.method_id.template"),
        (with_field("method_id", "{ template = '{a}-{b' }"), "fields.method_id.template"),
        (with_field("amount_minor", "{ column = 'a', unit = 'mayor' }"), "did you mean 'major'?"),
        (
            with_field("amount_minor", "{ column = 'a', decimal = ',', thousands = ',' }"),
            "another character than decimal",
        ),
        (with_field("amount_minor", "{ column = 'a', decimal = ',,' }"), "one character"),
        (with_field("currency", "{ column = 'a', unit = 'major' }"), "fields.currency.unit: is not known here"),
        (with_field("attempted_at", "{ column = 'a', zone = 'Europe/Berln' }"), "did you mean 'Europe/Berlin'?"),
        (with_field("attempted_at", "{ column = 'a', format = 'day' }"), "fields.attempted_at.zone"),
        (with_field("attempted_at", "{ column = 'a', format = '%d.%m.%Y %H:%M' }"), "carries no offset"),
        (with_field("attempted_at", "{ column = 'a', format = '%H:%M', zone = 'UTC' }"), "with a year and a month"),
        (with_field("attempted_at", "{ column = 'a', format = '%Q', zone = 'UTC' }"), "fields.attempted_at.format"),
        (with_field("attempted_at", "{ column = 'a', format = 'unix' }"), "fields.attempted_at.format"),
        (with_field("attempted_at", "{ column = 'a', ambiguous = 'both' }"), "fields.attempted_at.ambiguous"),
        (with_field("expires_on", "{ column = 'a', format = 'day' }"), "fields.expires_on.format"),
        (f"{EVERY_REQUIRED}\n[file]\ndelimiter = ';;'", "file.delimiter: ';;' is not accepted; expected one character"),
        (f"{EVERY_REQUIRED}\n[file]\nquote = ','", "another character than the delimiter"),
        (f"{EVERY_REQUIRED}\n[file]\nencoding = 'utf-99'", "file.encoding: 'utf-99'"),
        (f"{EVERY_REQUIRED}\n[file]\nencoding = 'base64'", "file.encoding: 'base64'"),
        (f"{EVERY_REQUIRED}\n[file]\nformat = 'xml'", "one of csv, jsonl, parquet"),
        (f"{EVERY_REQUIRED}\n[file]\nempty = 'NULL'", "a list of texts"),
        (f"{EVERY_REQUIRED}\n[payments]\nby = ['a']\ngap_seconds = 60", "keep one of the two"),
        (f"{EVERY_REQUIRED}\n[payments]\ngap_seconds = -1", "payments.gap_seconds: -1"),
        ("file = 3\n" + EVERY_REQUIRED, "file: 3 is not accepted; expected a table"),
        ("", "fields.currency: is required but has no rule"),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_place_that_is_wrong(text: str, says: str) -> None:
    assert says in problem(text)


def test_every_problem_is_reported_at_once() -> None:
    text = with_field("currency", "{ constant = 'EURO' }").replace('rail = "rail"', 'rial = "rail"')
    assert problem(text).startswith("shop.toml has 3 problems: fields.rial: ")


def test_a_mapping_with_a_card_number_is_refused_without_repeating_it() -> None:
    said = problem(with_field("method_id", "{ constant = '4242 4242 4242 4242' }"))
    assert "card number" in said
    assert "4242" not in said


@pytest.mark.parametrize("name", [n for n in REQUIRED if n != "attempt_id"])
def test_a_required_field_without_a_rule_is_named(name: str) -> None:
    text = "\n".join(line for line in EVERY_REQUIRED.splitlines() if not line.startswith(f"{name} ="))
    assert problem(text).startswith(f"shop.toml: fields.{name}: is required")
