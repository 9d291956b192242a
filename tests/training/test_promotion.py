"""A model is promoted for the money its policy makes, and every missing condition refuses it by name."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.resamples import Estimate
from features.errors import InputError
from policy_evidence import GOOD
from training.evidence import Difference, PolicyEvidence, SliceDifference, read_evidence
from training.promotion import Candidate, judge_promotion

CANDIDATE = Candidate("new", passed_gate=True, slope=1.02)


def failed(candidate: Candidate, incumbent: str | None, evidence: PolicyEvidence | None) -> list[str]:
    return [check.name for check in judge_promotion(candidate, incumbent, evidence).checks if not check.passed]


def test_a_model_whose_policy_beats_champion_and_schedule_is_promoted_with_its_figures() -> None:
    verdict = judge_promotion(CANDIDATE, "old", GOOD)
    assert verdict.passed
    told = " ".join(check.sentence for check in verdict.checks)
    assert "0.4 EUR a failed payment above the champion old" in told
    assert "category do_not_honor: recovered share -2.0%" in told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: replace(e, incumbent=Difference("old", Estimate(0.4, -0.01, 0.7))), "beats the champion"),
        (lambda e: replace(e, best_baseline=Difference("x", Estimate(0.1, 0.0, 0.2))), "beats the best baseline"),
        (lambda e: replace(e, incumbent=Difference("older", Estimate(0.4, 0.1, 0.7))), "incumbent"),
        (lambda e: replace(e, incumbent=None), "incumbent"),
        (lambda e: replace(e, model_version="another"), "evaluated model"),
        (lambda e: replace(e, breaches=1), "caps"),
        (lambda e: replace(e, slices=()), "slices"),
        (
            lambda e: replace(e, slices=(*e.slices, SliceDifference("market", "US", Estimate(-0.03, -0.05, -0.011)))),
            "slices",
        ),
    ],
)
def test_each_condition_that_does_not_hold_refuses_by_name(
    change: Callable[[PolicyEvidence], PolicyEvidence], reason: str
) -> None:
    assert failed(CANDIDATE, "old", change(GOOD)) == [reason]


@pytest.mark.parametrize("slope", [0.89, 1.11, None])
def test_a_slope_outside_its_bounds_refuses(slope: float | None) -> None:
    assert failed(replace(CANDIDATE, slope=slope), "old", GOOD) == ["calibration slope"]


def test_without_an_evaluation_only_a_registry_without_a_champion_takes_the_model() -> None:
    assert failed(CANDIDATE, None, None) == []
    assert failed(replace(CANDIDATE, passed_gate=False), None, None) == ["model gate"]
    assert failed(CANDIDATE, "old", None) == ["policy"]


def report() -> dict[str, object]:
    def three(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.1, "high": value + 0.1}

    return {
        "promotion": {
            "model_version": "new",
            "unit": "EUR a failed payment",
            "incumbent": {"name": "old", "net_value": three(0.4)},
            "best_baseline": {"name": "best-fixed", "net_value": three(1.2)},
            "breaches": 0,
            "slices": [{"by": "market", "word": "DE", "recovered": three(0.02)}],
        }
    }


def test_the_report_is_read_as_it_is_documented(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(report()))
    evidence = read_evidence(path)
    assert evidence.incumbent == Difference("old", Estimate(0.4, 0.4 - 0.1, 0.4 + 0.1))
    assert evidence.slices[0].word == "DE"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("no json", "is not JSON"),
        ("[]", "the report must be an object"),
        ("{}", "promotion is missing"),
        (json.dumps(report()).replace('"breaches": 0', '"breaches": -1'), "promotion.breaches: -1"),
        (json.dumps(report()).replace('"unit"', '"units"'), "promotion.unit is missing"),
        (json.dumps(report()).replace('"word": "DE"', '"word": 7'), r"promotion.slices\[0\].word: 7"),
        (json.dumps(report()).replace('"low": 0.3', '"low": 9'), "interval that rises"),
    ],
)
def test_a_report_that_does_not_hold_the_evidence_is_refused_by_the_part(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(InputError, match=fault):
        read_evidence(path)
    with pytest.raises(InputError, match="no such file"):
        read_evidence(tmp_path / "nowhere.json")
