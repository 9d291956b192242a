"""Which retries are shown beside the chosen one, against the same looked for one by one."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import card, context, debit, failed
from model.alternatives import MOST, alternatives
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.issuer_clock import issuer_clock
from model.placed import placed
from model.planner import Case, Options, plan
from model.prior import PriorScorer
from model.wording import local_date

METHODS = (card("a", processors=("north", "south")), card("b", time_zone="Asia/Tokyo"), debit())
FAILURE = context(METHODS, [failed(METHODS[0])], days=4)
RETRIES = candidates(FAILURE, horizon_of(FAILURE))
PRIOR, ECONOMICS = PriorScorer(), Economics.default()
OPTIONS = Options(RETRIES, PRIOR.score(FAILURE, RETRIES), ((),) * len(RETRIES))
PLANNED = plan(Case(FAILURE, OPTIONS, 2), PRIOR, Rulebook.load(), ECONOMICS)


@given(seed=st.integers(0, 1000), stops=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_best_of_every_other_route_comes_before_other_days(*, seed: int, stops: bool) -> None:
    random = np.random.default_rng(seed)
    worth = random.integers(0, 60, len(RETRIES)).astype(np.float64)
    planned = replace(PLANNED, worth=worth, path=() if stops else (int(random.integers(len(RETRIES))),))
    kinds = [
        ((r.method_id, r.processor), local_date(r.slot.start, issuer_clock(FAILURE, FAILURE.method(r.method_id)).zone))
        for r in RETRIES
    ]
    chosen = None if planned.first is None else kinds[planned.first]
    shown: list[int] = []
    ranked = sorted(range(len(RETRIES)), key=lambda i: -worth[i])
    for i in ranked:
        if (chosen is None or kinds[i][0] != chosen[0]) and kinds[i][0] not in [kinds[k][0] for k in shown]:
            shown.append(i)
    for i in ranked:
        if kinds[i] != chosen and kinds[i] not in [kinds[k] for k in shown]:
            shown.append(i)
    expected = sorted(shown[:MOST], key=lambda i: (-worth[i], i))
    found = alternatives(OPTIONS, placed(FAILURE, RETRIES), planned)
    assert [other.retry for other in found] == [RETRIES[i] for i in expected]
