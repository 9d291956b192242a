"""Threads for pieces of work: answers and errors come back, no more at once than wanted, none forgotten."""

import asyncio
import threading
from collections import Counter
from contextvars import ContextVar
from functools import partial
from threading import Event, get_ident

import pytest

from serving.threads import NotBegunError, Threads, whoever_waits

_WHO: ContextVar[str] = ContextVar("_WHO", default="nobody")


def test_it_gives_the_answer_and_raises_what_the_work_raises() -> None:
    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await threads.answer(lambda: 1 // 0)
        return await threads.answer(lambda: 7)

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == 7


def test_work_sees_the_context_of_whoever_asks_and_changes_nothing_of_it() -> None:
    async def ask() -> tuple[str, str]:
        _WHO.set("somebody")
        seen = await threads.answer(lambda: (_WHO.get(), _WHO.set("the work"))[0])
        return seen, _WHO.get()

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == ("somebody", "somebody")


def test_one_thread_does_what_comes_one_after_another() -> None:
    async def ask() -> Counter[int]:
        return Counter([await threads.answer(get_ident) for _ in range(500)])

    threads = Threads("test", most=8)
    found = asyncio.run(ask())
    assert get_ident() not in found
    assert len(found) == 1


def test_no_more_work_is_done_at_once_than_wanted_and_none_of_it_is_forgotten() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        Event().wait(0.001)
        with lock:
            at_work -= 1
        return number

    async def ask() -> list[int]:
        return await asyncio.gather(*(threads.answer(partial(work, number)) for number in range(40)))

    threads = Threads("test", most=3)
    assert asyncio.run(ask()) == list(range(40))
    assert most == 3


def test_what_waits_for_a_thread_is_done_in_its_order() -> None:
    async def ask() -> list[int]:
        begun = list[int]()
        await asyncio.gather(*(threads.answer(partial(begun.append, number)) for number in range(40)))
        return begun

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == list(range(40))


def test_who_leaves_before_the_answer_keeps_nobody_from_theirs() -> None:
    async def ask() -> int:
        ends = Event()
        leaving = asyncio.create_task(threads.answer(ends.wait))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        ends.set()
        return await threads.answer(lambda: 7)

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == 7


def test_work_whose_loop_has_ended_ends_too() -> None:
    async def leave() -> None:
        leaving = asyncio.create_task(threads.answer(ends.wait))
        await asyncio.sleep(0)
        leaving.cancel()

    threads, ends = Threads("test", most=1), Event()
    asyncio.run(leave())
    ends.set()
    assert asyncio.run(threads.answer(lambda: 7)) == 7


def test_work_that_no_thread_has_time_for_is_dropped_and_never_begun() -> None:
    async def ask() -> list[str]:
        ends, begun = Event(), list[str]()
        at_work = asyncio.create_task(threads.answer(ends.wait))
        await asyncio.sleep(0)
        with pytest.raises(NotBegunError, match=r"not begun in 0\.01 s"):
            await threads.answer(lambda: begun.append("late"), seconds=0.01)
        ends.set()
        await at_work
        await threads.answer(lambda: begun.append("in time"), seconds=60.0)
        return begun

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == ["in time"]


def test_work_whose_caller_leaves_before_it_is_begun_is_never_begun() -> None:
    async def left() -> Exception:
        return ConnectionResetError("the caller left")

    async def ask() -> list[str]:
        ends, begun = Event(), list[str]()
        at_work = asyncio.create_task(threads.answer(ends.wait))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionResetError):
            await threads.answer(lambda: begun.append("for nobody"), leaving=left)
        cancelled = asyncio.create_task(threads.answer(lambda: begun.append("for nobody")))
        await asyncio.sleep(0)
        cancelled.cancel()
        ends.set()
        await at_work
        await threads.answer(lambda: begun.append("for somebody"), leaving=left)
        return begun

    threads = Threads("test", most=1)
    assert asyncio.run(ask()) == ["for somebody"]


def test_whoever_waits_can_be_told_of_a_failure_while_the_work_still_hangs() -> None:
    ends, going = Event(), Event()

    def hang() -> None:
        tell = whoever_waits()
        assert tell is not None
        tell(TimeoutError("it hangs"))
        ends.wait()
        going.set()

    async def ask() -> None:
        with pytest.raises(TimeoutError, match="it hangs"):
            await threads.answer(hang)

    threads = Threads("test", most=1)
    asyncio.run(ask())
    assert not going.is_set()
    ends.set()
    assert going.wait(60.0)
