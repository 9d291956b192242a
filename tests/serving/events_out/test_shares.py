"""Each receiver is sent a few events at a time, in turn, and one that gives no answer rests."""

from datetime import timedelta

from cap_builders import NOW
from serving.events_out.queue import Receiver
from serving.events_out.shares import MOST_A_RECEIVER, MOST_AT_ONCE, Shares

SECOND = timedelta(seconds=1)


def receivers(number: int) -> list[Receiver]:
    return [Receiver(f"merchant {i:03}", "billing") for i in range(number)]


def taken(shares: Shares, due: list[Receiver]) -> dict[Receiver, int]:
    """What may be taken, all of which is sent."""
    of = dict(shares.of(due, NOW))
    for receiver, events in of.items():
        for _ in range(events):
            shares.begun(receiver)
    return of


def test_a_receiver_has_a_few_on_their_way_at_most() -> None:
    shares, (one, other) = Shares(), receivers(2)
    assert taken(shares, [one]) == {one: MOST_A_RECEIVER}
    assert taken(shares, [one, other]) == {other: MOST_A_RECEIVER}
    shares.ended(one, NOW, silent=False)
    assert taken(shares, [one, other]) == {one: 1}


def test_where_many_wait_each_has_its_turn() -> None:
    shares, many = Shares(), receivers(3 * MOST_AT_ONCE)
    turns = []
    for _ in range(3):
        turns.append(taken(shares, many))
        for receiver in turns[-1]:
            shares.ended(receiver, NOW, silent=False)
    assert [set(turn.values()) for turn in turns] == [{1}] * 3
    assert {receiver for turn in turns for receiver in turn} == set(many)


def test_no_more_than_so_many_are_on_their_way_altogether() -> None:
    shares = Shares()
    assert sum(taken(shares, receivers(20)).values()) == MOST_AT_ONCE
    assert taken(shares, receivers(40)) == {}


def test_one_that_gives_no_answer_rests_longer_and_longer_and_is_then_sent_one_at_a_time() -> None:
    shares, (one,) = Shares(), receivers(1)
    now, rests = NOW, []
    taken(shares, [one])
    for _ in range(MOST_A_RECEIVER):  # silent at the same time, which counts once
        shares.ended(one, now, silent=True)
    for _ in range(6):
        began = now
        while not shares.of([one], now):
            now += SECOND
        rests.append((now - began).seconds)
        assert shares.of([one], now) == {one: 1}
        shares.begun(one)
        assert shares.of([one], now) == {}
        shares.ended(one, now, silent=True)
    assert rests == [5, 10, 20, 40, 60, 60]
    now += timedelta(minutes=1)
    shares.begun(one)
    shares.ended(one, now, silent=False)
    assert shares.of([one], now) == {one: MOST_A_RECEIVER}
