"""What `benchmarks.http` measured, for docs/benchmarks.md; by itself: `python -m benchmarks.http_page FIGURES`."""

import json
import sys
from pathlib import Path

Spread = dict[str, float]
Figures = dict[str, dict[str, Spread | float]]

_RATIOS = ("throughput_ratio", "p50_to_no_op", "p50_to_predict", "p99_to_p50", "processor_ratio")


def http_lines(figures: Figures) -> list[str]:
    """The section on requests."""
    shapes = {name: shape for name, shape in figures.items() if "throughput_ratio" in shape}
    memory = figures["memory_mib"]
    return [
        "## Decisions over HTTP, two workers, ledger on SQLite, explained",
        "",
        "The no-op address of the same service reads and checks the same request and decides nothing; `predict` is",
        "LightGBM alone on the decision's rows, one thread. They take turns; median of the rounds (lowest to highest).",
        "Printed by `python -m benchmarks.http HISTORY ARTIFACT`.",
        "",
        "Ratios to the no-op: rates at sixteen connections, medians and processor time at one.",
        "",
        "| | actions | decisions / s | no-ops / s | rates | p50 | p50 / predict | p99 / p50 | processor time |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(name, shape) for name, shape in shapes.items()),
        "",
        f"A worker holds {_middle(memory['worker_rss'])} MiB;",
        f"{_middle(memory['worker_pss'])} MiB where pages that several processes share are shared out.",
    ]


def start_lines(figures: dict[str, dict[str, Spread]]) -> list[str]:
    """The section on the start."""
    rows = (
        (name, *(f"{_middle(value[kind])} ({_range(value[kind])})" for kind in ("clock", "processor")))
        for name, value in figures.items()
    )
    return [
        "## From the command to ready, 500 trees × 47 leaves, SQLite",
        "",
        "`recoup serve --model` until `/ready` first answers 200; median of five starts (lowest to highest).",
        "Printed by `python -m benchmarks.start HISTORY ARTIFACT`.",
        "",
        "| | seconds by the clock | of the processor, all processes |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def batch_lines(figures: dict[str, dict[str, Spread | float]]) -> list[str]:
    """The section on streams beside single calls."""
    return [
        "## Streams of decisions beside single calls",
        "",
        "Short decisions by the shipped prior, two workers, so that what a call costs shows. Printed by",
        "`python -m benchmarks.batch`.",
        "",
        "| | decisions / s |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {_middle(rate)} |" for name, rate in figures["per_second"].items()),
        "",
        "| | ratio | lowest to highest |",
        "|---|---|---|",
        *(f"| {name.replace('_', ' ')} | {_middle(r)} | {_range(r)} |" for name, r in figures["ratios"].items()),
    ]


def _row(name: str, shape: dict[str, Spread | float]) -> str:
    rates = (_middle(shape[rate]) for rate in ("actions", "decisions_per_second", "no_ops_per_second"))
    ratios = (f"{_middle(shape[ratio])} ({_range(shape[ratio])})" for ratio in _RATIOS)
    return f"| {' | '.join((name, *rates, *ratios))} |"


def _middle(value: Spread | float) -> str:
    return _figure(value["median"] if isinstance(value, dict) else value)


def _range(value: Spread | float) -> str:
    ends = (value["lowest"], value["highest"]) if isinstance(value, dict) else (value, value)
    return " to ".join(map(_figure, ends))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    print("\n".join(http_lines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
