"""Calls of several kinds in turn in one process: where a machine changes its speed it changes for all of them alike."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from statistics import median

TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Caller:
    """What is called again and again.

    Args:
        calls: One more than can be made in the time.
        settle: Does what the calls of a turn have put off; its time is part of the turn.
    """

    calls: Iterator[Callable[[], object]]
    settle: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Turn:
    """How long each call of one turn took, and all of the turn, in seconds."""

    took: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.took) / self.seconds


def taken_in_turn(
    callers: Mapping[str, Callable[[], AbstractContextManager[Caller]]], seconds: float
) -> dict[str, list[Turn]]:
    """The turns of each caller in a process of their own, as many as make up the seconds for each."""
    context = multiprocessing.get_context("fork")
    made = context.Queue()
    process = context.Process(target=lambda: made.put(_taken(callers, round(seconds / TURN_S))))
    process.start()
    turns: dict[str, list[Turn]] = made.get(timeout=60 + 30 * seconds)
    process.join()
    return turns


def ratio(rounds: list[dict[str, list[Turn]]], one: str, other: str) -> float:
    """The median ratio of the rates of two callers over all pairs of neighbouring turns."""
    return median(
        mine.rate / yours.rate for turns in rounds for mine, yours in zip(turns[one], turns[other], strict=True)
    )


def _taken(callers: Mapping[str, Callable[[], AbstractContextManager[Caller]]], turns: int) -> dict[str, list[Turn]]:
    with ExitStack() as opened:
        ready = {name: opened.enter_context(caller()) for name, caller in callers.items()}
        for caller in ready.values():
            next(caller.calls)()
        taken: dict[str, list[Turn]] = {name: [] for name in ready}
        for _ in range(turns):
            for name, caller in ready.items():
                taken[name].append(_turn(caller))
    return taken


def _turn(caller: Caller) -> Turn:
    took: list[float] = []
    start = time.perf_counter()
    for call in caller.calls:
        began = time.perf_counter()
        call()
        now = time.perf_counter()
        took.append(now - began)
        if now - start >= TURN_S:
            break
    caller.settle()
    return Turn(took, time.perf_counter() - start)
