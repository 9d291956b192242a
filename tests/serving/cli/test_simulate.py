"""`recoup simulate` writes a world once and the same way every time, and refuses in one sentence."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
import pytest

from features.action import Retry, Slot
from features.errors import InputError
from features.history import SCHEMA
from serving.simulate import read_world


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(recoup: Recoup, tmp_path: Path) -> None:
    for folder, seed in (("one", 3), ("two", 3), ("three", 4)):
        ran = recoup("simulate", "--out", tmp_path / folder, "--customers", 300, "--months", 3, "--seed", seed)
        assert ran.code == 0, ran.err
    one, two, three = (digests(tmp_path / folder) for folder in ("one", "two", "three"))
    assert one == two
    assert one["history.parquet"] != three["history.parquet"]
    assert "must not read it" in (tmp_path / "one" / "truth" / "README.txt").read_text()


def test_at_least_the_attempts_asked_for_and_a_world_that_replays_them(recoup: Recoup, tmp_path: Path) -> None:
    out = tmp_path / "world"
    ran = recoup("simulate", "--out", out, "--attempts", 2500, "--months", 3)
    assert ran.code == 0, ran.err
    history = pq.read_table(out / "history.parquet")
    assert history.schema.equals(SCHEMA, check_metadata=True)
    assert 2500 <= history.num_rows <= 2550
    assert f"{history.num_rows:,} attempts" in ran.out
    world = read_world(out)
    retries = [row for row in history.to_pylist() if row["policy"] is not None]
    assert retries
    for row in retries:
        slot = Slot(row["attempted_at"], row["attempted_at"] + timedelta(hours=1))
        attempt = world.submit(row["payment_id"], Retry(slot, row["method_id"], row["processor"]))
        assert attempt.outcome == row["outcome"]


def test_a_second_run_replaces_the_first_and_leaves_nothing_else(recoup: Recoup, tmp_path: Path) -> None:
    for customers in (200, 100):
        assert recoup("simulate", "--out", tmp_path / "w", "--customers", customers, "--months", 2).code == 0
    assert len(read_world(tmp_path / "w")) < 100
    assert {path.name for path in (tmp_path / "w").iterdir()} == {"history.parquet", "truth"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--out"),
        (("--out", "w", "--customers", 1, "--attempts", 1), "--customers"),
        (("--out", "w", "--customers", 0), "customers"),
        (("--out", "w", "--attempts", 0), "attempts"),
        (("--out", "w", "--attempts", 10**12), "attempts"),
        (("--out", "w", "--start", "yesterday"), "--start"),
        (("--out", "w", "--start", "2025-01-15"), "start"),
        (("--out", "w", "--months", 0), "months"),
    ],
)
def test_wrong_options_end_in_one_sentence_that_names_them(
    recoup: Recoup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str | int, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = recoup("simulate", *arguments)
    assert ran.code == 2
    assert named in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "w").exists()


def test_a_file_in_the_way_is_named_and_kept(recoup: Recoup, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("mine")
    ran = recoup("simulate", "--out", tmp_path / "w", "--customers", 10)
    assert ran.code == 2
    assert "is a file" in ran.err
    assert (tmp_path / "w").read_text() == "mine"


def test_a_folder_that_holds_no_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="truth of a simulated world"):
        read_world(tmp_path)
