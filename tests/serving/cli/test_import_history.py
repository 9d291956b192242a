"""`recoup import` as its user meets it: what it prints, writes and answers with."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serving.cli import main

HEADER = (
    "attempt_id,payment_id,merchant_id,customer_id,method_id,rail,processor,amount_minor,currency,attempted_at,outcome"
)
GOOD = "{n},p,acme,c,m,card,stripe,1250,EUR,2026-11-23T10:15:00Z,declined"


def export(folder: Path, *rows: str) -> str:
    path = folder / "in.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(path)


def recoup(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["recoup", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    code = caught.value.code
    return code if isinstance(code, int) else int(code is not None)


def test_a_clean_import_prints_counts_that_add_up_and_answers_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "h.parquet"
    assert recoup(monkeypatch, "import", export(tmp_path, GOOD.format(n=1)), "--out", str(out)) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "rows read 1 accepted 1 quarantined 0 payments 1 customers 1 failed attempts 1" in printed
    assert "1 of 1 failures carry no decline code." in printed
    assert out.exists()


def test_quarantined_rows_answer_one_and_are_listed_with_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [GOOD.format(n=1), GOOD.format(n=2).replace("EUR", "EURO"), GOOD.format(n="4242424242424242")]
    out = tmp_path / "h.parquet"
    assert recoup(monkeypatch, "import", export(tmp_path, *rows), "--out", str(out)) == 1
    printed = capsys.readouterr()
    everything = printed.out + printed.err + (tmp_path / "h.quarantine.csv").read_text()
    assert "4242" not in everything
    assert "in.csv line 3" in printed.out
    assert "card number" in printed.out


def test_explain_shows_the_first_five_rows_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = export(tmp_path, *(GOOD.format(n=n) for n in range(9)))
    assert recoup(monkeypatch, "import", path, "--explain") == 0
    printed = capsys.readouterr().out
    assert "line 6" in printed
    assert "line 7" not in printed
    assert "2026-11-23T10:15:00+00:00" in printed
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


def test_explain_says_which_rows_would_be_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = export(tmp_path, GOOD.format(n=1).replace("EUR", "[red]"))
    assert recoup(monkeypatch, "import", path, "--explain") == 1
    assert "Quarantined: currency: '[red]' is not accepted; expected an ISO 4217" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "missing.csv", "--out", "h.parquet"], "missing.csv: there is no such file"),
        (["import", "in.csv"], "--out: is missing"),
        (["import", "in.csv", "--out", "h.csv"], "ends in .parquet"),
        (["import", "in.csv", "--out", "no/h.parquet"], "there is no folder no"),
        (["import", "in.csv", "--mapping", "no.toml", "--out", "h.parquet"], "--mapping no.toml: cannot be read"),
        (["import", "in.csv", "--mapping", "in.csv", "--out", "h.parquet"], "in.csv: is not valid TOML"),
        (["import", "4242424242424242.csv", "--out", "h.parquet"], "card number"),
    ],
)
def test_wrong_input_ends_in_one_sentence_and_answers_two(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    export(tmp_path, GOOD.format(n=1))
    monkeypatch.chdir(tmp_path)
    assert recoup(monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert "4242424242424242" not in said
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopping_an_import_leaves_nothing_behind(tmp_path: Path, stop: signal.Signals) -> None:
    path = export(tmp_path, *(GOOD.format(n=n) for n in range(200_000)))
    # Where the suite runs in the background the shell has SIGINT ignored, which a child inherits.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", f"{heard}from serving.cli import main; main()", "import", path, "--out"]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [*command, str(tmp_path / "h.parquet")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    deadline = time.monotonic() + 300
    while len(list(tmp_path.iterdir())) == 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(stop)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert said.decode() == "recoup: import was interrupted; nothing was written\n"
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]
