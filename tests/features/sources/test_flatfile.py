"""Rows of an export become rows of the history, or say why not."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import SCHEMA
from features.sources.field_reader import RawRows
from features.sources.flatfile import FlatFile, ReadRows
from features.sources.mapping import identity_mapping
from features.sources.mapping_file import parse_mapping
from features.sources.refusal import Reason, sentence

ROW = {
    "attempt_id": "a1",
    "payment_id": "p1",
    "merchant_id": "acme",
    "customer_id": "c1",
    "method_id": "m1",
    "rail": "card",
    "processor": "stripe",
    "amount_minor": "1250",
    "currency": "EUR",
    "attempted_at": "2026-11-23T10:15:00Z",
    "outcome": "declined",
}


def read(*changes: Mapping[str, str]) -> ReadRows:
    rows = [ROW | dict(change) for change in changes]
    columns = {name: [row.get(name, "") for row in rows] for row in rows for name in row}
    raw = RawRows("shop.csv", range(2, 2 + len(rows)), columns)
    return FlatFile(identity_mapping(tuple(columns))).read(raw)


def said(read_rows: ReadRows, row: int = 0) -> list[str]:
    return [sentence(found) for found in read_rows.faults[row]]


def test_a_good_row_is_accepted_with_the_types_of_the_history() -> None:
    result = read({})
    assert not result.faults
    assert result.table.schema.names == SCHEMA.names
    assert result.table.schema.types == SCHEMA.types
    assert result.table.to_pylist()[0]["amount_minor"] == 1250
    assert result.table.to_pylist()[0]["code"] is None


@pytest.mark.parametrize("name", list(ROW))
def test_an_empty_required_field_is_named(name: str) -> None:
    assert said(read({name: "  "}))[0].startswith(f"{name}: is empty; expected ")


def test_every_fault_of_a_row_is_named_and_the_other_rows_stand() -> None:
    result = read({}, {"currency": "EURO", "outcome": "payed", "amount_minor": "-5"}, {"attempt_id": "a3"})
    assert result.accepted.tolist() == [0, 2]
    assert [found.field for found in result.faults[1]] == ["currency", "outcome"]
    assert result.table.column("attempt_id").to_pylist() == ["a1", "a3"]


def test_an_outcome_cannot_be_known_before_the_attempt() -> None:
    assert "not before attempted_at" in said(read({"outcome_at": "2026-11-23T10:14:59Z"}))[0]
    assert not read({"outcome_at": "2026-11-23T10:15:00Z"}).faults


@pytest.mark.parametrize("name", [*ROW, "code", "a column nobody maps"])
@pytest.mark.parametrize("number", ["4242424242424242", "paid with 4242-4242-4242-4242"])
def test_a_card_number_anywhere_refuses_the_row_and_is_not_repeated(name: str, number: str) -> None:
    result = read({name: number}, {})
    assert result.accepted.tolist() == [1]
    assert result.faults[0][0].refusal.reason is Reason.CARD_NUMBER
    assert all("4242" not in text for text in said(result))


def test_a_template_cannot_put_a_card_number_together() -> None:
    columns = {**{name: [cell] for name, cell in ROW.items()}, "bin": ["424242"], "rest": ["4242424242"]}
    fields = "\n".join(f'{name} = "{name}"' for name in ROW if name != "method_id")
    mapping = parse_mapping(f'[fields]\n{fields}\nmethod_id = {{ template = "{{bin}}{{rest}}" }}', "m.toml")
    result = FlatFile(mapping).read(RawRows("shop.csv", [2], columns))
    assert result.faults[0][0].refusal.reason is Reason.CARD_NUMBER


@given(millis=st.lists(st.integers(1_000_000_000_000, 1_999_999_999_999), min_size=1, max_size=40))
def test_unix_milliseconds_are_times_even_where_they_pass_the_check_digit(millis: Sequence[int]) -> None:
    fields = "\n".join(f'{name} = "{name}"' for name in ROW if name != "attempted_at")
    rule = 'attempted_at = { column = "attempted_at", format = "unix_millis" }'
    reader = FlatFile(parse_mapping(f"[fields]\n{fields}\n{rule}", "m.toml"))
    columns = {name: [cell] * len(millis) for name, cell in ROW.items()} | {"attempted_at": [str(m) for m in millis]}
    assert not reader.read(RawRows("shop.csv", range(len(millis)), columns)).faults


def mapped(rule: str, field: str, cells: Sequence[str]) -> tuple[list[object], list[str]]:
    """What a rule makes of some cells of column `x`, and what it says about the refused ones."""
    fields = "\n".join(f'{name} = "{name}"' for name in ROW if name != field)
    reader = FlatFile(parse_mapping(f"[fields]\n{fields}\n{field} = {rule}", "m.toml"))
    columns = {name: [cell] * len(cells) for name, cell in ROW.items()} | {"x": list(cells)}
    result = reader.read(RawRows("shop.csv", range(len(cells)), columns))
    return result.table.column(field).to_pylist(), [sentence(f) for found in result.faults.values() for f in found]


def test_a_value_table_replaces_listed_words_and_quarantines_the_others() -> None:
    rule = '{ column = "x", values = { paid = "approved", "" = "unknown" } }'
    values, faults = mapped(rule, "outcome", ["paid", " paid ", "", "piad"])
    assert values == ["approved", "approved", "unknown"]
    assert faults == ["outcome: 'piad' is not in the value table; expected one of paid; did you mean 'paid'?"]


def test_words_not_listed_take_the_stated_default_or_stand() -> None:
    otherwise = '{ column = "x", values = { paid = "approved" }, otherwise = "declined" }'
    assert mapped(otherwise, "outcome", ["paid", "returned"])[0] == ["approved", "declined"]
    keep = '{ column = "x", values = { NSF = "R01" }, keep_unlisted = true }'
    assert mapped(keep, "code", ["NSF", "R02", ""])[0] == ["R01", "R02", None]


def test_an_empty_cell_takes_the_default() -> None:
    assert mapped('{ column = "x", default = "EUR" }', "currency", ["", "CZK"])[0] == ["EUR", "CZK"]


def test_a_template_with_an_empty_part_is_empty() -> None:
    values, faults = mapped('{ template = "100% {x}-{currency}" }', "method_id", ["a", ""])
    assert values == ["100% a-EUR"]
    assert "method_id: is empty" in faults[0]


def test_a_bare_date_of_the_attempt_is_marked_as_such() -> None:
    rule = '{ column = "x", format = "day", zone = "Europe/Prague" }'
    fields = "\n".join(f'{name} = "{name}"' for name in ROW if name != "attempted_at")
    reader = FlatFile(parse_mapping(f"[fields]\n{fields}\nattempted_at = {rule}", "m.toml"))
    columns = {name: [cell] for name, cell in ROW.items()} | {"x": ["1993-02-01"]}
    row = reader.read(RawRows("shop.csv", [2], columns)).table.to_pylist()[0]
    assert row["precision"] == "day"
    assert row["attempted_at"].isoformat() == "1993-02-01T11:00:00+00:00"


def test_an_outcome_of_the_same_bare_day_is_known_at_the_attempt_and_not_before() -> None:
    rule = '{ column = "x", format = "day", zone = "UTC" }'
    fields = "\n".join(f'{name} = "{name}"' for name in ROW)
    reader = FlatFile(parse_mapping(f"[fields]\n{fields}\noutcome_at = {rule}", "m.toml"))
    late = {name: [cell] * 2 for name, cell in ROW.items()} | {"attempted_at": ["2026-11-23T23:00:00Z"] * 2}
    result = reader.read(RawRows("shop.csv", [2, 3], late | {"x": ["2026-11-23", "2026-11-22"]}))
    assert result.table.column("outcome_at")[0].as_py() == result.table.column("attempted_at")[0].as_py()
    assert list(result.faults) == [1]


def test_explaining_shows_each_field_and_hides_card_numbers() -> None:
    columns = {name: [cell] for name, cell in ROW.items()} | {"method_id": ["4242424242424242"], "x": [""]}
    row = FlatFile(identity_mapping(tuple(ROW))).explain(RawRows("shop.csv", [2], columns))[0]
    by_field = {each.field: each for each in row.fields}
    assert by_field["amount_minor"].raw == "1250"
    assert by_field["attempted_at"].result == "2026-11-23T10:15:00+00:00"
    assert "4242" not in repr(row)
    assert by_field["method_id"].refused
    assert len(row.problems) == 1
