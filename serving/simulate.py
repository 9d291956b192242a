"""Write a simulated world to a folder: the history a merchant would have, and apart from it the truth."""

import json
import shutil
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from experiments.simulator.generate import Generated
from experiments.simulator.history_table import history_table
from experiments.simulator.truth import TABLES, WARNING, Truth, read_truth, settings_json, truth_tables
from experiments.simulator.world import SimulatedWorld
from features.errors import InputError

HISTORY = "history.parquet"
TRUTH = "truth"
_ROW_GROUP = 131_072


def write_world(made: Generated, out: Path) -> int:
    """Write `history.parquet` and `truth/` into the folder, replacing what a former run wrote; the rows written.

    Everything is written beside the folder first and moved into place once complete.

    Raises:
        InputError: The folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".simulate-", dir=out) as part:
            rows = _write(made, Path(part))
            shutil.rmtree(out / TRUTH, ignore_errors=True)
            (Path(part) / TRUTH).replace(out / TRUTH)
            (Path(part) / HISTORY).replace(out / HISTORY)
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror or error})") from None
    return rows


def world_of(made: Generated) -> SimulatedWorld:
    """The world that was made, without writing it."""
    return SimulatedWorld(Truth(made.hidden, made.failures), history_table(made.hidden, made.journal))


def read_world(folder: Path) -> SimulatedWorld:
    """The world that `write_world` wrote.

    Raises:
        InputError: A file is missing or is not what it should be.
    """
    truth = _read_truth(folder / TRUTH)
    history = folder / HISTORY
    try:
        return SimulatedWorld(truth, pq.read_table(history))
    except (OSError, ValueError) as error:
        raise InputError(f"{history}: cannot be read ({error})") from None


def _write(made: Generated, part: Path) -> int:
    table = history_table(made.hidden, made.journal)
    pq.write_table(table, part / HISTORY, compression="zstd", row_group_size=_ROW_GROUP)
    truth = part / TRUTH
    truth.mkdir()
    (truth / "README.txt").write_text(WARNING, encoding="utf-8")
    (truth / "settings.json").write_text(json.dumps(settings_json(made.settings), indent=2) + "\n", encoding="utf-8")
    for name, values in truth_tables(made).items():
        pq.write_table(values, truth / f"{name}.parquet", compression="zstd")
    return int(table.num_rows)


def _read_truth(folder: Path) -> Truth:
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: is not the truth of a simulated world ({error})") from None
    if not isinstance(settings, dict):
        raise InputError(f"{folder}/settings.json: expected an object")
    return read_truth(settings, tables)
