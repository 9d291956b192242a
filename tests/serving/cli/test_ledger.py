"""The verbs of the ledger as a person at a terminal meets them."""

import csv
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from builders import history, random_history
from features.errors import InputError, InvalidValueError, RecoupError
from ledger_builders import a_proposal
from serving.cli import app
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation

RUNNER = CliRunner()
LONG_AGO = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def stolen(tmp_path: Path) -> Path:
    """A stolen card that somebody tried again."""
    rows = [{"code": "43", "payment_id": "p1", "market": "US"}, {"code": "51", "payment_id": "p2", "market": "US"}]
    path = tmp_path / "stolen.parquet"
    pq.write_table(history(rows), path)
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(app, list(arguments))
    if result.exception is not None and isinstance(result.exception, RecoupError):
        raise result.exception
    return result.exit_code, result.output


def test_a_history_is_taken_in_and_shown(database: str, tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    pq.write_table(random_history(1, 300), path)
    code, told = run("ledger", "backfill", str(path), "--database", database)
    assert code == 0
    assert "300 attempts: 300 told for the first time by a history, 0 told before word for word." in told
    assert f"Ledger: {database.removeprefix('sqlite:///')}" in told
    assert "300 were taken in by an earlier run" in run("ledger", "backfill", str(path), "--database", database)[1]
    code, shown = run("ledger", "status", "--database", database)
    assert code == 0
    assert "300 events on 300 attempts" in shown
    assert "reservations: none" in shown


def test_the_database_of_the_settings_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path / "home"))
    assert run("ledger", "migrate")[1].splitlines()[0] == "applied 0001 events"
    assert (tmp_path / "home" / "ledger.db").is_file()
    monkeypatch.setenv("RECOUP_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(InputError, match=r"no ledger at .*other\.db"):
        run("ledger", "status")


def test_holds_whose_time_is_over_are_ended_by_hand(database: str) -> None:
    run("ledger", "migrate", "--database", database)
    assert run("ledger", "expire", "--database", database) == (0, "0 holds ended\n")
    with closing(Ledger.opened(database)) as ledger:
        assert isinstance(ledger.reserve(a_proposal(), LONG_AGO, LONG_AGO, reservation_id="r1"), Reservation)
    assert run("ledger", "expire", "--database", database) == (0, "1 hold ended\n")
    assert "reservations: 1 expired" in run("ledger", "status", "--database", database)[1]


def test_migrating_says_what_it_did(database: str) -> None:
    assert run("ledger", "migrate", "--database", database)[1].count("applied") > 1
    assert "is up to date" in run("ledger", "migrate", "--database", database)[1]


def test_an_audit_without_breaches_is_a_proof(database: str, tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    pq.write_table(history([{"code": "51"}]), path)
    run("ledger", "backfill", str(path), "--database", database)
    code, shown = run("caps", "audit", "--from", "2026-01-01", "--to", "2027-01-01", "--database", database)
    assert (code, shown.splitlines()[-1].split(" (")[0]) == (0, "0 of 1 attempts over any limit")


def test_the_audit_is_by_the_merchants_own_settings(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rules = tmp_path / "history.parquet", tmp_path / "rules.toml"
    pq.write_table(history([{"code": "51", "payment_id": f"p{i}"} for i in range(3)]), path)
    rules.write_text("[tighten.visa-cat2-reattempt-cap]\nlimit = 1\n")
    run("ledger", "backfill", str(path), "--database", database)
    assert "0 of 3" in run("caps", "audit", "--from", "2026-01-01", "--database", database)[1]
    monkeypatch.setenv("RECOUP_RULEBOOK", str(rules))
    assert "1 of 3" in run("caps", "audit", "--from", "2026-01-01", "--database", database)[1]


def test_breaches_are_listed_with_who_made_them_and_written_as_csv(database: str, tmp_path: Path, stolen: Path) -> None:
    run("ledger", "backfill", str(stolen), "--database", database)
    out = tmp_path / "breaches.csv"
    code, shown = run("caps", "audit", "--from", "2026-01-01", "--csv", str(out), "--database", database)
    assert code == 1
    assert "made by someone else: Visa lets nobody try this card again" in shown
    assert "1 of 2 attempts over any limit" in shown
    assert "0 advised by Recoup, 1 made by someone else" in shown
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert "visa-cat1-never-reattempt" in {row["rule"] for row in rows}
    assert {row["attempt_id"] for row in rows} == {"a00001"}
    assert [path.name for path in tmp_path.glob(".*.part")] == []


def test_what_cannot_be_used_is_refused(database: str, tmp_path: Path) -> None:
    run("ledger", "migrate", "--database", database)
    for arguments, refusal in (
        (["caps", "audit", "--from", "soon"], "--from"),
        (["caps", "audit", "--from", "2026-02-01", "--to", "2026-01-01"], "--to"),
        (["caps", "audit", "--from", "2026-01-01", "--csv", str(tmp_path / "no" / "x.csv")], "cannot be written"),
        (["ledger", "backfill", str(tmp_path / "missing.parquet")], "no such file"),
        (["ledger", "status", "--database", "oracle://x"], "expected sqlite"),
    ):
        with pytest.raises((InputError, InvalidValueError), match=refusal):
            run(*arguments, *([] if "--database" in arguments else ["--database", database]))
