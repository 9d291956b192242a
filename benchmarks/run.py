"""Measure the line end to end and write docs/benchmarks.md: `make bench`, or `python -m benchmarks.run --attempts N`.

Every figure comes from one run on one machine; compare the ratios, not the seconds.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.http_page import Figures, Spread, batch_lines, http_lines, start_lines

ROOT = Path(__file__).parents[1]
WORK = ROOT / ".recoup" / "bench"
RECOUP = Path(sys.executable).with_name("recoup")
LIBRARIES = ("numpy", "pyarrow", "lightgbm", "numba", "scikit-learn", "mlflow", "fastapi")


Scoring = dict[str, float | dict[str, float]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One stage as a process of its own.

    Args:
        seconds: Wall time.
        peak_mib: Peak resident memory of the process and those it started, MiB.
        figures: What the stage printed of itself.
    """

    name: str
    seconds: float
    peak_mib: float
    figures: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Run every stage and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    asked = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    stages = _measure(asked.attempts)
    requests = [*http_lines(_http()), "", *_start_lines(), "", *_batch()]
    decisions, plan, scoring = _decisions(), _plan(), _scoring()
    asked.out.write_text(_page(asked.attempts, stages, decisions, plan, scoring, requests), encoding="utf-8")
    print(f"wrote {asked.out}")


def _measure(attempts: int) -> list[Measured]:
    history, export, imported = WORK / "sim" / "history.parquet", WORK / "export.csv", WORK / "history.parquet"
    return [
        _process("simulate", RECOUP, "simulate", "--out", WORK / "sim", "--attempts", attempts),
        _stage("export_csv", history, export),
        _stage("read_csv", export),
        _process("import", RECOUP, "import", export, "--out", imported),
        _stage("features", imported),
        _stage("fit", imported),
        _process(
            "train", RECOUP, "train", "--history", imported, RECOUP_HOME=str(WORK / "home"), MLFLOW_TRACKING_URI=None
        ),
    ]


def _decisions() -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = json.loads(_of_artifact("benchmarks.decision"))
    return figures


def _plan() -> dict[str, float]:
    figures: dict[str, float] = json.loads(_of_artifact("benchmarks.planning"))
    return figures


def _scoring() -> Scoring:
    figures: Scoring = json.loads(_of_artifact("benchmarks.scoring", WORK / "history.parquet"))
    return figures


def _http() -> Figures:
    figures: Figures = json.loads(_of_artifact("benchmarks.http", WORK / "history.parquet"))
    return figures


def _batch() -> list[str]:
    command = [sys.executable, "-m", "benchmarks.batch"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return batch_lines(json.loads(printed))


def _start_lines() -> list[str]:
    figures: dict[str, dict[str, Spread]] = json.loads(_of_artifact("benchmarks.start", WORK / "history.parquet"))
    return start_lines(figures)


def _of_artifact(module: str, *before: Path) -> str:
    """What a benchmark prints about the model of the training run."""
    folders = sorted((WORK / "home").rglob("booster_0.txt"))
    if not folders:
        sys.exit("the training run left no artifact; see its output above")
    command = [sys.executable, "-m", module, *map(str, before), str(folders[0].parent)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _stage(name: str, *arguments: Path) -> Measured:
    return _process(name, sys.executable, "-m", "benchmarks.stages", name, *arguments)


def _process(name: str, *command: object, **environment: str | None) -> Measured:
    variables = {k: v for k, v in (os.environ | environment).items() if v is not None}
    print(f"{name} …", flush=True)
    began = time.perf_counter()
    out = WORK / f"{name}.out"
    with out.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen([str(part) for part in command], cwd=ROOT, env=variables, stdout=sink)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} failed with exit code {process.returncode}: {out.read_text(encoding='utf-8')[-2000:]}")
    return Measured(name, time.perf_counter() - began, _mebibytes(used), _figures(out))


def _mebibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


def _figures(out: Path) -> dict[str, float]:
    lines = out.read_text(encoding="utf-8").splitlines()
    try:
        figures: dict[str, float] = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}
    return figures


