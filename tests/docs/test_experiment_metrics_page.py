"""The page of metrics is what the catalogue says."""

from pathlib import Path

from experiments.analysis.intervals import FEWEST
from experiments.analysis.verdict import Word
from experiments.metrics.catalogue import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "experiment-metrics.md").read_text(encoding="utf-8")


def test_every_metric_has_its_line_and_no_other_has_one() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert lines == [
        f"| `{one.name}` | {one.question} | {one.numerator} | {one.denominator} | {one.direction} |"
        for one in METRICS.values()
    ]


def test_every_verdict_is_explained() -> None:
    for word in Word:
        assert f"**{word}**" in PAGE
    assert f"Before {FEWEST} units" in PAGE
