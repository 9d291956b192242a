"""The merchant never breaks a cap: the log held against the shipped rulebook, and against rules counted by hand."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from experiments.simulator.generate import generate
from experiments.simulator.journal import NO_POLICY
from experiments.simulator.logging_policy import FIXED, RANDOMISED
from experiments.simulator.settings import Settings
from experiments.simulator.world import SimulatedWorld
from features.attempt import Attempt
from features.context import Context
from features.vocabulary import Initiator, Network, Outcome
from model.caps.engine import Proposal, verdicts
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of

SAMPLE = 8  # every eighth failure


def logged_attempts(world: SimulatedWorld) -> Iterator[tuple[Context, Attempt]]:
    """Attempts of failed payments by the merchant, each with the context of its own instant."""
    for index, context in enumerate(world.failures()):
        if index % SAMPLE == 0:
            for attempt, at_that_time in world.logged(context.payment.payment_id):
                yield at_that_time, attempt


def test_no_logged_attempt_breaks_any_cap_of_the_rulebook(world: SimulatedWorld) -> None:
    rulebook, judged, refused = Rulebook.load(), 0, Counter[str]()
    for context, attempt in logged_attempts(world):
        proposal = Proposal(context.payment, context.method(attempt.method_id), attempt.processor)
        found = verdicts(rulebook, tally_of(context), proposal, attempt.at)
        judged += 1
        refused.update(verdict.rule_id for verdict in found if not verdict.allowed)
    assert judged > 400
    assert not refused


def test_the_same_check_finds_a_broken_cap(world: SimulatedWorld) -> None:
    """A card refused as stolen, sent again: the audit above would notice."""
    rulebook = Rulebook.load()
    for context in world.failures():
        last = context.own_attempts[-1]
        method = context.method(last.method_id)
        if last.decline is not None and last.decline.code == "43" and method.network is Network.VISA:
            again = verdicts(
                rulebook, tally_of(context), Proposal(context.payment, method, last.processor), context.as_of
            )
            assert not all(verdict.allowed for verdict in again)
            return
    pytest.fail("the world holds no stolen Visa card")


def test_debits_are_presented_at_most_three_times(history: pa.Table) -> None:
    debits = history.filter(
        pc.and_(pc.equal(history["rail"], "bank_debit"), pc.equal(history["initiator"], "merchant"))
    )
    presented = debits.filter(pc.not_equal(debits["outcome"], "error"))
    counts = Counter(zip(presented["payment_id"].to_pylist(), presented["method_id"].to_pylist(), strict=True))
    assert max(counts.values()) == 3


def test_retries_wait_as_long_as_mastercard_advised(world: SimulatedWorld) -> None:
    seen = 0
    for context, attempt in logged_attempts(world):
        for earlier in context.own_attempts:
            wait = earlier.decline.min_wait_hours if earlier.decline else None
            if wait is not None and earlier.method_id == attempt.method_id:
                seen += 1
                assert attempt.at >= earlier.at + timedelta(hours=wait)
    assert seen > 15


def test_nothing_is_tried_once_the_payment_is_paid_or_the_outcome_is_open(history: pa.Table) -> None:
    columns = (history[n].to_pylist() for n in ("payment_id", "attempted_at", "outcome_at", "outcome"))
    last_known: dict[str, tuple[object, str]] = {}
    for payment_id, at, known_at, outcome in zip(*columns, strict=True):
        if payment_id in last_known:
            known, before = last_known[payment_id]
            assert before != Outcome.APPROVED
            assert at >= known
        last_known[payment_id] = known_at, outcome


def test_first_attempts_and_customers_own_have_no_policy_and_retries_have_one(history: pa.Table) -> None:
    first = pc.ends_with(history["attempt_id"], "_0").to_numpy(zero_copy_only=False)
    by_hand = pc.equal(history["initiator"], Initiator.CUSTOMER.value).to_numpy(zero_copy_only=False)
    policy = pc.is_valid(history["policy"]).to_numpy(zero_copy_only=False)
    propensity = history["propensity"].to_numpy()
    assert (policy == ~(first | by_hand)).all()
    assert ((propensity[policy] > 0) & (propensity[policy] <= 1)).all()
    assert set(history["policy"].drop_null().unique().to_pylist()) == {"fixed-1-3-5-7", "randomised"}


@pytest.mark.parametrize(("share", "policy"), [(0.0, FIXED), (1.0, RANDOMISED)])
def test_a_world_of_one_policy_logs_only_that_one(share: float, policy: int) -> None:
    journal = generate(Settings(5, date(2025, 1, 1), 3, 400), randomised_share=share).journal
    assert set(journal.policy.tolist()) == {NO_POLICY, policy}
