"""What `recoup evaluate` writes is what `recoup promote` reads: real reports go through the real gate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from experiments.recorded_world import Recorded, RecordedWorld
from features.action import Retry
from features.context import Context
from features.table import Asked
from model.artifact import to_text
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.prior import PriorScorer
from model.scorer import Scorer, Scores, ScoreSource
from replay_builders import HORIZON, monthly_log
from training.evidence import PolicyEvidence, read_evidence
from training.promotion import Candidate, judge_promotion
from training.trial.lineup import BASELINES, wanted_policies
from training.trial.runs import Terms, recorded_world, replayed

PAYMENTS = 60
TERMS = Terms(
    Rulebook.load(),
    Economics.default(),
    most=(1,),
    horizon_days=HORIZON,
    wanted=wanted_policies(sorted(BASELINES)),
    resamples=100,
)
LOG, OUTCOMES = monthly_log(PAYMENTS, seed=5)


@dataclass(frozen=True, slots=True)
class Foresight:
    """A model that knows how likely each day is to be the right one.

    Args:
        sure: Its chance for a day that clears; the other days have what is left to one.
    """

    sure: float
    version: str
    source: ScoreSource = "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """By the local day of each retry."""
        clears = OUTCOMES[context.payment.payment_id]
        failed_on = context.own_attempts[0].at.date()
        days = [((retry.slot.start + timedelta(hours=2)).date() - failed_on).days for retry in retries]
        p = np.array([self.sure if clears[day - 1] == "1" else 1.0 - self.sure for day in days])
        return Scores(p, p, p, self.version, self.source)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts."""
        return tuple(self.score(context, retries) for context, retries in asked)


GOOD, VAGUE, WRONG = Foresight(0.95, "good"), Foresight(0.5, "vague"), Foresight(0.05, "wrong")


@pytest.fixture(scope="module")
def world() -> RecordedWorld:
    return recorded_world(LOG, {payment: Recorded(clears) for payment, clears in OUTCOMES.items()}, HORIZON)


def judged(world: RecordedWorld, scorer: Scorer, champion: Scorer | None, terms: Terms, folder: Path) -> PolicyEvidence:
    """The evidence in a report as it is written and read again."""
    report = replayed(world, list(world.failures()), LOG, scorer, "some payments", terms, quiet, champion=champion)
    path = folder / "evaluation.json"
    path.write_text(to_text(dict(report.data)), encoding="utf-8")
    return read_evidence(path)


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def refused(evidence: PolicyEvidence, version: str, incumbent: str | None) -> list[str]:
    verdict = judge_promotion(Candidate(version, passed_gate=True, slope=1.0), incumbent, evidence)
    return [check.name for check in verdict.checks if not check.passed]


def test_a_model_that_knows_more_than_champion_and_baselines_is_promoted(world: RecordedWorld, tmp_path: Path) -> None:
    evidence = judged(world, GOOD, VAGUE, TERMS, tmp_path)
    assert refused(evidence, "good", "vague") == []
    assert evidence.unit == "EUR a failed payment"
    assert evidence.breaches == 0
    assert evidence.best_baseline.name in BASELINES
    assert {(one.by, one.word) for one in evidence.slices} == {("market", "GB"), ("category", "insufficient_funds")}
    assert refused(evidence, "another", "older") == ["evaluated model", "incumbent"]


def test_a_model_that_is_wrong_about_days_is_refused_by_money_and_slices(world: RecordedWorld, tmp_path: Path) -> None:
    evidence = judged(world, WRONG, GOOD, TERMS, tmp_path)
    assert refused(evidence, "wrong", "good") == ["beats the champion", "beats the best baseline", "slices"]


def test_a_model_as_good_as_the_champion_waits(world: RecordedWorld, tmp_path: Path) -> None:
    evidence = judged(world, GOOD, Foresight(0.95, "twin"), TERMS, tmp_path)
    assert refused(evidence, "good", "twin") == ["beats the champion"]


def test_without_rules_no_breach_could_be_seen(world: RecordedWorld, tmp_path: Path) -> None:
    free = judged(world, GOOD, None, replace(TERMS, rulebook=Rulebook(())), tmp_path)
    assert free.breaches is None
    assert refused(free, "good", None) == ["caps"]


def test_there_is_no_evidence_without_every_baseline_or_without_a_model(world: RecordedWorld) -> None:
    few = list(world.failures())[:10]
    some = replace(TERMS, wanted=wanted_policies(["best-fixed"]))
    for scorer, terms in ((GOOD, some), (PriorScorer(), TERMS)):
        assert "promotion" not in replayed(world, few, LOG, scorer, "few", terms, quiet).data
