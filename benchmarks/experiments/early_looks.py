"""Immature cohorts: two policies that recover the same by day 30, one at once and one about the payday."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.experiments.broken_splits import PLAN
from benchmarks.experiments.customers import draw
from benchmarks.experiments.facts import cohort, instant
from benchmarks.experiments.lines import Line, share
from benchmarks.experiments.peeking import peek
from experiments.analysis.analysis import analyse
from experiments.analysis.intervals import Tuning
from experiments.analysis.verdict import Word
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.maturity import Window

_WINDOW = Window(30)
_LOOK = 60


@dataclass(frozen=True, slots=True)
class Looked:
    """What so many experiments showed at day 60 of enrolment.

    Args:
        wrong_early, wrong_matured: How many named the slower policy a loser, with everybody and with the mature only.
        early, matured: Mean differences, where the truth is zero; `error` of the second.
    """

    experiments: int
    wrong_early: int
    wrong_matured: int
    early: float
    matured: float
    error: float


def early_looks(seed: int, experiments: int, units: int = 6_000) -> Looked:
    """Enrol over 60 days, look on the last of them by everybody's figure and by the report's."""
    rng = np.random.default_rng(seed)
    plan = replace(PLAN, window=_WINDOW, planned_units=units // 2)
    rows = []
    for _ in range(experiments):
        variant = (rng.random(units) < 0.5).astype(np.int64)
        exposed = np.sort(rng.uniform(0, _LOOK, units))
        delay = np.where(variant == 0, rng.uniform(1, 5, units), rng.uniform(15, 25, units))
        facts = cohort(draw(rng, units), variant, exposed, delay)
        shown = analyse(facts, plan, instant(_LOOK)).variants[0]
        both = peek(
            METRICS[PRIMARY],
            facts,
            _WINDOW,
            instant(_LOOK),
            ("treatment", "control"),
            Tuning(units),
            0.05,
        )
        if both.early is None or shown.primary is None:
            raise ValueError("the experiments are too small to look at")
        rows.append(
            (
                both.early.difference,
                shown.primary.difference,
                both.early.always.high < 0,
                shown.verdict.word in {Word.LOSES, Word.WINS, Word.READY},
            )
        )
    early, matured, wrong_early, wrong = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return Looked(
        experiments,
        int(wrong_early.sum()),
        int(wrong.sum()),
        float(early.mean()),
        float(matured.mean()),
        float(matured.std(ddof=1) / experiments**0.5),
    )


def lines(looked: Looked) -> list[Line]:
    """The lines of the table."""
    n, of = looked.experiments, f"{looked.experiments:,} experiments of 6,000 units, looked at on day 60 of enrolment"
    half = 1.96 * looked.error
    return [
        share("(why: immature units make the slower of two equal policies lose)", looked.wrong_early, n, of, 0.9, 1),
        share(
            "the report, mature units only, names a winner or loser: at most 5 %", looked.wrong_matured, n, of, 0, 0.05
        ),
        Line(
            "the report's difference is unbiased, the early one is not",
            f"{looked.matured:+.4f} ({looked.matured - half:+.4f} to {looked.matured + half:+.4f}), early "
            f"{looked.early:+.4f}; the truth is 0",
            of,
            abs(looked.matured) <= 3 * looked.error and looked.early < -0.05,
        ),
    ]
