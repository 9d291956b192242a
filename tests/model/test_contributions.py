"""What moved a score adds up to it exactly, and is said in few words."""

import numpy as np
import pytest

from builders import random_history, simple_classify
from context_builders import NOW, card, context, failed
from decisions_read import decision_in
from features.columns import COLUMNS
from features.encoders import from_json, learn
from features.frame import frame
from features.rows import rows_of_context, rows_of_history
from features.table_of_history import from_arrow
from model.artifact import Artifact
from model.boosted import BoostedScorer, Uncertainty, column_facts
from model.calibration import Unchanged
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.contributions import OTHER, Contribution, by_subject, contribution_reasons, subject_of
from model.decide import decide
from model.decision import Topic, decision_to_json
from model.economics import Economics
from training.dataset import column_shapes
from training.fit import TreeSettings, fit_bag

FAILURE = context((card(),), (failed(card()),), days=10)


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    table = from_arrow(random_history(0, attempts=1500), simple_classify)
    encoders = learn(table)
    rows = rows_of_history(table)
    y = table.approved[rows.index].astype(np.float64)
    trees = TreeSettings(max_trees=12, min_rows_in_leaf=10, threads=1)
    bag = fit_bag(frame(rows, encoders), y, table.customer.codes[rows.index] % 5, column_shapes(), trees)
    doubt = Uncertainty(1.1, (-2.0, 0.0, 2.0), (0.3, 0.1, 0.3))
    facts: dict[str, object] = {"uncertainty": doubt.to_json()}
    return Artifact(bag.texts, Unchanged(), encoders.to_json(), column_facts(), facts, "# card\n")


def test_base_and_subjects_add_up_to_the_log_odds_of_every_retry(artifact: Artifact) -> None:
    scorer = BoostedScorer(artifact)
    retries = candidates(FAILURE, FAILURE.payment.recover_by)[::7]
    p = scorer.score(FAILURE, retries).probability
    parts = scorer.contributions(FAILURE, retries)
    total = [part.base + sum(part.by_subject.values()) for part in parts]
    np.testing.assert_allclose(total, np.log(p) - np.log1p(-p), rtol=0, atol=1e-9)


def test_subjects_gather_the_contributions_of_their_columns(artifact: Artifact) -> None:
    scorer = BoostedScorer(artifact)
    retries = candidates(FAILURE, FAILURE.payment.recover_by)[:1]
    matrix = frame(rows_of_context(FAILURE, retries), from_json(artifact.encoders))
    each = np.mean([b.contributions(matrix)[0] for b in scorer.bag], axis=0)
    names = [column.name for column in COLUMNS]
    payday = sum(value for name, value in zip(names, each[:-1], strict=True) if "payday" in name and "own" not in name)
    assert scorer.contributions_of(matrix)[0].by_subject["closeness to paydays"] == pytest.approx(payday)
    assert sum(subject_of(name) == OTHER for name in names) == 0


def test_few_parts_are_named_and_the_rest_is_added_up() -> None:
    chosen = by_subject(
        ["days_from_payday", "days_to_payday", "amount", "local_hour", "rail", "issuer_rate", "processor_rate", "x"],
        [0.3, 0.2, -0.4, 0.1, 0.06, 0.2, 0.001, 0.002],
        -1.0,
    )
    (first,) = contribution_reasons(chosen, None)
    assert first.sentence == (
        "Against the average retry the model learnt from (27 %), its odds are ×1.59: closeness to paydays ×1.65, "
        "the amount ×0.67, the issuer's record ×1.22, hour and day ×1.11, all else ×1.07."
    )


def test_against_the_runner_up_only_what_differs_counts() -> None:
    one, other = Contribution(0.0, {"a": 0.5, "b": 0.4}), Contribution(0.0, {"a": 0.5, "c": 0.1})
    first, second = contribution_reasons(one, other)
    assert "×2.46: a ×1.65, b ×1.49" in first.sentence
    assert second.sentence == "Against the runner-up, its odds are ×1.35: b ×1.49, c ×0.90, all else ×1.00."
    assert list(contribution_reasons(Contribution(0.0, {"a": 0.01}), Contribution(0.0, {"a": 0.01}))) == []


def test_a_model_s_decision_names_what_moved_it_and_is_the_same_again(artifact: Artifact) -> None:
    scorer = BoostedScorer(artifact)
    decision = decide(FAILURE, scorer, Rulebook.load(), Economics.default())
    said = " ".join(reason.sentence for reason in decision.reasons if reason.topic is Topic.SCORE)
    assert "Against the average retry the model learnt from" in said
    assert decision_to_json(decide(FAILURE, BoostedScorer(artifact), Rulebook.load(), Economics.default())) == (
        decision_to_json(decision)
    )
    assert decision_in(decision_to_json(decision)) == decision
    assert decision.as_of == NOW