def _page(
    attempts: int,
    stages: list[Measured],
    decisions: dict[str, dict[str, float]],
    plan: dict[str, float],
    scoring: Scoring,
    requests: list[str],
) -> str:
    by_name = {stage.name: stage for stage in stages}
    yardstick, features = by_name["read_csv"], by_name["features"].figures
    heaviest = max(stages, key=lambda stage: stage.peak_mib)
    took = (
        f"{features['rows']:,.0f} retries × {features['columns']:.0f} columns took "
        f"{features['feature_seconds']:.1f} s after {features['load_seconds']:.1f} s of loading."
    )
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; one run, one machine. Compare ratios, not seconds: they travel, seconds do not.",
        "",
        f"- {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "- " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "",
        f"## From export to model, {attempts:,} simulated attempts",
        "",
        "| stage | seconds | peak memory, MiB | against a bare pass of the csv reader |",
        "|---|---|---|---|",
        *(_stage_row(stage, yardstick) for stage in stages),
        "",
        took,
        f"Heaviest: {_TITLES[heaviest.name]}, {heaviest.peak_mib / 1024:.1f} GiB.",
        "",
        "## One decision, in process, one thread",
        "",
        "`predict` is LightGBM alone on the same rows; decisions are scored by the folded forest.",
        "",
        "| example | actions | decision, ms | columns, ms | predict, ms | decision / predict | by the prior, ms |",
        "|---|---|---|---|---|---|---|",
        *(_decision_row(name, figures) for name, figures in decisions.items()),
        "",
        *_scoring_lines(scoring),
        "",
        *requests,
        "",
        "## A plan for 60 days × 3 methods × 2 processors",
        "",
        _plan_words(plan),
        "",
    ]
    return "\n".join(lines)


def _scoring_lines(scoring: Scoring) -> list[str]:
    """The folded scorer beside LightGBM on the same rows, alone and within whole decisions."""
    ready, trained = (scoring[f"prepare_{name}"] for name in ("seconds", "trained_seconds"))
    tables = {key: figures for key, figures in scoring.items() if isinstance(figures, dict)}
    return [
        "## Folding the forest, one thread, 300 trees × 47 leaves",
        "",
        "Both engines took turns and gave the same bits; milliseconds of processor time, medians of 9 rounds.",
        "A decision's rows are its actions; it also asks about imagined declines, plans, and explains itself.",
        "",
        "| | rows | folded, ms | LightGBM, ms | LightGBM / folded | lowest to highest |",
        "|---|---|---|---|---|---|",
        *(_scoring_row(name, figures) for name, figures in tables.items()),
        "",
        f"Preparing it takes {ready:.2f} s, checked against LightGBM; preparing the trained model {trained:.2f} s.",
    ]


def _scoring_row(name: str, f: dict[str, float]) -> str:
    cells = (name, f"{f['rows']:,.0f}", f"{f['folded_ms']:.2f}", f"{f['lightgbm_ms']:.2f}", f"{f['ratio']:.1f}")
    return f"| {' | '.join(cells)} | {f['ratio_low']:.1f} to {f['ratio_high']:.1f} |"


def _plan_words(plan: dict[str, float]) -> str:
    return (
        f"Scoring its {plan['retries']:,.0f} retries once takes {plan['score_ms']:.0f} ms; planning over them, with "
        f"{plan['imagined']:,.0f} imagined ones scored, {plan['plan_ms']:.0f} ms: {plan['ratio']:.1f} scoring passes."
    )


def _stage_row(stage: Measured, yardstick: Measured) -> str:
    ratio = stage.seconds / yardstick.seconds
    return f"| {_TITLES[stage.name]} | {stage.seconds:.1f} | {stage.peak_mib:,.0f} | {ratio:.1f}× |"


def _decision_row(name: str, f: dict[str, float]) -> str:
    figures = (f["decide_ms"], f["features_ms"], f["predict_ms"], f["decide_ms"] / f["predict_ms"])
    cells = (name, f"{f['actions']:.0f}", *(f"{v:.1f}" for v in figures), f"{f['decide_with_prior_ms']:.1f}")
    return f"| {' | '.join(cells)} |"


_TITLES = {
    "simulate": "simulate (`recoup simulate`)",
    "export_csv": "write the CSV export",
    "read_csv": "bare pass of `csv.reader`",
    "import": "import (`recoup import`)",
    "features": "load, encoders and all columns",
    "fit": "whole training without MLflow",
    "train": "`recoup train`, registration included",
}

if __name__ == "__main__":
    main()
