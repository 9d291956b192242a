"""Turns go from merchant to merchant, and whoever leaves takes none with it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from serving.trust.turns import NoTurnError, Turns

LONG = 60.0


def in_line(turns: Turns) -> int:
    return sum(len(line) for line in turns._lines.values())


def test_a_merchant_waits_for_one_of_each_other_however_many_they_are() -> None:
    turns, done = Turns(), list[str]()
    turns.wait("acme", LONG)

    def work(whose: str) -> None:
        with turns.taken(whose, LONG):
            done.append(whose)

    with ThreadPoolExecutor(8) as callers:
        for number, whose in enumerate(("acme", "acme", "acme", "beta", "gamma", "beta")):
            callers.submit(work, whose)
            while in_line(turns) <= number:
                sleep(0.001)
        turns.give_back()
    assert done == ["acme", "beta", "gamma", "acme", "beta", "acme"]
    turns.wait("delta", 0.0)


def test_one_who_leaves_takes_no_turn_with_it() -> None:
    turns = Turns()
    turns.wait("acme", LONG)
    with pytest.raises(NoTurnError):
        turns.wait("beta", 0.01)
    turns.give_back()
    turns.wait("gamma", 0.0)


def test_in_an_event_loop_whoever_waits_keeps_nobody_and_may_leave() -> None:
    async def told() -> list[str]:
        turns, found, ends = Turns(), list[str](), asyncio.Event()

        async def one(whose: str, seconds: float) -> None:
            try:
                async with turns.taken_meanwhile(whose, seconds):
                    found.append(whose)
                    await ends.wait()
            except NoTurnError:
                found.append(f"no turn for {whose}")

        first = asyncio.create_task(one("acme", LONG))
        await asyncio.sleep(0)
        leaving = asyncio.create_task(one("beta", LONG))
        await one("gamma", 0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        ends.set()
        await first
        await one("delta", LONG)
        return found

    assert asyncio.run(told()) == ["acme", "no turn for gamma", "delta"]


def test_one_turn_is_had_by_threads_and_an_event_loop_alike() -> None:
    turns, begun, ends = Turns(), Event(), Event()

    def holds() -> None:
        with turns.taken("acme", LONG):
            begun.set()
            ends.wait()

    async def waits() -> None:
        async with turns.taken_meanwhile("beta", LONG):
            pass

    with ThreadPoolExecutor(2) as callers:
        held = callers.submit(holds)
        begun.wait()
        waiting = callers.submit(asyncio.run, waits())
        while not in_line(turns):
            sleep(0.001)
        ends.set()
        held.result()
        waiting.result()
