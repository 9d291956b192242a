"""What an artifact says of its segments, against the rows themselves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from model.artifact import write_artifact
from model.boosted import BoostedScorer
from model.reliance import Reliance, Segment
from model.worked import check_worked
from serving.registry import read_scorer
from training.dataset import Group
from training.pipeline import WORKED_ROWS, TrainingResult
from training.segments import MIN_ROWS, judged_segments


def test_gap_and_gain_are_those_of_the_rows(result: TrainingResult) -> None:
    told = result.artifact.facts["segments"]
    assert isinstance(told, dict)
    judged = result.judged
    group = judged.groups["category"]
    assert told["category"]
    for word, figures in told["category"].items():
        rows = group.codes == group.words.index(word)
        segment = Segment.from_json(figures)
        y, model, prior = judged.y[rows], judged.p["model"][rows], judged.p["shipped_prior"][rows]
        loss = [-np.mean(np.log(np.where(y == 1.0, p, 1.0 - p))) for p in (prior, model)]
        assert segment.rows == rows.sum() >= MIN_ROWS
        assert segment.gap[0] == pytest.approx(np.mean(y - model), abs=1e-5)
        assert segment.gain[0] == pytest.approx(loss[0] - loss[1], abs=1e-5)
        assert segment.gap[1] < segment.gap[0] < segment.gap[2]


def test_a_model_that_is_wrong_by_a_tenth_is_told_to_be_off_and_one_that_is_right_is_not(
    result: TrainingResult,
) -> None:
    rng, judged = np.random.default_rng(5), result.judged
    rows = len(judged.y)
    right = rng.uniform(0.2, 0.6, rows)
    y = (rng.uniform(size=rows) < right).astype(np.float64)
    nobody = Group(np.full(rows, -1), ())
    everything = Group(np.zeros(rows, dtype=np.int64), ("DE",))
    for shift, off in ((0.0, False), (0.25, True)):
        p = {**judged.p, "model": np.clip(right + shift, 0.01, 0.99), "shipped_prior": right}
        bent = replace(judged, y=y, p=p, groups={**judged.groups, "market": everything})
        told = judged_segments(bent, nobody, 200, 1)
        assert Segment.from_json(told["market"]["DE"]).is_off is off
        assert told["issuer"] == {}


def test_the_artifact_answers_its_own_examples_on_either_engine_and_no_others(
    result: TrainingResult, tmp_path: Path
) -> None:
    facts = result.artifact.facts
    for folding in (True, False):
        check_worked(BoostedScorer(result.artifact, folding=folding))
    told = facts["worked"]
    assert isinstance(told, dict)
    assert len(told["rows"]) == WORKED_ROWS
    assert Reliance.from_facts(facts).learnt_until is not None
    wrong = {**told, "probability": [p + 1e-6 for p in told["probability"]]}
    write_artifact(replace(result.artifact, facts={**facts, "worked": wrong}), tmp_path / "wrong")
    with pytest.raises(InputError, match="worked example 1 has a chance of"):
        read_scorer(tmp_path / "wrong")
    write_artifact(replace(result.artifact, facts={**facts, "worked": {"rows": 1}}), tmp_path / "none")
    with pytest.raises(InputError, match="worked must hold"):
        read_scorer(tmp_path / "none")
