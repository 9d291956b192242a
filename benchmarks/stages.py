"""One stage of the line a process, so that each has a peak memory of its own: `python -m benchmarks.stages NAME …`."""

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def export_csv(history: str, out: str) -> dict[str, float]:
    """Write the history as a merchant's export would look: CSV."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    pa_csv.write_csv(pq.read_table(history), out)
    return {"bytes": float(Path(out).stat().st_size)}


def read_csv(export: str) -> dict[str, float]:
    """Yardstick of the import: a bare pass of the standard library's csv reader over the same file."""
    with Path(export).open(newline="", encoding="utf-8") as lines:
        return {"rows": float(sum(1 for _ in csv.reader(lines)) - 1)}


def features(history: str) -> dict[str, float]:
    """Load a history, learn the encoders and compute every column of every retry."""
    from features.encoders import learn
    from features.frame import frame
    from features.rows import rows_of_history
    from training.load import load_history

    began = time.perf_counter()
    table = load_history(Path(history)).table
    loaded = time.perf_counter()
    rows = rows_of_history(table)
    matrix = frame(rows, learn(table))
    done = time.perf_counter()
    return {
        "attempts": float(len(table)),
        "rows": float(matrix.shape[0]),
        "columns": float(matrix.shape[1]),
        "load_seconds": loaded - began,
        "feature_seconds": done - loaded,
    }


def fit(history: str) -> dict[str, float]:
    """The whole default training without MLflow: labels, split, bag of boosters, calibration, refit, evaluation."""
    from training.config import TrainingConfig
    from training.pipeline import train

    result = train(TrainingConfig(history=Path(history)))
    return {"rows": float(len(result.dataset)), "trees": float(result.bag.trees)}


STAGES: dict[str, Callable[..., dict[str, float]]] = {
    "export_csv": export_csv,
    "read_csv": read_csv,
    "features": features,
    "fit": fit,
}

if __name__ == "__main__":
    print(json.dumps(STAGES[sys.argv[1]](*sys.argv[2:])))
