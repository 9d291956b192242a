"""The days of a curve on which nothing is allowed, looked up retry by retry."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import contexts
from features.action import Retry
from features.context import Context
from model.candidates import candidates, horizon_of
from model.curve import ROUTES, forbidden_points
from model.issuer_clock import issuer_days


@given(contexts(), st.integers(0, 1_000), st.sampled_from([0.02, 0.3, 1.0]))
@settings(max_examples=60, deadline=None)
def test_a_barred_day_is_drawn_at_its_first_slot_where_its_route_is_open_on_another(
    failure: Context, seed: int, share: float
) -> None:
    proposed = candidates(failure, horizon_of(failure))
    random = Random(seed)
    allowed = proposed.take(np.array([i for i in range(len(proposed)) if random.random() < share], dtype=np.int64))
    routes = list(dict.fromkeys((retry.method_id, retry.processor) for retry in allowed))[:ROUTES]
    open_days = {
        (retry.method_id, retry.processor, day)
        for retry, day in zip(allowed, issuer_days(failure, allowed), strict=True)
    }
    expected: dict[tuple[str, str, int], Retry] = {}
    for retry, day in zip(proposed, issuer_days(failure, proposed), strict=True):
        place = (retry.method_id, retry.processor, day)
        if place[:2] in routes and place not in open_days:
            expected.setdefault(place, retry)
    assert list(forbidden_points(failure, proposed, allowed)) == list(expected.values())
