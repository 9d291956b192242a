"""A world answers any retry, in any order, and says of the logged ones exactly what the log says."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from experiments.simulator.generate import Generated
from experiments.simulator.truth import read_truth, settings_json, truth_tables
from experiments.simulator.world import SimulatedWorld
from experiments.world import World
from features.action import Retry, Slot
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError, InvalidValueError
from features.vocabulary import DeclineCategory, Initiator, Outcome

HOUR = timedelta(hours=1)


def retry_of(attempt: Attempt) -> Retry:
    return Retry(Slot(attempt.at, attempt.at + HOUR), attempt.method_id, attempt.processor)


def proposals_of(context: Context) -> list[tuple[str, Retry]]:
    """A grid of retries over two weeks, every method and processor."""
    return [
        (context.payment.payment_id, Retry(Slot(start, start + HOUR), method.method_id, processor))
        for hours in range(6, 24 * 14, 31)
        for start in [context.as_of + timedelta(hours=hours)]
        for method in context.methods
        for processor in method.processors
    ]


def told(attempt: Attempt) -> tuple[object, ...]:
    decline = attempt.decline
    return attempt.outcome, attempt.known_at, decline and (decline.code, decline.advice_code)


def test_replaying_the_logged_actions_gives_the_logged_outcomes(world: SimulatedWorld) -> None:
    replayed = 0
    for index, context in enumerate(world.failures()):
        if index % 16:
            continue
        for attempt, _ in world.logged(context.payment.payment_id):
            if attempt.at > context.as_of:
                again = world.submit(context.payment.payment_id, retry_of(attempt))
                assert told(again) == told(attempt)
                assert again.amount == attempt.amount
                replayed += 1
    assert replayed > 100


def test_every_logged_retry_is_reproduced_at_once(world: SimulatedWorld, history: pa.Table) -> None:
    retries = history.filter(pc.is_valid(history["policy"]))
    columns = (retries[n].to_pylist() for n in ("payment_id", "attempted_at", "method_id", "processor"))
    proposals = [
        (payment_id, Retry(Slot(at, at + HOUR), method_id, processor))
        for payment_id, at, method_id, processor in zip(*columns, strict=True)
    ]
    answers = world.submit_many(proposals)
    assert [a.outcome.value for a in answers] == retries["outcome"].to_pylist()
    assert [a.known_at for a in answers] == retries["outcome_at"].to_pylist()


def test_an_answer_does_not_depend_on_what_was_asked_before(world: SimulatedWorld) -> None:
    context = next(c for c in world.failures() if len(c.methods) > 1)
    proposals = proposals_of(context)
    forwards = [told(a) for a in world.submit_many(proposals)]
    backwards = [told(world.submit(*proposal)) for proposal in reversed(proposals)]
    assert forwards == backwards[::-1]


def test_an_answer_is_the_same_within_an_hour(world: SimulatedWorld) -> None:
    for index, context in enumerate(world.failures()):
        if index == 200:
            break
        start = (context.as_of + timedelta(days=2)).replace(minute=0, second=0)
        method = context.methods[0]
        early, late = (
            world.submit(
                context.payment.payment_id,
                Retry(Slot(start + wait, start + HOUR), method.method_id, method.processors[0]),
            )
            for wait in (timedelta(), timedelta(minutes=59))
        )
        assert early.outcome == late.outcome or world.settled_at(context.payment.payment_id) is not None


def test_what_a_policy_does_changes_what_it_recovers(world: SimulatedWorld) -> None:
    """There is something to win: the best hour recovers clearly more than the second day at the same hour."""
    best, plain, count = 0, 0, 0
    for index, context in enumerate(world.failures()):
        if index % 24:
            continue
        proposals = proposals_of(context)
        chances = world.chance(context.payment.payment_id, [retry for _, retry in proposals])
        best += world.submit(*proposals[int(np.argmax(chances))]).outcome is Outcome.APPROVED
        last = context.own_attempts[-1]
        start = context.as_of + timedelta(days=1)
        again = Retry(Slot(start, start + HOUR), last.method_id, last.processor)
        plain += world.submit(context.payment.payment_id, again).outcome is Outcome.APPROVED
        count += 1
    assert best / count > plain / count + 0.15


def test_a_payment_made_by_hand_is_not_collected_twice(world: SimulatedWorld) -> None:
    for context in world.failures():
        settled = world.settled_at(context.payment.payment_id)
        if settled is not None:
            method = context.methods[0]
            after = Slot(settled + HOUR, settled + 2 * HOUR)
            attempt = world.submit(context.payment.payment_id, Retry(after, method.method_id, method.processors[0]))
            assert attempt.outcome is Outcome.DECLINED
            assert attempt.decline is not None
            assert attempt.decline.category is DeclineCategory.DUPLICATE
            return
    pytest.fail("nobody in this world pays by hand")


def test_who_has_left_approves_nothing_more(world: SimulatedWorld) -> None:
    for index, context in enumerate(world.failures()):
        if index == 300:
            break
        left = world.left_at(context.payment.payment_id)
        if left < context.payment.recover_by:
            proposals = [p for p in proposals_of(context) if p[1].slot.start >= left]
            assert all(a.outcome is not Outcome.APPROVED for a in world.submit_many(proposals))


def test_contexts_hold_nothing_later_than_the_first_failure(world: SimulatedWorld) -> None:
    for index, context in enumerate(world.failures()):
        if index == 300:
            break
        assert len(context.own_attempts) == 1
        assert context.own_attempts[0].outcome is not Outcome.APPROVED
        assert context.own_attempts[0].known_at == context.as_of
        assert all(a.method_id in {m.method_id for m in context.methods} for a in context.attempts)
        assert all(method.processors for method in context.methods)


def test_it_is_a_world(world: SimulatedWorld) -> None:
    seam: World = world
    assert sum(1 for _ in seam.failures()) == len(world)


@pytest.mark.parametrize("payment_id", ["inv_9999999_000", "inv_0000001", "nonsense", "inv_x_1"])
def test_an_unknown_payment_is_refused_by_name(world: SimulatedWorld, payment_id: str) -> None:
    action = retry_of(next(iter(world.failures())).own_attempts[0])
    with pytest.raises(InvalidValueError, match="payment_id"):
        world.submit(payment_id, action)


def test_a_foreign_method_or_processor_is_refused_by_name(world: SimulatedWorld) -> None:
    context = next(iter(world.failures()))
    slot = Slot(context.as_of, context.as_of + HOUR)
    method = context.methods[0]
    with pytest.raises(InvalidValueError, match="method_id"):
        world.submit(context.payment.payment_id, Retry(slot, "pm_0005999_0", method.processors[0]))
    with pytest.raises(InvalidValueError, match="processor"):
        world.submit(context.payment.payment_id, Retry(slot, method.method_id, "nobody"))


def test_customers_pay_by_hand_when_the_truth_says_so(world: SimulatedWorld, history: pa.Table) -> None:
    by_hand = history.filter(pc.equal(history["initiator"], Initiator.CUSTOMER.value))
    for payment_id, at in zip(by_hand["payment_id"].to_pylist(), by_hand["attempted_at"].to_pylist(), strict=True):
        settled = world.settled_at(payment_id)
        assert settled is not None
        assert settled <= at


def test_truth_of_another_version_or_another_world_is_refused(made: Generated) -> None:
    settings, tables = settings_json(made.settings), truth_tables(made)
    with pytest.raises(InputError, match="version"):
        read_truth(settings | {"version": 0}, tables)
    with pytest.raises(InputError, match="do not match"):
        read_truth(settings | {"customers": 5}, tables)
    with pytest.raises(InputError, match="column"):
        read_truth(settings, tables | {"failures": tables["failures"].drop_columns("amount")})
    with pytest.raises(InvalidValueError, match="seed"):
        read_truth(settings | {"seed": "seven"}, tables)
