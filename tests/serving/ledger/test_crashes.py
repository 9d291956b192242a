"""Killed at any point, the ledger has everything it acknowledged, nothing twice, and no counter over its limit."""

import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from builders import random_history
from cap_builders import NOW, a_method
from features.instants import to_micros
from ledger_builders import MERCHANT, a_proposal
from serving.ledger import backfill as module
from serving.ledger.answered import Answer, Asked, claim
from serving.ledger.backfill import backfill
from serving.ledger.decisions import decisions_between, maybe_decision
from serving.ledger.ledger import Ledger
from serving.ledger.timeline import held_after

SCRIPT = Path(__file__).with_name("crashing.py")
ROOT = Path(__file__).parents[3]
KILLS = 4
CAP = 15


def killed(arguments: list[str], after: int, seed: int) -> list[str]:
    """Run the script until so many lines, then kill it at some instant soon after; the lines it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) > after:
            break
    time.sleep(Random(seed).uniform(0, 0.02))
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [line.strip() for line in lines if line.endswith("\n")]


def test_killed_while_reserving_and_settling_nothing_acknowledged_is_lost(url: str) -> None:
    acknowledged: list[str] = []
    for kill in range(KILLS):
        acknowledged += killed([url, "reserve"], 12 + 9 * kill, kill)
    ledger = Ledger.opened(url)
    for line in acknowledged:
        what, reservation_id, *rest = line.split()
        reservation = ledger.reservation(MERCHANT, reservation_id)
        if what == "settled":
            assert (reservation.state, reservation.attempt_id) == ("spent", rest[0])
    held = {line.split()[1] for line in acknowledged if line.startswith("held")}
    assert len(held) > KILLS * 4
    for number in range(10):
        method = a_method(method_id=f"pm{number}")
        tally = ledger.tally(a_proposal("new", method), NOW)
        counted = Counter(event.payment_id for event in tally.events)
        assert len(tally.events) <= CAP + 1
        assert not [payment for payment, times in counted.items() if times > CAP]
        assert len({event.attempt_id for event in tally.events}) == len(tally.events)
    with ledger.store.reading() as transaction:
        (states,) = transaction.ask(("reservation_counts", {}))
    assert sum(int(count or 0) for _, count in states) >= len(held)
    ledger.close()


def test_killed_while_taking_a_history_in_it_goes_on_where_it_was(url: str, tmp_path: Path) -> None:
    history = tmp_path / "history.parquet"
    pq.write_table(random_history(3, attempts=400), history, row_group_size=130)
    lines: list[str] = []
    for kill in range(3):
        lines = killed([url, "backfill", str(history)], kill, kill)
        assert lines
    ledger = Ledger.opened(url)
    done = backfill(ledger.store, history, to_micros(NOW))
    assert done.skipped >= int(lines[-1].split()[1])
    assert (done.new, done.known) == (400 - done.skipped, 0)
    with ledger.store.reading() as transaction:
        assert transaction.ask(("counts", {})) == [[(400, 400, 0)]]
    assert backfill(ledger.store, history, to_micros(NOW)).skipped == 400
    ledger.close()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_A_BATCH", 20)


def test_killed_while_deciding_every_decision_that_was_answered_is_kept_and_so_is_its_hold(url: str) -> None:
    acknowledged = [f"{line}  ".split(" ")[:4] for line in killed([url, "decide"], 9, 1)]
    ledger = Ledger.opened(url)
    for _, decision_id, held, key in acknowledged:
        kept = maybe_decision(ledger.store, MERCHANT, decision_id)
        assert kept is not None
        assert (kept.headline.reservation_id or "") == held
        if key:
            assert isinstance(claim(ledger.store, Asked(MERCHANT, key, ""), NOW), Answer)
    held_now = {one.reservation_id for one in held_after(ledger.store, MERCHANT, "", 1_000)}
    beyond = NOW - timedelta(days=1), NOW + timedelta(days=1)
    with_holds = [one.headline.reservation_id for one in decisions_between(ledger.store, *beyond)]
    assert held_now == {one for one in with_holds if one}
    assert len(held_now) >= 2
    assert any(key for *_, key in acknowledged)
    ledger.close()
