"""A history taken in counts as if every attempt had been told when it was made; again, it changes nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import START, history, random_history
from cap_builders import NOW
from features.errors import InputError
from features.instants import to_micros
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Network, Outcome, Rail
from model.caps.engine import Proposal
from serving.ledger.backfill import Backfilled, backfill
from serving.ledger.ledger import Ledger

MICROS = to_micros(NOW)


def written(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def a_proposal_of(payment_id: str, method_id: str, network: Network, merchant_id: str = "acme") -> Proposal:
    owed = Payment(payment_id, merchant_id, "c1", Money(1999, "EUR"), START, NOW)
    return Proposal(owed, Method(method_id, Rail.CARD, network, Issuer()), "north")


def test_every_attempt_is_in_the_counters(ledger: Ledger, tmp_path: Path) -> None:
    table = random_history(5)
    progress: list[tuple[int, int]] = []
    done = backfill(ledger.store, written(tmp_path / "h.parquet", table), MICROS, lambda d, n: progress.append((d, n)))
    assert done == Backfilled(rows=400, skipped=0, new=400, known=0)
    assert progress[-1] == (400, 400)
    by_method: dict[str, set[str]] = {}
    for row in table.to_pylist():
        by_method.setdefault(row["method_id"], set()).add(row["attempt_id"])
    for method_id, expected in by_method.items():
        found = ledger.tally(a_proposal_of("new", method_id, Network.VISA), NOW).events
        assert {event.attempt_id for event in found} == expected


def test_the_same_file_again_is_skipped_and_the_same_rows_in_another_file_are_known(
    ledger: Ledger, tmp_path: Path
) -> None:
    table = random_history(5)
    backfill(ledger.store, written(tmp_path / "h.parquet", table), MICROS)
    again = backfill(ledger.store, tmp_path / "h.parquet", MICROS)
    assert again == Backfilled(rows=400, skipped=400, new=0, known=0)
    part = backfill(ledger.store, written(tmp_path / "part.parquet", table.slice(100, 200)), MICROS)
    assert part == Backfilled(rows=200, skipped=0, new=0, known=200)


def test_a_later_export_brings_the_outcome_that_was_pending(ledger: Ledger, tmp_path: Path) -> None:
    pending = {"attempt_id": "a1", "attempted_at": START, "outcome": "unknown"}
    known = pending | {"outcome": "declined", "outcome_at": START + timedelta(days=3), "code": "51"}
    proposal = a_proposal_of("p1", "m1", Network.VISA)
    for name, row, outcome in (
        ("h1", pending, Outcome.UNKNOWN),
        ("h2", known, Outcome.DECLINED),
        ("h3", pending, None),
    ):
        done = backfill(ledger.store, written(tmp_path / f"{name}.parquet", history([row])), MICROS)
        assert done.new == (0 if name == "h3" else 1) or done.skipped
        (event,) = ledger.tally(proposal, NOW).events
        assert event.outcome is (outcome or Outcome.DECLINED)
        assert event.network_code == ("51" if event.outcome is Outcome.DECLINED else None)


def test_merchants_of_one_file_are_kept_apart(ledger: Ledger, tmp_path: Path) -> None:
    rows = [{"merchant_id": f"m{i % 3}", "attempt_id": f"a{i}"} for i in range(30)]
    backfill(ledger.store, written(tmp_path / "h.parquet", history(rows)), MICROS)
    found = ledger.tally(a_proposal_of("p1", "m1", Network.VISA, "m2"), NOW).events
    assert {event.attempt_id for event in found} == {f"a{i}" for i in range(2, 30, 3)}


def test_what_is_no_history_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        backfill(ledger.store, tmp_path / "missing.parquet", MICROS)
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        backfill(ledger.store, tmp_path / "text.parquet", MICROS)
    with pytest.raises(InputError, match="no column merchant_id"):
        backfill(ledger.store, written(tmp_path / "other.parquet", pa.table({"x": [1]})), MICROS)


def test_a_row_that_cannot_be_recorded_is_named_with_its_number(ledger: Ledger, tmp_path: Path) -> None:
    rows = [{"attempt_id": "good"}, {"attempt_id": "4242424242424242"}]
    with pytest.raises(InputError, match="row 2: attempt_id: the value looks like a card number") as refused:
        backfill(ledger.store, written(tmp_path / "h.parquet", history(rows)), MICROS)
    assert "4242" not in str(refused.value).replace(str(tmp_path), "")


def test_an_attempt_already_told_by_a_webhook_is_counted_once(ledger: Ledger, tmp_path: Path) -> None:
    path = written(tmp_path / "h.parquet", history([{"attempt_id": "a1", "code": "51"}]))
    backfill(ledger.store, path, MICROS)
    with ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("attempt_events", {"merchant_id": "acme", "subject_id": "a1"}))
    assert len(rows) == 1
    more = written(tmp_path / "h2.parquet", history([{"attempt_id": "a1", "code": "51", "issuer_country": "DE"}]))
    assert backfill(ledger.store, more, MICROS).new == 1
    proposal = replace(a_proposal_of("p1", "m1", Network.VISA))
    assert len(ledger.tally(proposal, NOW).events) == 1
