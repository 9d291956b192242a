"""The prior of whole arrays of rows is the prior of each context, computed another way."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings

from builders import random_history, simple_classify
from context_builders import NOW, card, context, contexts, failed
from experiments.resamples import Floats
from features.action import Retry, Slot
from features.context import Context
from features.rows import rows_of_all, rows_of_context, rows_of_history
from features.table import Coded
from features.table_of_history import from_arrow
from features.vocabulary import Outcome
from model.candidates import candidates, horizon_of
from model.prior import PriorScorer
from model.prior_rows import prior_logits
from model.prior_table import HIGHEST, LOWEST


def probabilities(asked: Context, retries: list[Retry]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-prior_logits(rows_of_context(asked, retries)))), dtype=np.float64)


@given(contexts())
@settings(max_examples=80, deadline=None)
def test_rows_of_a_context_have_the_probabilities_of_the_prior_scorer(asked: Context) -> None:
    retries = list(candidates(asked, horizon_of(asked)))[:200]
    np.testing.assert_allclose(
        probabilities(asked, retries), PriorScorer().score(asked, retries).probability, rtol=1e-9, atol=1e-12
    )


def test_a_method_that_was_never_tried_or_paid_lately_is_read_alike() -> None:
    tried, other = card("card_1", processors=("north", "south")), card("card_2")
    paid = failed(other, None, ago=timedelta(days=5), payment_id="inv_0", outcome=Outcome.APPROVED)
    asked = context([tried, other], [failed(tried), paid])
    slot = Slot(NOW + timedelta(days=2), NOW + timedelta(days=2, hours=1))
    retries = [Retry(slot, name, processor) for name, processor in (("card_1", "south"), ("card_2", "north"))]
    np.testing.assert_allclose(probabilities(asked, retries), PriorScorer().score(asked, retries).probability)


def test_rows_of_a_history_stay_within_the_prior_limits() -> None:
    rows = rows_of_history(from_arrow(random_history(0, attempts=400), simple_classify))
    p = 1 / (1 + np.exp(-prior_logits(rows)))
    assert len(p) == len(rows) > 0
    assert ((p > LOWEST * 0.999) & (p < HIGHEST * 1.001)).all()


def test_memory_grows_with_the_attempts_and_not_with_payments_times_methods() -> None:
    table = from_arrow(random_history(0, attempts=400), simple_classify)
    many = 100_000
    apart = np.arange(len(table), dtype=np.int64) * (many // len(table))
    words = pa.array([str(number) for number in range(many)])
    wide = replace(table, payment=Coded(apart, words), method=Coded(apart, words))
    tracemalloc.start()
    prior_logits(rows_of_all(wide))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * many
