"""Curves and what a limit forbids, against the same looked for retry by retry."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import card, context, debit, failed
from features.action import Retry
from features.context import Context
from model.candidates import candidates, horizon_of
from model.curve import POINTS, ROUTES, curves, forbidden_points
from model.issuer_clock import issuer_clock
from model.placed import placed
from model.scorer import Scores
from model.wording import local_date

METHODS = (card("a", processors=("north", "south")), card("b", time_zone="America/New_York"), debit())
FAILURE = context(METHODS, [failed(METHODS[0])], days=45)
PROPOSED = candidates(FAILURE, horizon_of(FAILURE))
Kind = tuple[tuple[str, str], int]


def kind_of(failure: Context, retry: Retry) -> Kind:
    zone = issuer_clock(failure, failure.method(retry.method_id)).zone
    return (retry.method_id, retry.processor), local_date(retry.slot.start, zone).toordinal()


def scores_of(chance: list[float]) -> Scores:
    p = np.array(chance, dtype=np.float64)
    return Scores(p, p / 2, (1 + p) / 2, "v", "model")


def cut(seed: int) -> tuple[list[Retry], np.random.Generator]:
    """Some of the retries: those of some days and routes are left out whole."""
    random = np.random.default_rng(seed)
    kinds = {kind_of(FAILURE, retry) for retry in PROPOSED}
    barred = {kind for kind in sorted(kinds) if random.random() < 0.4}
    return [r for r in PROPOSED if kind_of(FAILURE, r) not in barred and random.random() < 0.9], random


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_forbidden_point_is_the_first_slot_of_a_day_without_an_allowed_one(seed: int) -> None:
    allowed, _ = cut(seed)
    routes = list(dict.fromkeys((r.method_id, r.processor) for r in allowed))[:ROUTES]
    taken = {kind_of(FAILURE, retry) for retry in allowed}
    expected: dict[Kind, Retry] = {}
    for retry in PROPOSED:
        kind = kind_of(FAILURE, retry)
        if kind[0] in routes and kind not in taken:
            expected.setdefault(kind, retry)
    assert forbidden_points(FAILURE, PROPOSED, placed(FAILURE, allowed)) == tuple(expected.values())
    assert forbidden_points(FAILURE, PROPOSED, placed(FAILURE, PROPOSED)) == ()


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_curve_is_drawn_through_the_best_slot_of_each_day_the_first_of_equal_ones(seed: int) -> None:
    allowed, random = cut(seed)
    chance = [float(p) for p in random.integers(1, 9, len(allowed)) / 10]
    barred = forbidden_points(FAILURE, PROPOSED, placed(FAILURE, allowed))
    found = curves(
        FAILURE, allowed, placed(FAILURE, allowed), scores_of(chance), barred, scores_of([0.05] * len(barred))
    )
    best: dict[Kind, tuple[float, Retry, bool]] = {kind_of(FAILURE, r): (0.05, r, False) for r in barred}
    for p, retry in zip(chance, allowed, strict=True):
        kind = kind_of(FAILURE, retry)
        if kind not in best or p > best[kind][0]:
            best[kind] = (p, retry, True)
    for curve in found:
        points = [best[kind] for kind in sorted(best) if kind[0] == (curve.method_id, curve.processor)]
        kept = sorted({round(i) for i in np.linspace(0, len(points) - 1, min(POINTS, len(points)))})
        drawn = [points[i] for i in kept]
        assert curve.start == tuple(retry.slot.start for _, retry, _ in drawn)
        assert curve.probability == tuple(p for p, _, _ in drawn)
        assert curve.low == tuple(round(p / 2, 4) for p, _, _ in drawn)
        assert curve.allowed == tuple(may for _, _, may in drawn)
