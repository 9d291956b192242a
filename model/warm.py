"""Compile the loops of columns, scoring and planning and keep them for every start: `python -m model.warm`."""

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import numpy as np

from features.action import Retry, Slot
from features.attempt import Attempt
from features.context import Context
from features.encoders import learn
from features.few.frame import FewFrame
from features.method import Method
from features.money import Money
from features.payment import Payment
from features.table_of_contexts import from_contexts
from features.vocabulary import Outcome, Rail
from model.forest.attribution import Attribution
from model.forest.flat import flatten
from model.forest.kernels import add_up, as_arrays
from model.forest.trees import Missing, Tree
from model.planning.beliefs import Exact
from model.planning.choosing import best_of_each, in_order_of_use, leading, stand_ins, undominated
from model.planning.further import Series, steps
from model.planning.lanes import Lanes
from model.planning.probing import between, by_gap, fill_in
from model.planning.recursion import UNBOUNDED, Moves, Room, solve
from model.planning.shortlist import Shortlist
from model.prior_few import prior_logits_of
from model.support import Support


def warm() -> None:
    """Frame, score and explain one row with the smallest forest, and plan the smallest plan; takes long at first."""
    for part in PARTS:
        part()


def warm_at_once() -> None:
    """The same with as many processes as there are cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for running in [pool.submit(part) for part in PARTS]:
            running.result()


def _warm_columns() -> None:
    context, retry = _smallest()
    framed = FewFrame(learn(from_contexts([(context, ())])))([(context, (retry,))])
    prior_logits_of(framed.facts)
    Support({}, 0.0, 0.0).beyond(framed.matrix)


def _warm_scores() -> None:
    tree = Tree((0,), (0.5,), (False,), (False,), (Missing.NAN,), (-1,), (-2,), (0.0, 1.0), (), (1, 1))
    forest, row = flatten([[tree]]), np.zeros((1, 1), dtype=np.float32)
    add_up(row, *as_arrays(forest))
    Attribution(forest, 1)(row)


def _warm_plans() -> None:
    moves = Moves(np.zeros(2, dtype=np.int64), np.ones(2), np.zeros(2), np.zeros(2))
    unbounded = np.full(2, UNBOUNDED, dtype=np.int64)
    room = Room(np.triu(np.ones((2, 2), dtype=np.bool_), k=1), unbounded, unbounded)
    solve(moves, Exact(np.zeros(2), (np.zeros((2, 2)),)), room, 2)


def _warm_choice() -> None:
    """Choose among two moves and ask about the second after the first."""
    two, net = np.arange(2, dtype=np.int64), np.ones(2)
    method = in_order_of_use(np.zeros(2, dtype=np.int64), 1)
    best = best_of_each(two, 2, net, leading(method, net, 1)[method])
    undominated(method, net, net)
    stand_ins(best, method, method, two, 2)
    moves = Shortlist(best, two, two, two, method, method)
    lanes = Lanes.of(moves)
    first = np.zeros(1, dtype=np.int64)
    ends, next_ = by_gap(first, 2, lanes.gap, lanes.instant, lanes.places, lanes.begins)
    lower, upper, weight = between(first, moves.start, lanes.places, lanes.begins, moves.route)
    fill_in(
        two, lower, upper, weight, first, ends, next_, net[:1],
        lanes.gap, lanes.instant, lanes.places, lanes.begins, moves.route,
    )  # fmt: skip
    steps([Series(0, ((0, 0),), first)], [net[:1]], 1)


def _smallest() -> tuple[Context, Retry]:
    """A payment that failed, and one way to try it again."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    soon = at + timedelta(hours=1)
    payment = Payment("payment", "merchant", "customer", Money(100, "EUR"), due_at=at, recover_by=soon)
    attempt = Attempt("attempt", "payment", "method", "processor", payment.amount, at, Outcome.DECLINED)
    context = Context(payment, (Method("method", Rail.CARD),), (attempt,), at)
    return context, Retry(Slot(soon, soon + timedelta(hours=1)), "method", "processor")


PARTS = (_warm_columns, _warm_scores, _warm_plans, _warm_choice)

if __name__ == "__main__":
    warm_at_once()
