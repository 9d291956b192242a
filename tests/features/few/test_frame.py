"""The columns of a few rows, in compiled loops, are those that the columns' own functions compute."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import random_history, simple_classify
from context_builders import NOW, card, context, contexts, failed
from features.action import Retry
from features.columns import COLUMNS
from features.context import Context
from features.encoders import from_json, learn
from features.few.counted import LIFTS, SHARES, SILENCES
from features.few.frame import FewFrame
from features.few.kernels import NAMES
from features.frame import Matrix, frame
from features.proposed import Proposed
from features.rows import rows_of_contexts
from features.supposed import Supposed
from features.table import Asked
from features.table_of_history import from_arrow
from features.vocabulary import Outcome
from frames import assert_same_columns
from model.candidates import candidates, horizon_of
from model.planning.imagined import Imagining
from model.prior_few import prior_logits_of
from model.prior_rows import prior_logits

ENCODERS = from_json(learn(from_arrow(random_history(3), simple_classify)).to_json())
FEW = FewFrame(ENCODERS)


def by_columns(asked: Sequence[Asked]) -> Matrix:
    """Each context by itself, since contexts with and without a history cannot share a table."""
    return np.concatenate([frame(rows_of_contexts([one]), ENCODERS) for one in asked])


def proposed(asked: Context, most: int = 60) -> list[Retry]:
    found = candidates(asked, horizon_of(asked))
    return list(found[:: len(found) // most + 1])


def test_every_column_is_worked_out_by_one_loop() -> None:
    assert sorted([*NAMES, *LIFTS, *SHARES, *SILENCES]) == sorted(column.name for column in COLUMNS)


@given(st.lists(contexts(), min_size=1, max_size=3), st.data())
@settings(max_examples=60, deadline=None)
def test_contexts_and_what_is_imagined_of_them_have_the_columns_of_training(
    found: list[Context], data: st.DataObject
) -> None:
    asked: list[Asked] = []
    for one in found:
        informed = replace(one, history_known=data.draw(st.booleans()))
        retries = proposed(informed)
        asked.append((informed, retries))
        declined = data.draw(st.lists(st.integers(0, max(len(retries) - 2, 0)), max_size=2))
        asked += [(Imagining(informed).after(retries[i : i + 1]), retries[i + 1 :]) for i in declined]
    framed = FEW(asked)
    assert_same_columns(framed.matrix, by_columns(asked))
    priors = [prior_logits(rows_of_contexts([one])) for one in asked]
    np.testing.assert_allclose(prior_logits_of(framed.facts), np.concatenate(priors), rtol=0.0, atol=1e-12)


@given(st.lists(contexts(), min_size=1, max_size=2), st.data())
@settings(max_examples=40, deadline=None)
def test_declines_that_are_supposed_are_read_as_if_they_stood_in_contexts(
    found: list[Context], data: st.DataObject
) -> None:
    asked: list[Asked | Supposed] = []
    contexts_then: list[Asked] = []
    for one in found:
        moves = Proposed.of(proposed(one))
        if len(moves) < 2:
            continue
        asked.append((one, moves))
        contexts_then.append((one, moves))
        places = st.lists(st.integers(0, len(moves) - 2), min_size=1, max_size=3, unique=True)
        declined = [tuple(sorted(some)) for some in data.draw(st.lists(places, min_size=1, max_size=3))]
        rest = [np.arange(some[-1] + 1, len(moves)) for some in declined]
        sizes = [later.size for later in rest]
        supposed = Supposed(Imagining(one).supposing(moves), declined, np.concatenate(rest), sizes)
        asked.append(supposed)
        contexts_then += supposed.contexts()
        for (then, retries), some in zip(supposed.contexts(), declined, strict=True):
            assert then == Imagining(one).after([moves[place] for place in some])
            assert list(retries) == list(moves)[some[-1] + 1 :]
    np.testing.assert_array_equal(FEW(asked).matrix, FEW(contexts_then).matrix)
    np.testing.assert_array_equal(FEW(asked).facts, FEW(contexts_then).facts)


def test_a_customer_with_a_long_past_is_read_as_by_the_columns() -> None:
    """Recoveries that vote for a payday, more attempts than count, methods no longer on file, credentials renewed."""
    rng = np.random.default_rng(5)
    now_card, old_card = card("card_1", processors=("north", "south")), card("card_0")
    past = []
    for number in range(40):
        ago = timedelta(days=float(400 - 9 * number))
        outcomes = [Outcome.DECLINED, Outcome.DECLINED, Outcome.APPROVED][int(rng.integers(0, 3)) :]
        for step, outcome in enumerate(outcomes):
            later = ago - timedelta(hours=float(rng.integers(1, 70)) * step)
            code = None if outcome is Outcome.APPROVED else str(rng.choice(["51", "05", "91"]))
            used = now_card if number > 8 else old_card
            past.append(failed(used, code, ago=later, payment_id=f"inv_{number}", outcome=outcome))
    due = failed(now_card, "51", ago=timedelta(hours=5))
    asked = context([now_card], [*past, due], now=NOW)
    asked = replace(asked, customer_since=(NOW - timedelta(days=700)).date())
    retries = proposed(asked, most=400)
    assert_same_columns(FEW([(asked, retries)]).matrix, by_columns([(asked, retries)]))


def test_a_payment_without_a_move_is_asked_about_beside_others() -> None:
    method = card()
    some, other = (context([method], [failed(method, ago=timedelta(days=days))]) for days in (1, 2))
    moves = Proposed.of(candidates(some, horizon_of(some))[:5])
    one = Supposed(Imagining(some).supposing(moves), [(0,)], np.array([2, 4], dtype=np.int64), [2])
    nothing = Supposed(Imagining(other).supposing(Proposed.of(())), [], np.empty(0, dtype=np.int64), [])
    np.testing.assert_array_equal(FEW([nothing, one, (other, ())]).matrix, FEW([one]).matrix)


def test_nothing_asked_is_no_row() -> None:
    asked = context([card()], [failed(card())])
    assert FEW([(asked, [])]).matrix.shape == (0, len(COLUMNS))
