"""The planner one attempt ahead: highest worth, ties to the first, nothing when nothing pays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import NOW, card, context, failed
from features.action import Retry, Slot
from model.alternatives import alternatives
from model.caps.verdict import Verdict
from model.economics import Economics
from model.planner import Options, Planned, plan
from model.scorer import Scores

FREE = Economics.from_toml(
    "[value]\nmargin = 1.0\nlater_invoices = 0.0\ndelay_per_day = 0.0\nhalf_life_days = 30.0\n"
    '[harm]\ncard = "0 EUR"\n[fees.default]\napproved = "0 EUR"\ndeclined = "0 EUR"\n'
    '[fees.south]\napproved = "2 EUR"\ndeclined = "1 EUR"\n'
)
COSTLY = Economics.from_toml(
    "[value]\nmargin = 1.0\nlater_invoices = 0.0\ndelay_per_day = 0.0\nhalf_life_days = 30.0\n"
    '[harm]\ncard = "0 EUR"\n[fees.default]\napproved = "0.60 EUR"\ndeclined = "0.60 EUR"\n'
)
METHOD = card(processors=("north", "south"))
FAILURE = context([METHOD, card("card_2")], [failed(METHOD)])


def retry(days: float, processor: str = "north", method: str = "card_1") -> Retry:
    start = NOW + timedelta(days=days)
    return Retry(Slot(start, start + timedelta(hours=1)), method, processor)


def limited(left: int) -> Verdict:
    """A limit that leaves so many attempts."""
    return Verdict("limit", True, 10 - left, 10, None, None, "A limit.", "ours", "high")


def options(retries: Sequence[Retry], chances: Sequence[float]) -> Options:
    chance = np.array(chances, dtype=np.float64)
    return Options(tuple(retries), Scores(chance, chance, chance, "test", "model"), ((),) * len(retries))


def planned(retries: Sequence[Retry], chances: Sequence[float]) -> Planned:
    return plan(FAILURE, options(retries, chances), FREE)


ENTRIES = st.lists(
    st.tuples(st.floats(0, 30), st.sampled_from(("card_1", "card_2")), st.floats(0.001, 0.999), st.integers(0, 3)),
    max_size=12,
)


def by_hand(entries: list[tuple[float, str, float, int]]) -> list[float]:
    """Worth of each option in minor units: the formula, over every pair."""
    net = [4900 * chance * 0.5 ** (days / 30) - 60 for days, _, chance, _ in entries]
    worth = []
    for i, (days, method, chance, left) in enumerate(entries):
        may_follow = [
            net[j]
            for j, (later, other, *_) in enumerate(entries)
            if (later > days + 1e-6 if other != method else later >= days + 1 and left >= 2)
        ]
        worth.append(net[i] + (1 - chance) * 0.8 * max([0.0, *may_follow]))
    return worth


@given(ENTRIES)
@settings(max_examples=200, deadline=None)
def test_the_worth_of_every_option_is_that_of_the_formula(entries: list[tuple[float, str, float, int]]) -> None:
    entries = sorted((round(days, 3), method, chance, left) for days, method, chance, left in entries)
    choices = options([retry(days, method=method) for days, method, *_ in entries], [e[2] for e in entries])
    limits = tuple((limited(left),) for *_, left in entries)
    made = plan(FAILURE, replace(choices, verdicts=limits), COSTLY)
    worth, net = by_hand(entries), made.values.net
    assert np.allclose(made.worth, worth, atol=0.01)
    paying = [w for w, n in zip(worth, net, strict=True) if n > 0]
    if made.first is None:
        assert not paying
    else:
        assert worth[made.first] >= max(paying) - 0.01
        assert net[made.first] > 0


def test_ties_go_to_the_option_listed_first() -> None:
    assert planned([retry(1), retry(1)], [0.5, 0.5]).first == 0


def test_the_plan_adds_up() -> None:
    made = planned([retry(30, "south"), retry(30.5)], [0.9, 0.1])  # too soon after each other to follow
    assert made.first == 0
    attempt = made.plan.attempts[0]
    assert made.plan.expected_recovered.amount_minor == round(0.9 * 4900)
    assert (made.plan.expected_cost, made.plan.expected_net) == (
        attempt.value.cost,
        attempt.value.net,
    )  # nothing follows
    assert attempt.value.net.amount_minor == round(0.9 * 4900 * 0.5 - 0.9 * 200 - 0.1 * 100)


def test_an_alternative_says_what_it_lacks() -> None:
    choices = options([retry(0), retry(0, "south"), retry(0.9)], [0.5, 0.5, 0.4])
    made = plan(FAILURE, choices, FREE)
    dearer, later = alternatives(FAILURE, choices, made)
    assert dearer.why_not == "worth 1.50 EUR less: costs 1.50 EUR more"
    assert later.why_not == "worth 5.30 EUR less: 40 % likely instead of 50 %, 22 hours later"


def test_a_good_chance_now_is_not_put_off_for_a_slightly_better_one_later() -> None:
    choices = options([retry(0), retry(4)], [0.79, 0.9])
    made = plan(FAILURE, choices, FREE)
    assert made.values.net[1] > made.values.net[0]
    assert made.first == 0
    assert made.plan.expected_net.amount_minor > made.plan.attempts[0].value.net.amount_minor
    (later,) = alternatives(FAILURE, choices, made)
    assert "with what may follow" in later.why_not


def test_the_last_attempt_of_a_limit_is_kept_for_the_best_day() -> None:
    choices = options([retry(0), retry(4)], [0.79, 0.9])
    last = replace(choices, verdicts=((limited(1),), (limited(1),)))
    assert plan(FAILURE, last, FREE).first == 1


def test_of_one_route_and_day_only_the_best_is_shown() -> None:
    hours = [retry(day + hour / 24) for day in range(8) for hour in range(3)]
    choices = options(hours, [0.5 - i / 100 for i in range(len(hours))])
    shown = alternatives(FAILURE, choices, plan(FAILURE, choices, FREE))
    assert [other.retry.slot.start - NOW for other in shown] == [timedelta(days=day) for day in range(1, 6)]
