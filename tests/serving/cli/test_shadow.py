"""`recoup shadow`: the challenger's report from the command line."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from api_builders import START
from features.instants import MICROS_PER_DAY, to_micros
from serving.ledger.migrate import migrate
from serving.ledger.opening import store_at
from serving.ledger.shadows import Shadowed, keep_shadows


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def test_it_tells_how_often_both_agree_and_what_is_not_known_yet(recoup: Callable[..., Ran], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    now = to_micros(START)
    with closing(store_at(url)) as store:
        migrate(store)
        assert "No decision was put to a challenger" in recoup("shadow", "--database", url).out
        told = [
            Shadowed(
                "acme", f"dec_{i}", f"inv_{i}", now + i * MICROS_PER_DAY, "old", "model", "new", "pm", "north",
                "2026-12-01", now, now + 1, "pm", "north", "2026-12-01" if i else "2026-12-02", 0.4, 0.5,
            )
            for i in range(4)
        ]  # fmt: skip
        keep_shadows(store, told)
    ran = recoup("shadow", "--database", url)
    assert (ran.code, ran.err) == (0, "")
    assert "Challenger new beside old: 4 decisions." in ran.out
    assert "same day: 75.0%" in ran.out
    assert "less the champion's: +10.00 points (+10.00 to +10.00)" in ran.out
    assert "outcomes known where both advise it: 0 (and 0 where" in ran.out
    assert "3 decisions" in recoup("shadow", "--database", url, "--since", "2026-11-24").out
    wrong = recoup("shadow", "--database", url, "--since", "soon")
    assert (wrong.code, "--since" in wrong.err) == (2, True)
