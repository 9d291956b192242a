"""`recoup import --source`: what a provider lists or delivered becomes one row an attempt."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from serving.cli import main
from webhook_builders import payload

DEBIT = "stripe/charge_pending_sepa.json", "stripe/charge_succeeded_sepa.json"


def exported(folder: Path, *names: str, last: str = "") -> str:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(json.loads(payload(name))) + "\n" for name in names) + last)
    return str(path)


def recoup(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["recoup", "import", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    code = caught.value.code
    return code if isinstance(code, int) else int(code is not None)


def test_several_events_of_one_attempt_become_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "history.parquet"
    events = exported(tmp_path, "stripe/charge_failed.json", *reversed(DEBIT), "stripe/customer_updated.json")
    # What is not true yet is not told, so the debit settles at once.
    Path(events).write_text(Path(events).read_text().replace("1795860905", "1795428999"))
    assert recoup(monkeypatch, events, "--source", "stripe", "--merchant", "acme", "--out", str(out)) == 0
    rows = {row["attempt_id"]: row for row in pq.read_table(out).to_pylist()}
    assert set(rows) == {"ch_3NfakeFailed00000001", "py_3NfakeSepa000000001"}
    card, debit = rows["ch_3NfakeFailed00000001"], rows["py_3NfakeSepa000000001"]
    assert (card["outcome"], card["code"], card["subcode"]) == ("declined", "INSUFFICIENT_FUNDS", "51")
    assert (card["network"], card["credential"], card["merchant_id"]) == ("visa", "network_token", "acme")
    assert (debit["outcome"], debit["rail"], debit["mandate_id"]) == (
        "approved",
        "bank_debit",
        "mandate_1NfakeMandate0001",
    )


def test_a_list_of_charges_is_read_as_their_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, path = tmp_path / "history.parquet", tmp_path / "charges.jsonl"
    charge = json.loads(payload("stripe/charge_failed.json"))["data"]["object"]
    path.write_text(json.dumps({"object": "list", "data": [charge, charge | {"id": "ch_2", "status": "succeeded"}]}))
    assert recoup(monkeypatch, str(path), "--source", "stripe", "--merchant", "acme", "--out", str(out)) == 0
    assert {row["attempt_id"]: row["outcome"] for row in pq.read_table(out).to_pylist()} == {
        "ch_3NfakeFailed00000001": "declined",
        "ch_2": "approved",
    }


@pytest.mark.parametrize("note", ["4242 4242 4242 4242", r"of\n4242424242424242", r"\u0034242424242424242"])
def test_lines_that_cannot_be_used_are_quarantined_without_card_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], note: str
) -> None:
    out = tmp_path / "history.parquet"
    bad = f'{{"type": "charge.failed", "note": "{note}"}}\nnot json\n\n'
    events = exported(tmp_path, "stripe/charge_failed.json", last=bad)
    assert recoup(monkeypatch, events, "--source", "stripe", "--merchant", "acme", "--out", str(out)) == 1
    assert "2 could not be used" in capsys.readouterr().out
    written = (tmp_path / "history.events.csv").read_text()
    assert "2424242" not in written
    assert "4242 " not in written
    assert written.count("events.jsonl") == 2
    assert pq.read_table(out).num_rows == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--source", "strype", "--merchant", "acme"), "--source strype: is not known"),
        (("--source", "braintree", "--merchant", "acme"), "use --mapping"),
        (("--source", "stripe"), "--merchant: is missing"),
        (("--source", "stripe", "--merchant", "4242424242424242"), "looks like a card number"),
        (("--source", "stripe", "--merchant", "acme", "--currency", "euro"), "ISO 4217"),
        (("--source", "gocardless", "--merchant", "acme"), "tells an attempt"),
        (("--source", "stripe", "--merchant", "acme", "--explain"), "leave out --mapping and --explain"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    out = tmp_path / "history.parquet"
    events = exported(tmp_path, "gocardless/batch.json")
    assert recoup(monkeypatch, events, *arguments, "--out", str(out)) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not out.exists()
