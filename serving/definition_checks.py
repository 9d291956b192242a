"""What `recoup experiment check` looks at: files, rules, the version in force and the merchant's own history."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from experiments.cautions import Caution, cautions
from experiments.changes import breaking
from experiments.checking import Known
from experiments.definition import Definition
from experiments.fault import Fault
from experiments.metric_names import METRIC_NAMES
from features.errors import InputError
from serving.base_rates import history_span
from serving.definitions import faults_in, read_files
from serving.merchant_rules import merchant_rulebook
from serving.settings import Settings


def checked(
    files: Sequence[Path], settings: Settings, *, against: Path | None = None, history: pa.Table | None = None
) -> tuple[tuple[Fault, ...], tuple[Definition, ...]]:
    """(everything that is wrong, the definitions with nothing wrong).

    Raises:
        InputError: A file cannot be read, or is a folder without definitions.
    """
    reads = read_files(files)
    if not reads:
        raise InputError(f"{', '.join(map(str, files))}: no definition is there; expected files ending in .toml")
    days = None if history is None else history_span(history)
    faults = list(faults_in(reads, known_under(settings, days)))
    in_force = {
        one.definition.key: one.definition for one in (read_files([against]) if against else ()) if one.definition
    }
    for read in reads:
        before = in_force.get(read.definition.key) if read.definition else None
        if read.definition is not None and before is not None:
            faults += [fault for fault in breaking(before, read.definition, read.file) if not read.spoilt(fault.key)]
    bad = {fault.file for fault in faults}
    return tuple(faults), tuple(one.definition for one in reads if one.definition and one.file not in bad)


def to_know(files: Sequence[Path]) -> tuple[Caution, ...]:
    """What is no fault and yet to be known before the start, of every file.

    Raises:
        InputError: A file cannot be read.
    """
    return tuple(caution for read in read_files(files) for caution in cautions(read))


def known_under(settings: Settings, history_days: int | None = None) -> Known:
    """What definitions are held against: the merchant's rules, and the metrics there are.

    Raises:
        InputError: The settings of the rulebook cannot be used.
    """
    return Known(merchant_rulebook(settings), METRIC_NAMES, history_days=history_days)
