"""The truth of an experiment in a world is what counting by hand finds, for every variant and metric."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_builders import running
from experiments.definition import HOLD_OUT, Definition
from experiments.definition_file import read_definition
from experiments.potential_outcomes import Entrant, Sums, Truth, arms, became, entrants, truth_of
from experiments.replay import play
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.schedules import FixedDays, Schedule
from rehearsal_builders import FATES, FIRST, TEXT, Came, Fate, StatedWorld, by_hand

ECONOMICS = Economics.default()
NO_RULES = Rulebook(())
DAYS = {"early": (1, 4), "late": (8, 12), HOLD_OUT: ()}


def a_definition() -> Definition:
    read = read_definition(TEXT, "early-and-late.toml")
    assert read.definition is not None
    assert not read.faults
    return running(read.definition)


DEFINITION = a_definition()


def truth_in(world: StatedWorld, taking_part: tuple[Entrant, ...]) -> Truth:
    contexts = [one.context for one in taking_part]
    outcomes = {
        name: [
            became(episode, episode.context.as_of, world, DEFINITION.window_days)
            for episode in play(
                world, Schedule(name, FixedDays(days), NO_RULES), NO_RULES, max_retries=9, failures=contexts
            )
        ]
        for name, days in DAYS.items()
    }
    return truth_of(DEFINITION, taking_part, outcomes, ECONOMICS)


def in_euros(fate: Fate) -> float:
    context = next(iter(StatedWorld([fate]).failures()))
    return ECONOMICS.exchange.minor_units(context.payment.amount, ECONOMICS.exchange.base)


def check_by_hand(fates: tuple[Fate, ...]) -> None:
    world = StatedWorld(fates)
    taking_part = entrants(DEFINITION, world.failures())
    truth = truth_in(world, taking_part)
    assert (truth.payments, truth.units) == (len(fates), len(fates))
    failed = sum(map(in_euros, fates))
    for variant, days in DAYS.items():
        came: list[Came] = [by_hand(fate, days) for fate in fates]
        back = sum(in_euros(fate) for fate, one in zip(fates, came, strict=True) if one.paid is not None)
        paid = [one.paid is not None for one in came]
        given_up = [
            one.paid is None and fate.leaves is not None and fate.leaves <= 30
            for fate, one in zip(fates, came, strict=True)
        ]
        assert truth.value("recovered_value", variant) == pytest.approx(back / failed)
        assert truth.value("attempts_per_payment", variant) == sum(one.retries for one in came) / len(fates)
        closed = sum(paid) + sum(given_up)
        assert truth.value("rate_closed_only", variant) == (pytest.approx(sum(paid) / closed) if closed else None)


def test_every_metric_of_every_variant_is_the_one_counted_by_hand() -> None:
    check_by_hand(FATES)


_DAY = st.one_of(st.none(), st.floats(0.25, 40).map(lambda day: round(day, 2) + 0.003))


@given(st.lists(st.builds(Fate, st.integers(1, 90_000), _DAY, _DAY, _DAY), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_so_it_is_in_any_stated_world(fates: list[Fate]) -> None:
    check_by_hand(tuple(fates))


def test_all_variants_together_are_weighed_by_their_shares_against_the_hold_out() -> None:
    sums = {HOLD_OUT: Sums(1, 10), "early": Sums(4, 10), "late": Sums(9, 20)}
    truth = Truth(10, 10, {HOLD_OUT: 0.2, "early": 0.6, "late": 0.2}, {"any": sums})
    assert truth.lift("any") == pytest.approx((0.6 * 4 + 0.2 * 9) / (0.6 * 10 + 0.2 * 20) - 0.1)
    assert truth.effect("any", "late", "early") == pytest.approx(0.45 - 0.4)
    assert arms(DEFINITION) == {HOLD_OUT: 0.2, "early": 0.4, "late": 0.4}


def test_a_metric_without_anything_below_its_line_has_no_answer() -> None:
    truth = Truth(1, 1, {"early": 1.0}, {"any": {"early": Sums(3, 0), "late": Sums(1, 2)}})
    assert truth.value("any", "early") is None
    assert truth.effect("any", "late", "early") is None


def test_testers_and_whoever_failed_before_the_start_take_no_part() -> None:
    world = StatedWorld(FATES)
    overridden = replace(DEFINITION, overrides={"acme": {"cus_3": "late"}})
    assert len(entrants(overridden, world.failures())) == len(FATES) - 1
    later = running(DEFINITION)
    started = replace(later, history=tuple(replace(e, at=FIRST + timedelta(hours=8)) for e in later.history))
    assert entrants(started, world.failures())[0].context.payment.payment_id == "inv_0002"
