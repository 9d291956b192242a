"""The planner one attempt ahead: highest net value, ties to the first, nothing when nothing pays."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import NOW, card, context, failed
from features.action import Retry, Slot
from model.alternatives import alternatives
from model.economics import Economics
from model.planner import Options, Planned, plan
from model.scorer import Scores

FREE = Economics.from_toml(
    "[value]\nmargin = 1.0\nlater_invoices = 0.0\ndelay_per_day = 0.0\nhalf_life_days = 30.0\n"
    '[harm]\ncard = "0 EUR"\n[fees.default]\napproved = "0 EUR"\ndeclined = "0 EUR"\n'
    '[fees.south]\napproved = "2 EUR"\ndeclined = "1 EUR"\n'
)
METHOD = card(processors=("north", "south"))
FAILURE = context([METHOD], [failed(METHOD)])


def retry(days: float, processor: str = "north") -> Retry:
    start = NOW + timedelta(days=days)
    return Retry(Slot(start, start + timedelta(hours=1)), METHOD.method_id, processor)


def options(retries: Sequence[Retry], chances: Sequence[float]) -> Options:
    chance = np.array(chances, dtype=np.float64)
    return Options(tuple(retries), Scores(chance, chance, chance, "test", "model"), ((),) * len(retries))


def planned(retries: Sequence[Retry], chances: Sequence[float]) -> Planned:
    return plan(FAILURE, options(retries, chances), FREE)


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from(("north", "south")), st.floats(0.001, 0.999)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_the_plan_starts_with_the_option_of_highest_net_value(entries: list[tuple[float, str, float]]) -> None:
    made = planned([retry(days, processor) for days, processor, _ in entries], [chance for *_, chance in entries])
    nets = []
    for days, processor, chance in entries:
        fee = 2 * chance + (1 - chance) if processor == "south" else 0.0
        nets.append(100 * (chance * 49 * 0.5 ** (days / 30) - fee))
    assert np.allclose(made.worth, nets, atol=1e-3)
    if max(nets, default=0.0) <= 0.0:
        assert made.first is None
        assert made.plan.attempts == ()
    elif made.first is not None:
        assert nets[made.first] >= max(nets) - 1e-3


def test_ties_go_to_the_option_listed_first() -> None:
    assert planned([retry(1), retry(1)], [0.5, 0.5]).first == 0


def test_the_plan_adds_up() -> None:
    made = planned([retry(0), retry(30, "south")], [0.2, 0.9])
    assert made.first == 1
    attempt = made.plan.attempts[0]
    assert made.plan.expected_recovered.amount_minor == round(0.9 * 4900)
    assert (made.plan.expected_cost, made.plan.expected_net) == (attempt.value.cost, attempt.value.net)
    assert attempt.value.net.amount_minor == round(0.9 * 4900 * 0.5 - 0.9 * 200 - 0.1 * 100)


def test_an_alternative_says_what_it_lacks() -> None:
    choices = options([retry(0), retry(2), retry(0, "south")], [0.5, 0.4, 0.5])
    made = plan(FAILURE, choices, FREE)
    dearer, later = alternatives(FAILURE, choices, made)
    assert dearer.why_not == "worth 1.50 EUR less: costs 1.50 EUR more"
    assert later.why_not == "worth 5.79 EUR less: 40 % likely instead of 50 %, 2 days later"


def test_of_one_route_and_day_only_the_best_is_shown() -> None:
    hours = [retry(day + hour / 24) for day in range(8) for hour in range(3)]
    choices = options(hours, [0.5 - i / 100 for i in range(len(hours))])
    shown = alternatives(FAILURE, choices, plan(FAILURE, choices, FREE))
    assert [other.retry.slot.start - NOW for other in shown] == [timedelta(days=day) for day in range(1, 6)]
