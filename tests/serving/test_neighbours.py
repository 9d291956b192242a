"""Workers that do lots for each other: asked and answered, left without a loss, told apart from who has gone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from serving.logs import service_log
from serving.neighbours import LostError, Lot, Neighbour, Neighbours, neighbours_in
from serving.tenancy.caller import ANYBODY, Caller
from serving.tenancy.keys import Scope
from serving.workers_folder import FOLDER, folder_for_workers

LOG = service_log("json")
LOT = Lot(Caller("acme", Scope.DECIDE, "k_1"), 7, (b'{"a":1}', b"[]"))


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(FOLDER, "")
    with folder_for_workers():
        yield Path(os.environ[FOLDER])


def worker() -> Neighbours:
    return neighbours_in(os.environ, LOG)


def echo(lot: Lot) -> list[bytes]:
    return [b"%d %b %b" % (lot.first, lot.caller.merchant_id.encode(), entry) for entry in lot.entries]


def only(found: list[Neighbour]) -> Neighbour:
    (one,) = found
    return one


def test_a_lot_says_all_of_itself() -> None:
    assert Lot.unpacked(LOT.packed()) == LOT
    operators = Lot(ANYBODY, 0, (b"{}",))
    assert Lot.unpacked(operators.packed()) == operators


def test_the_folder_is_for_nobody_else_and_goes_with_the_workers() -> None:
    with folder_for_workers():
        folder = Path(os.environ[FOLDER])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_one_does_lots_for_another_and_nobody_asks_itself(folder: Path) -> None:
    one, other = worker(), worker()
    with one.listening(echo), other.listening(echo):
        asked = only(one.reached())
        for _ in range(2):
            assert asked.answers(LOT) == [b'7 acme {"a":1}', b"7 acme []"]
        asked.close()
    assert list(folder.iterdir()) == []


def test_who_is_alone_has_no_neighbours() -> None:
    alone = Neighbours(None, LOG)
    with alone.listening(echo):
        assert alone.reached() == []


def test_who_was_ended_from_outside_is_passed_over(folder: Path) -> None:
    one = worker()
    with one.listening(echo):
        (folder / "1-dead").touch()
        only(worker().reached()).close()
        assert one.reached() == []


def test_a_lot_that_was_begun_is_ended_before_a_worker_leaves_and_no_other_is_begun(folder: Path) -> None:
    begun, ends, left = Event(), Event(), Event()

    def slow(lot: Lot) -> list[bytes]:
        if not begun.is_set():
            begun.set()
            ends.wait()
        return echo(lot)

    def live() -> None:
        with worker().listening(slow):
            listens.set()
            begun.wait()
        left.set()

    listens = Event()
    life = Thread(target=live)
    life.start()
    listens.wait()
    first, later = only(worker().reached()), only(worker().reached())
    answers: list[list[bytes] | None] = []
    asking = Thread(target=lambda: answers.append(first.answers(LOT)))
    asking.start()
    begun.wait()
    assert not left.wait(0.05)
    while later.answers(LOT) is not None:  # until it has heard that it is to leave
        pass
    ends.set()
    asking.join()
    life.join()
    assert answers == [echo(LOT)]
    assert first.answers(LOT) is None
    first.close()
    later.close()


def test_who_goes_in_the_middle_of_a_lot_is_lost(folder: Path) -> None:
    def gone(lot: Lot) -> list[bytes]:
        raise OSError

    with worker().listening(gone):
        asked = only(worker().reached())
        with pytest.raises(LostError):
            asked.answers(LOT)
        asked.close()
