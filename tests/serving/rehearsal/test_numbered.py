"""Retries of a payment are numbered as they are made, and are else the world's own."""

from dataclasses import replace
from datetime import timedelta

from features.action import Retry, Slot
from rehearsal_builders import FATES, FIRST, StatedWorld
from serving.rehearsal.numbered import Numbered


def test_two_retries_at_one_instant_are_told_apart_in_their_order() -> None:
    world = StatedWorld(FATES)
    numbered, at = Numbered(world), FIRST + timedelta(days=3)
    retries = [Retry(Slot(at, at + timedelta(hours=1)), "pm_2", processor) for processor in ("south", "north")]
    made = [*numbered.submit_many([("inv_0002", retry) for retry in retries]), numbered.submit("inv_0001", retries[0])]
    assert [one.attempt_id for one in made] == ["inv_0002_001", "inv_0002_002", "inv_0001_001"]
    own = [
        world.submit(name, retry)
        for name, retry in zip(("inv_0002", "inv_0002", "inv_0001"), [*retries, retries[0]], strict=True)
    ]
    assert [replace(one, attempt_id="") for one in made] == [replace(one, attempt_id="") for one in own]
    assert numbered.settled_at("inv_0003") == world.settled_at("inv_0003") is not None
    assert numbered.left_at("inv_0006") == world.left_at("inv_0006") is not None
