"""Looking only at rules that may forbid something leaves the same room as looking at all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np

from features.action import Retry
from features.context import Context
from features.proposed import Route
from features.vocabulary import Outcome
from fuzz.histories import Scene, rulebooks, scene
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.limits import Limits
from model.planning.referee import Judging, Referee
from model.planning.room import room
from model.planning.shortlist import Shortlist
from model.record import NOTHING, Judge, Record

SCENES, MOST, MOVES = 120, 4, 24


class AllRules(Judging):
    """Asks every rule."""

    def judge(self, route: Route) -> Judge:
        return self.held_against(self._referee.limits.rulebook, route)


class Everything(Referee):
    """Holds every attempt against every rule."""

    def clears(self, routes: Iterable[Route], most: int) -> bool:
        return False

    def after(self, declined: Sequence[Retry], more: int = 0) -> Judging:
        return AllRules(self, declined, more)


def drawn(random: Random) -> tuple[Context, list[Retry]]:
    """A failed payment with two methods and a few of the retries that could be made."""
    found: Scene = scene(random)
    known = [replace(one.attempt, payment_id="pay") for one in found.history]
    attempts = sorted((one for one in known if one.outcome in {Outcome.DECLINED, Outcome.UNKNOWN}), key=lambda a: a.at)
    attempts = attempts[-1:] if random.random() < 0.3 else attempts
    payment = replace(found.payment, recover_by=found.now + timedelta(days=60))
    methods = tuple(replace(method, processors=found.kind.processors[:3]) for method in found.methods)
    context = Context(payment, methods, tuple(attempts), found.now)
    every = candidates(context, payment.recover_by)
    chosen = sorted(random.sample(range(len(every)), min(MOVES, len(every))))
    return context, [every[i] for i in chosen]


def numbered(values: list[object]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([list(dict.fromkeys(values)).index(value) for value in values], dtype=np.int64)


def as_moves(retries: list[Retry]) -> Shortlist:
    places = np.arange(len(retries), dtype=np.int64)
    return Shortlist(
        places,
        places,
        np.array([retry.slot.start_micros for retry in retries], dtype=np.int64),
        np.array([retry.slot.end_micros for retry in retries], dtype=np.int64),
        numbered([retry.method_id for retry in retries]),
        numbered([(retry.method_id, retry.processor) for retry in retries]),
    )


def test_the_room_is_that_of_all_rules_and_so_is_the_first_breach_of_a_path() -> None:
    random, bound, breached, skipped, cleared = Random(20_261_127), 0, 0, 0, 0
    for _ in range(SCENES):
        context, retries = drawn(random)
        if not retries:
            continue
        book: Rulebook = random.choice(rulebooks())
        record: Record = NOTHING
        few, every = (made(Limits(context, book, record)) for made in (Referee, Everything))
        moves = as_moves(retries)
        ours, theirs = (room(referee, retries, moves, MOST) for referee in (few, every))
        np.testing.assert_array_equal(ours.follows, theirs.follows)
        for left, all_of_it in ((ours.own_left, theirs.own_left), (ours.all_left, theirs.all_left)):
            np.testing.assert_array_equal(np.minimum(left, MOST), np.minimum(all_of_it, MOST))
        bound += bool((theirs.all_left < MOST).any() or (theirs.own_left < MOST).any())
        path = [retries[i] for i in sorted(random.sample(range(len(retries)), min(3, len(retries))))]
        assert few.first_breach(path) == every.first_breach(path)
        breached += every.first_breach(path) is not None
        route = (context.methods[0].method_id, retries[0].processor)
        screen, suspects = few.suspects(route, (), MOST)
        skipped += len(screen.rulebook(suspects).rules) < len(screen.rules)
        cleared += few.clears([(retry.method_id, retry.processor) for retry in retries], MOST + 1)
    assert min(bound, breached, skipped) > SCENES / 10, "too little was bound, breached or skipped to prove anything"
    assert cleared > SCENES / 20, "nothing was ever clear at a glance"


def test_events_of_other_payments_set_off_only_what_they_may() -> None:
    random = Random(7)
    context, retries = next(found for found in iter(lambda: drawn(random), None) if found[1] and found[0].attempts)
    moved = tuple(replace(attempt, payment_id="other") for attempt in context.attempts)
    elsewhere = replace(context, attempts=moved)
    route = (context.methods[0].method_id, retries[0].processor)
    both = (Referee(Limits(one, Rulebook.load(), NOTHING)) for one in (elsewhere, context))
    few, more = (referee.suspects(route, (), 0)[1] for referee in both)
    assert few & ~more == 0
