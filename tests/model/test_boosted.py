"""A model answers only for the columns it was taught, and says how sure it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import random_history, simple_classify
from context_builders import NOW, card, context, contexts, failed
from features.action import Retry, Slot
from features.context import Context
from features.encoders import from_json, learn
from features.errors import InputError
from features.frame import frame
from features.rows import rows_of_context, rows_of_history
from features.table_of_history import from_arrow
from model.artifact import Artifact
from model.boosted import BoostedScorer, Uncertainty, column_facts
from model.calibration import Temperature
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.economics import Economics
from model.prior import PriorScorer
from training.dataset import column_shapes
from training.fit import TreeSettings, fit_bag

DOUBT = Uncertainty(1.1, (-2.0, 0.0, 2.0), (0.3, 0.1, 0.3))


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    table = from_arrow(random_history(0, attempts=1500), simple_classify)
    encoders = learn(table)
    rows = rows_of_history(table)
    matrix = frame(rows, encoders)
    y = table.approved[rows.index].astype(np.float64)
    trees = TreeSettings(max_trees=8, min_rows_in_leaf=10, threads=1)
    bag = fit_bag(matrix, y, table.customer.codes[rows.index] % 5, column_shapes(), trees)
    facts: dict[str, object] = {"uncertainty": DOUBT.to_json()}
    return Artifact(bag.texts, Temperature(1.2), encoders.to_json(), column_facts(), facts, "# card\n")


def _retries(hours: int) -> list[Retry]:
    slots = [Slot(NOW + timedelta(hours=h), NOW + timedelta(hours=h + 1)) for h in range(1, hours + 1)]
    return [Retry(slot, "card_1", "north") for slot in slots]


def test_a_context_scores_as_its_columns_do_and_the_same_each_time(artifact: Artifact) -> None:
    asked, retries = context((card(),), (failed(card()),)), _retries(50)
    scorer = BoostedScorer(artifact)
    scores = scorer.score(asked, retries)
    matrix = frame(rows_of_context(asked, retries), from_json(artifact.encoders))
    np.testing.assert_array_equal(scores.probability, scorer.score_matrix(matrix).probability)
    np.testing.assert_array_equal(
        scores.probability, BoostedScorer(artifact, threads=2).score(asked, retries).probability
    )
    assert (scores.version, scores.source) == (artifact.version, "model")


def test_the_interval_is_the_jackknife_spread_and_the_calibration_doubt_on_the_logit_scale(artifact: Artifact) -> None:
    matrix = frame(rows_of_context(context((card(),), (failed(card()),)), _retries(5)), from_json(artifact.encoders))
    scores = BoostedScorer(artifact).score_matrix(matrix)
    one = [BoostedScorer(replace(artifact, boosters=(text,))).score_matrix(matrix) for text in artifact.boosters]
    logits = np.array([np.log(s.probability / (1 - s.probability)) for s in one])
    middle = logits.mean(axis=0)  # a temperature keeps means of logits
    np.testing.assert_allclose(scores.probability, 1 / (1 + np.exp(-middle)))
    doubt = np.interp(middle, DOUBT.logit, DOUBT.standard_error)
    error = np.sqrt((1.1 * logits.std(axis=0, ddof=1)) ** 2 + doubt**2)
    np.testing.assert_allclose(scores.high, 1 / (1 + np.exp(-(middle + 1.6448536 * error))), rtol=1e-6)
    np.testing.assert_allclose(scores.low, 1 / (1 + np.exp(-(middle - 1.6448536 * error))), rtol=1e-6)


@given(st.lists(contexts(), min_size=1, max_size=5), st.sets(st.integers(0, 4)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_contexts_score_to_the_bit_as_one_by_one(
    artifact: Artifact, found: list[Context], alone: set[int]
) -> None:
    asked = []
    for i, drawn in enumerate(found):
        failure = replace(drawn, history_known=i not in alone)
        asked.append((failure, candidates(failure, horizon_of(failure, 10))[:60]))
    for scorer in (BoostedScorer(artifact), PriorScorer()):
        for (failure, retries), together in zip(asked, scorer.score_many(asked), strict=True):
            one = scorer.score(failure, retries)
            np.testing.assert_array_equal(together.probability, one.probability)
            np.testing.assert_array_equal(together.low, one.low)
            np.testing.assert_array_equal(together.high, one.high)


def test_nothing_asked_is_answered_with_nothing(artifact: Artifact) -> None:
    assert BoostedScorer(artifact).score_many([]) == PriorScorer().score_many([]) == ()


def test_no_retries_have_no_scores(artifact: Artifact) -> None:
    assert BoostedScorer(artifact).score(context((card(),), (failed(card()),)), []).probability.shape == (0,)


def test_a_model_of_other_columns_is_refused_by_the_column_that_differs(artifact: Artifact) -> None:
    columns = artifact.columns
    renamed = ({**columns[0], "name": "mood"}, *columns[1:])
    with pytest.raises(InputError, match="'mood'"):
        BoostedScorer(replace(artifact, columns=renamed))
    with pytest.raises(InputError, match=f"{len(columns) - 1} columns"):
        BoostedScorer(replace(artifact, columns=columns[:-1]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda a: replace(a, facts={}), "uncertainty"),
        (lambda a: replace(a, facts={"uncertainty": {**DOUBT.to_json(), "logit": [0.0]}}), "same length"),
        (lambda a: replace(a, facts={"uncertainty": {**DOUBT.to_json(), "logit": "x"}}), "must hold"),
        (lambda a: replace(a, boosters=("not a tree",)), "booster_0.txt"),
        (lambda a: replace(a, encoders="{}"), "encoders"),
    ],
)
def test_broken_content_is_refused_by_its_file(
    artifact: Artifact, change: Callable[[Artifact], Artifact], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        BoostedScorer(change(artifact))


@given(contexts())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_decision_is_the_same_to_the_byte_whoever_adds_up_the_trees(artifact: Artifact, found: Context) -> None:
    folded, lightgbm = BoostedScorer(artifact), BoostedScorer(artifact, folding=False)
    assert (folded.engine, lightgbm.engine) == ("folded", "LightGBM (asked for)")
    rulebook, economics = Rulebook.load(), Economics.default()
    each = [decide(found, scorer, rulebook, economics) for scorer in (folded, lightgbm)]
    assert each[0] == each[1]


def test_trees_that_cannot_be_folded_are_scored_by_lightgbm_which_says_why(artifact: Artifact) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, len(artifact.columns))).astype(np.float32)
    parameters = {"objective": "binary", "linear_tree": True, "verbosity": -1, "num_threads": 1, "max_bin": 15}
    data = lgb.Dataset(matrix, matrix[:, 0] > random.normal(size=300), params=parameters)
    text = lgb.train(parameters, data, num_boost_round=3).model_to_string()
    scorer = BoostedScorer(replace(artifact, boosters=(text,)))
    assert scorer.engine == "LightGBM (it has linear trees)"
    expected = np.asarray(lgb.Booster(model_str=text).predict(matrix, num_threads=1), dtype=np.float64)
    np.testing.assert_allclose(Temperature(1.2).apply(expected), scorer.score_matrix(matrix).probability, rtol=1e-9)
