"""Playing a policy counts what happened, no more and no less."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from builders import of_merchant
from experiments.history_contexts import HistoryContexts
from experiments.recorded_world import Recorded, RecordedWorld
from experiments.replay import End, Episode, play
from experiments.results import Results, joined, results_of
from features.action import Retry, Slot, Stop
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError, InvalidValueError
from features.vocabulary import Outcome
from model.caps.rulebook import Rulebook
from model.decision import Choice
from model.economics import Economics
from model.schedules import FixedDays, Schedule
from replay_builders import FIRST, HORIZON, clearing, failing, world_of

NO_RULES = Rulebook(())
ECONOMICS = Economics.default()
OUTCOMES = {"early": clearing(2, 3), "late": clearing(20), "never": clearing(), "both": clearing(5, 20)}


def schedule(*days: int, rulebook: Rulebook = NO_RULES) -> Schedule:
    return Schedule("days", FixedDays(days), rulebook)


def played(*days: int, most: int = 4, rulebook: Rulebook = NO_RULES) -> dict[str, Episode]:
    episodes = play(world_of(OUTCOMES), schedule(*days), rulebook, max_retries=most)
    return {episode.context.payment.payment_id: episode for episode in episodes}


def test_an_episode_ends_at_approval_or_when_the_schedule_or_the_retries_are_used_up() -> None:
    ends = {name: (e.end, len(e.attempts)) for name, e in played(2, 20).items()}
    assert ends == {
        "early": (End.RECOVERED, 1),
        "late": (End.RECOVERED, 2),
        "never": (End.SCHEDULE_OVER, 2),
        "both": (End.RECOVERED, 2),
    }
    assert {name: e.end for name, e in played(2, 20, most=1).items()}["late"] is End.OUT_OF_RETRIES


def test_a_retry_after_the_last_day_is_not_made_and_one_on_it_is() -> None:
    late = played(31)
    assert all(e.end is End.OUT_OF_TIME and not e.attempts for e in late.values())
    assert all(len(e.attempts) == 1 for e in played(30).values())


def test_what_was_not_observed_is_neither_recovered_nor_declined() -> None:
    world = world_of({"short": clearing(length=10)}, observed_days=5)
    (episode,) = play(world, schedule(4, 20), NO_RULES, max_retries=4)
    assert (episode.end, [a.outcome for a in episode.attempts]) == (End.UNOBSERVED, [Outcome.DECLINED, Outcome.UNKNOWN])


def test_payments_observed_too_briefly_are_left_out_and_counted() -> None:
    world = world_of({"short": clearing(length=10), "long": clearing(3)})
    assert (len(world), world.left_out) == (1, 1)
    with pytest.raises(InvalidValueError, match="a payment of this world"):
        world.submit("short", Retry(Slot(FIRST, FIRST), "account of c-short", "bank"))


def test_recorded_outcomes_of_a_payment_id_of_two_merchants_are_refused() -> None:
    log = failing(OUTCOMES)
    both = pa.concat_tables([log, of_merchant(log, "other")])
    recorded = {name: Recorded(clears) for name, clears in OUTCOMES.items()}
    with pytest.raises(InputError, match="payment both failed with acme and with other"):
        RecordedWorld(HistoryContexts(both, HORIZON).failures(), recorded, HORIZON)
    elsewhere = pa.concat_tables([log, of_merchant(failing({"else": clearing()}), "other")])
    assert len(RecordedWorld(HistoryContexts(elsewhere, HORIZON).failures(), recorded, HORIZON)) == len(OUTCOMES)


def test_the_policy_sees_every_answer_and_nothing_later() -> None:
    seen: list[Context] = []

    @dataclass
    class Watching:
        name: str = "watching"

        def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
            seen.extend(contexts)
            return schedule(2, 20).choices(contexts)

    play(world_of({"late": clearing(20)}), Watching(), NO_RULES, max_retries=4)
    assert [len(context.own_attempts) for context in seen] == [1, 2]
    assert seen[1].as_of == seen[0].as_of + timedelta(days=2)
    assert seen[1].own_attempts[-1].outcome is Outcome.DECLINED


def test_retries_against_a_rule_are_counted_and_a_schedule_that_knows_the_rules_makes_none() -> None:
    shipped = Rulebook.load()
    heedless = play(world_of({"never": clearing()}), schedule(1, 2, 3, 4), shipped, max_retries=4)
    assert heedless[0].breaches == 2  # two re-presentments of such a debit are allowed
    heeding = play(world_of({"never": clearing()}), schedule(1, 2, 3, 4, rulebook=shipped), shipped, max_retries=4)
    assert (heeding[0].breaches, len(heeding[0].attempts), heeding[0].stop) == (0, 2, "no_allowed_action")


class Town:
    """A world in which nothing clears, one customer pays by hand on day 6 and another leaves on day 3."""

    def __init__(self) -> None:
        self._world = world_of({"payer": clearing(), "leaver": clearing(), "both": clearing(2)})
        self.start = next(iter(self._world.failures())).as_of

    def failures(self) -> Iterator[Context]:
        return self._world.failures()

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        return self._world.submit(payment_id, action)

    def settled_at(self, payment_id: str) -> datetime | None:
        return None if payment_id == "leaver" else self.start + timedelta(days=6)

    def left_at(self, payment_id: str) -> datetime | None:
        return self.start + timedelta(days=3) if payment_id == "leaver" else None


def test_customers_who_pay_by_hand_or_leave_end_their_episode() -> None:
    episodes = play(Town(), schedule(2, 10), NO_RULES, max_retries=4)
    found = {e.context.payment.payment_id: (e.end, len(e.attempts), e.settled_at is not None) for e in episodes}
    assert found == {
        "payer": (End.PAID_BY_HAND, 1, True),
        "leaver": (End.LEFT, 1, False),
        "both": (End.RECOVERED, 1, False),
    }


def test_payments_by_hand_after_the_last_retry_count_as_well() -> None:
    episodes = play(Town(), schedule(2), NO_RULES, max_retries=1)
    results = results_of("days", episodes, ECONOMICS)
    paid = results.gain_by_hand > 0
    assert dict(zip(results.payment_ids, paid, strict=True)) == {"both": False, "leaver": False, "payer": True}
    np.testing.assert_allclose(results.net_with_hand - results.net, results.gain_by_hand)


def results(*days: int) -> Results:
    return results_of("days", list(played(*days).values()), ECONOMICS)


def test_net_value_is_the_formula_of_the_valuation_with_what_happened() -> None:
    found = dict(zip(results(2, 20).payment_ids, range(4), strict=True))
    r = results(2, 20)
    fees = ECONOMICS.fees_of("bank")
    approved = fees.approved.fixed.amount_minor + fees.approved.share * 5_000
    declined = fees.declined.fixed.amount_minor + 100.0  # harm of a bank debit: 1.00 EUR
    gain = 5_000 * 0.8 * 2.0 * 0.5 ** (20 / 90) - 5_000 * 0.0003 * 20
    assert r.net[found["late"]] == pytest.approx(gain - approved - declined)
    assert r.net[found["never"]] == pytest.approx(-2 * declined)
    assert r.costing(5.0)[found["never"]] == pytest.approx(-10 * declined)
    assert r.days[found["late"]] == pytest.approx(20.0)


class Stopper:
    """Gives up at once."""

    name = "stopper"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        return [Choice(Stop("not_worth_it"), 1.0) for _ in contexts]


def test_a_stop_is_told_apart_from_a_schedule_that_is_over() -> None:
    stopped = results_of("stopper", play(world_of(OUTCOMES), Stopper(), NO_RULES, max_retries=4), ECONOMICS)
    assert stopped.stopped.all()
    assert not results(2).stopped.any()


def test_results_of_parts_are_the_results_of_the_whole() -> None:
    whole = results(2, 20)
    episodes = list(played(2, 20).values())
    parts = [results_of("days", some, ECONOMICS) for some in (episodes[:1], episodes[1:])]
    together = joined(parts)
    assert together.payment_ids == whole.payment_ids
    np.testing.assert_array_equal(together.net, whole.net)
