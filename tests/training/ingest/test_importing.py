"""Whole imports: files in, one sorted history and its quarantine out."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError, RecoupError
from features.history import REQUIRED, SCHEMA
from features.sources.mapping_file import parse_mapping
from features.sources.refusal import Reason
from training.ingest.importing import explain, import_history
from training.ingest.summary import Summary

Row = Mapping[str, str]


def row(number: int, **changes: str) -> dict[str, str]:
    return {
        "attempt_id": f"a{number}",
        "payment_id": f"p{number // 3}",
        "merchant_id": "acme",
        "customer_id": f"c{number // 6}",
        "method_id": "m1",
        "rail": "card",
        "processor": "stripe",
        "amount_minor": "1250",
        "currency": "EUR",
        "attempted_at": f"2026-11-{1 + number % 28:02d}T10:15:00Z",
        "outcome": ("approved", "declined")[number % 2],
        "network": "visa",
        "code": ("", "51")[number % 2],
    } | changes


ROWS = [row(number) for number in range(60)]


def csv_text(rows: Sequence[Row], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path: Path, rows: Sequence[Row] = ROWS) -> Path:
    path.write_text(csv_text(rows), encoding="utf-8")
    return path


def run(paths: Sequence[Path], mapping: str | None = None) -> tuple[Summary, pa.Table]:
    out = paths[0].parent / "history.parquet"
    stated = parse_mapping(mapping, "m.toml") if mapping else None
    summary = import_history(paths, stated, out, out.with_suffix(".quarantine.csv"))
    return summary, pq.read_table(out)


def quarantined(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.quarantine.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def refused(paths: Sequence[Path], mapping: str | None = None) -> str:
    folder = paths[0].parent
    before = sorted(folder.iterdir())
    with pytest.raises(RecoupError) as caught:
        run(paths, mapping)
    assert sorted(folder.iterdir()) == before, "nothing may be left behind"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_history_file_needs_no_mapping_and_comes_out_sorted_by_time(tmp_path: Path) -> None:
    summary, table = run([write(tmp_path / "in.csv")])
    assert (summary.read, summary.accepted, summary.quarantined) == (60, 60, 0)
    assert (summary.payments, summary.customers, summary.failures) == (20, 10, 30)
    assert table.schema.equals(SCHEMA, check_metadata=False)
    assert table.schema.metadata[b"recoup_history"] == b"1"
    assert table["attempted_at"].to_pylist() == sorted(table["attempted_at"].to_pylist())
    assert sorted(table["attempt_id"].to_pylist()) == sorted(r["attempt_id"] for r in ROWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.parquet", "in.csv"]


def jsonl(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


@pytest.mark.parametrize(
    "name", ["x.csv.gz", "x.csv.zst", "x.tsv", "x.jsonl", "x.ndjson.gz", "x.jsonl.zst", "x.parquet", "bom.csv"]
)
def test_every_format_gives_the_same_history(tmp_path: Path, name: str) -> None:
    _, expected = run([write(tmp_path / "in.csv")])
    path = tmp_path / name
    plain = csv_text(ROWS, "\t" if "tsv" in name else ",").encode() if "json" not in name else jsonl(ROWS)
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain))
    elif name.endswith(".zst"):
        path.write_bytes(pa.Codec("zstd").compress(plain, asbytes=True))
    else:
        path.write_bytes((b"\xef\xbb\xbf" if name == "bom.csv" else b"") + plain)
    assert run([path])[1].equals(expected)


def test_a_history_imported_again_is_the_same_file_byte_for_byte(tmp_path: Path) -> None:
    run([write(tmp_path / "in.csv")])
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / "history.parquet"
    import_history([tmp_path / "history.parquet"], None, again, again.with_suffix(".csv"))
    assert again.read_bytes() == (tmp_path / "history.parquet").read_bytes()


def test_typed_parquet_columns_are_read_as_their_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2]),
            "when": pa.array(np.array(["2026-11-23T10:15:00", "2026-11-24"], dtype="datetime64[ns]")),
            "total": pa.array([12.5, 13.0]),
            "fee": pa.array([float("nan"), 7.0]),
            "ok": pa.array([True, False]),
            "card": pa.array(["visa", None]).dictionary_encode(),
            "meta": pa.array([{"a": 1}, None]),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    _, history = run([tmp_path / "in.parquet"], TYPED)
    assert history["amount_minor"].to_pylist() == [1250, 1300]
    assert history["attempt_fee_minor"].to_pylist() == [None, 7]
    assert history["outcome"].to_pylist() == ["approved", "declined"]
    assert history["network"].to_pylist() == ["visa", None]
    assert str(history["attempted_at"][0]) == "2026-11-23 10:15:00+00:00"


TYPED = """
[fields]
attempt_id = "id"
payment_id = "id"
customer_id = "id"
method_id = "id"
merchant_id = { constant = "acme" }
rail = { constant = "card" }
processor = { constant = "stripe" }
currency = { constant = "EUR" }
amount_minor = { column = "total", unit = "major" }
attempt_fee_minor = "fee"
attempted_at = { column = "when", zone = "UTC" }
outcome = { column = "ok", values = { true = "approved", false = "declined" } }
network = "card"
"""


def test_nested_json_keys_are_named_with_dots_and_amounts_keep_their_digits(tmp_path: Path) -> None:
    line = {"id": 7, "when": "2026-11-23T10:15:00Z", "ok": True, "card": "visa", "fee": None}
    (tmp_path / "in.jsonl").write_text(json.dumps({**line, "charge": {"total": 0.1}}) + "\n")
    _, history = run([tmp_path / "in.jsonl"], TYPED.replace('"total"', '"charge.total"'))
    assert history["amount_minor"].to_pylist() == [10]


def test_refused_rows_are_written_with_their_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = [row(1), row(2, currency="EURO", outcome="payed"), row(3, amount_minor="-5"), row(4)]
    summary, history = run([write(tmp_path / "in.csv", rows)])
    assert (summary.read, summary.accepted, summary.quarantined) == (4, 2, 2)
    assert history["attempt_id"].to_pylist() == ["a1", "a4"]
    first, second = quarantined(tmp_path)
    assert (first["file"], first["line"], first["field"], first["value"]) == ("in.csv", "3", "currency", "EURO")
    assert "ISO 4217" in first["expected"]
    assert first["also"].startswith("outcome: 'payed' is not accepted")
    assert json.loads(first["row"])["attempt_id"] == "a2"
    assert (second["line"], second["field"]) == ("4", "amount_minor")


def test_rows_that_are_no_rows_are_quarantined_by_line(tmp_path: Path) -> None:
    lines = csv_text([row(1), row(2), row(3)]).splitlines()
    lines[2:2] = ["only,two", "", 'a,"b"c,' + "," * 10]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    summary, _ = run([tmp_path / "in.csv"])
    assert (summary.read, summary.accepted, summary.quarantined) == (5, 3, 2)
    assert [found["line"] for found in quarantined(tmp_path)] == ["3", "5"]
    assert "13 fields as in the header" in quarantined(tmp_path)[0]["expected"]


def test_a_quoted_line_break_does_not_shift_the_lines_named(tmp_path: Path) -> None:
    run([write(tmp_path / "in.csv", [row(1, code="two\nlines"), row(2, outcome="x"), row(3)])])
    assert quarantined(tmp_path)[0]["line"] == "4"


def test_broken_json_lines_are_quarantined_by_line(tmp_path: Path) -> None:
    deep = '{"a":' * 50_000
    lines = [json.dumps(row(1)), "{broken", "[1]", "", '{"a": NaN}', '{"code": "\\ud800"}', deep, json.dumps(row(2))]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    summary, _ = run([tmp_path / "in.jsonl"])
    assert (summary.read, summary.accepted, summary.quarantined) == (7, 2, 5)
    assert [found["line"] for found in quarantined(tmp_path)] == ["2", "3", "5", "6", "7"]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.parquet"])
@pytest.mark.parametrize("field", ["attempt_id", "code", "note"])
def test_no_card_number_reaches_any_output(tmp_path: Path, name: str, field: str) -> None:
    rows = [row(1, note=""), row(2, note="") | {field: "x 4242 4242 4242 4242 y"}, row(3, note="")]
    path = tmp_path / name
    if name == "in.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif name == "in.jsonl":
        path.write_bytes(jsonl(rows).replace(b'"note": ""', b'"deep": {"note": ""}'))
    else:
        write(path, rows)
    summary, history = run([path])
    assert (summary.accepted, summary.quarantined) == (2, 1)
    written = repr(history.to_pylist()) + (tmp_path / "history.quarantine.csv").read_text() + repr(summary)
    assert "4242" not in written
    assert quarantined(tmp_path)[0]["reason"] == "card number"


def test_the_first_attempt_of_an_id_stays_and_later_ones_name_it(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.csv", [row(1), row(2), row(1)]), write(tmp_path / "two.csv", [row(3), row(2)])
    summary, history = run([one, two])
    assert (summary.read, summary.accepted, summary.quarantined) == (5, 3, 2)
    assert sorted(history["attempt_id"].to_pylist()) == ["a1", "a2", "a3"]
    found = {(each["file"], each["line"]): each for each in quarantined(tmp_path)}
    assert "one.csv line 2" in found["one.csv", "4"]["expected"]
    assert "one.csv line 3" in found["two.csv", "3"]["expected"]
    assert {each["reason"] for each in found.values()} == {"duplicate"}


def test_ids_are_those_of_a_merchant(tmp_path: Path) -> None:
    same = {"attempt_id": "1", "payment_id": "1001", "customer_id": "7"}
    rows = [row(1, **same), row(2, **same, merchant_id="other"), row(3, **same), row(4, **same, merchant_id="other")]
    summary, history = run([write(tmp_path / "in.csv", rows)])
    assert history["merchant_id"].to_pylist() == ["acme", "other"]
    assert (summary.payments, summary.customers) == (2, 2)
    lines = {each["line"]: each["expected"] for each in quarantined(tmp_path)}
    assert lines.keys() == {"4", "5"}
    assert "in.csv line 2" in lines["4"]
    assert "in.csv line 3" in lines["5"]


@pytest.mark.parametrize("merchants", [("a/b", "a"), ("a", "b")])
def test_merchants_are_counted_apart_however_their_ids_are_spelt(tmp_path: Path, merchants: tuple[str, str]) -> None:
    customers = ("c", "b/c")
    rows = [row(n, merchant_id=m, customer_id=c) for n, (m, c) in enumerate(zip(merchants, customers, strict=True))]
    assert run([write(tmp_path / "in.csv", rows)])[0].customers == 2


def test_a_payment_made_of_attempts_close_in_time_is_one_merchants(tmp_path: Path) -> None:
    mapping = GROUPED.replace('merchant_id = { constant = "acme" }', 'merchant_id = "who"')
    rows = [{"who": "ab"[n % 2], "card": "v", "amount": "1", "at": str(10**9 + n)} for n in range(6)]
    summary, history = run([write(tmp_path / "in.csv", rows)], mapping)
    assert summary.payments == 2
    found = dict(zip(history["merchant_id"].to_pylist(), history["payment_id"].to_pylist(), strict=True))
    assert found == {"a": "pay-in.csv:00000002", "b": "pay-in.csv:00000003"}


def test_inputs_of_one_name_are_told_apart_by_their_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "x.csv", [{k: v for k, v in row(n).items() if k != "attempt_id"} for n in range(3)])
    fields = "\n".join(f'{name} = "{name}"' for name in REQUIRED if name != "attempt_id")
    out = tmp_path / "history.parquet"
    paths = [tmp_path / "a" / "x.csv", tmp_path / "b" / "x.csv"]
    summary = import_history(paths, parse_mapping(f"[fields]\n{fields}", "m"), out, tmp_path / "q.csv")
    assert summary.accepted == 6


def test_codes_that_no_table_knows_are_kept_counted_and_named(tmp_path: Path) -> None:
    rows = [row(1, code="51"), row(3, code="ZZ-9"), row(5, code="ZZ-9"), row(7, code=""), row(2, code="ZZ-9")]
    summary, history = run([write(tmp_path / "in.csv", rows)])
    assert summary.unknown_codes == {("stripe", "ZZ-9"): 2}
    assert summary.without_code == 1
    assert history["code"].to_pylist().count("ZZ-9") == 3


GROUPED = """
[fields]
merchant_id = { constant = "acme" }
rail = { constant = "card" }
processor = { constant = "p" }
currency = { constant = "EUR" }
amount_minor = "amount"
attempted_at = { column = "at", format = "unix_seconds" }
outcome = { constant = "declined" }
[payments]
by = ["card", "amount"]
gap_seconds = 60
"""

ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(["v", "m", "d"]), st.sampled_from([1, 2]), st.integers(0, 2_000)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attempts=ATTEMPTS)
def test_grouping_agrees_with_walking_each_key_by_hand(tmp_path: Path, attempts: list[tuple[str, int, int]]) -> None:
    rows = [{"card": card, "amount": str(amount), "at": str(10**9 + at)} for card, amount, at in attempts]
    summary, history = run([write(tmp_path / "in.csv", rows)], GROUPED)
    expected: list[set[str]] = []
    for key in {(card, amount) for card, amount, _ in attempts}:
        previous = None
        for at, line in sorted((at, n + 2) for n, (card, amount, at) in enumerate(attempts) if (card, amount) == key):
            if previous is None or at - previous > 60:
                expected.append(set())
            expected[-1].add(f"in.csv:{line:08d}")
            previous = at
    found: dict[str, set[str]] = {}
    for each in history.to_pylist():
        found.setdefault(each["payment_id"], set()).add(each["attempt_id"])
        assert each["customer_id"] == each["method_id"] == each["payment_id"]
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    assert summary.payments == len(expected)


CELL = st.one_of(st.sampled_from(["", "card", "EUR", "-1", "5", "4242424242424242", "declined"]), st.text(max_size=6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.dictionaries(st.sampled_from(list(ROWS[0])), CELL, max_size=2), max_size=20))
def test_accepted_plus_quarantined_is_read_whatever_stands_in_the_cells(
    tmp_path: Path, changes: list[dict[str, str]]
) -> None:
    rows = [row(n) | change for n, change in enumerate(changes)] + [row(999)]
    (tmp_path / "in.jsonl").write_bytes(jsonl(rows))
    summary, history = run([tmp_path / "in.jsonl"])
    assert summary.read == len(rows)
    assert summary.accepted + summary.quarantined == summary.read
    assert history.num_rows == summary.accepted
    assert summary.reasons.total() == summary.quarantined
    assert (tmp_path / "history.quarantine.csv").exists() == (summary.quarantined > 0)
    assert len(set(history["attempt_id"].to_pylist())) == history.num_rows


def test_a_quarantine_of_an_earlier_import_goes_when_nothing_is_refused(tmp_path: Path) -> None:
    run([write(tmp_path / "in.csv", [row(1), row(2, outcome="x")])])
    assert (tmp_path / "history.quarantine.csv").exists()
    run([write(tmp_path / "in.csv", [row(1)])])
    assert not (tmp_path / "history.quarantine.csv").exists()


def test_a_foreign_file_in_the_place_of_the_quarantine_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history.quarantine.csv").write_text("mine\n")
    run([write(tmp_path / "in.csv", [row(1)])])
    assert (tmp_path / "history.quarantine.csv").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.csv", b"", "is empty"),
        ("in.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("in.csv", csv_text(ROWS).splitlines()[0].encode(), "has no rows below its header"),
        ("in.csv", csv_text(ROWS, ";").encode(), "did you mean delimiter ';'"),
        ("in.csv", csv_text(ROWS).replace("currency", "curency").encode(), "has no column 'currency'"),
        ("in.csv", csv_text(ROWS).replace("network", "currency").encode(), "has 2 columns named 'currency'"),
        ("in.csv", (csv_text(ROWS[:9]) + "a,b,\xe9").encode("latin-1"), "line 11 is not valid utf-8"),
        ("in.csv", b"\0\1\2" * 99, "is binary"),
        ("in.csv", b"PK\x03\x04spreadsheet", "spreadsheet"),
        ("in.csv", b"PAR1....", "is a Parquet file"),
        ("in.csv", csv_text(ROWS).encode() + b'a,"never closed\n' + b"x\n" * 99, "starts on line 62 is never closed"),
        (
            "in.csv.gz",
            gzip.compress(csv_text(ROWS).encode(), mtime=0)[:-20],
            "truncated",
        ),
        ("in.csv.gz", b"not gzip", "is not compressed so"),
        ("in.csv.zst", pa.Codec("zstd").compress(csv_text(ROWS).encode(), asbytes=True)[:-9], "runcated"),
        ("in.jsonl", b"[\n{}\n]", "is one JSON array"),
        ("in.jsonl", b"x" * 1_000_001, "line 1 is longer than"),
        ("in.parquet", b"PAR1 not really", "cannot be read"),
        ("in.xlsx", b"PK", "its ending does not say"),
        ("in.csv", csv_text([row(n, outcome="x") for n in range(9)]).encode(), "none of its 9 rows could be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    said = refused([tmp_path / name])
    assert name in said
    assert says in said


def test_missing_twice_given_and_misplaced_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv")
    assert "there is no such file" in refused([tmp_path / "other.csv"])
    assert "is a folder" in refused([tmp_path])
    assert "is given twice" in refused([path, path])
    for out, quarantine, says in (
        (tmp_path / "history.csv", tmp_path / "q.csv", "ends in .parquet"),
        (tmp_path / "no" / "history.parquet", tmp_path / "q.csv", "there is no folder"),
        (tmp_path / "history.parquet", path, "is one of the exports"),
        (tmp_path / "history.parquet", tmp_path / "history.parquet", "is the same file"),
    ):
        with pytest.raises(InputError, match=says):
            import_history([path], None, out, quarantine)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le"])
def test_other_encodings_are_read_as_stated(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "in.csv").write_text(csv_text([row(1, merchant_id="Café Zürich")]), encoding=encoding)
    fields = "\n".join(f'{name} = "{name}"' for name in REQUIRED)
    _, history = run([tmp_path / "in.csv"], f'[file]\nencoding = "{encoding}"\n[fields]\n{fields}')
    assert history["merchant_id"].to_pylist() == ["Café Zürich"]


def test_an_interrupted_import_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_history([path], None, tmp_path / "h.parquet", tmp_path / "q.csv", interrupt)
    assert list(tmp_path.iterdir()) == [path]


def test_explaining_reads_the_first_rows_only(tmp_path: Path) -> None:
    rows = explain([write(tmp_path / "in.csv")], None, 5)
    assert [each.line for each in rows] == [2, 3, 4, 5, 6]
    assert list(tmp_path.iterdir()) == [tmp_path / "in.csv"]


def test_reasons_are_counted_by_field(tmp_path: Path) -> None:
    rows = [row(1), row(2, outcome="x"), row(3, outcome="y"), row(4, rail="")]
    summary, _ = run([write(tmp_path / "in.csv", rows)])
    assert summary.reasons == {("outcome", Reason.NOT_ACCEPTED): 2, ("rail", Reason.MISSING): 1}
    assert summary.examples["outcome", Reason.NOT_ACCEPTED] == ("in.csv", 3)
