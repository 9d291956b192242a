"""What `recoup experiment check` looks at: files, rules, the version in force and the merchant's own history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from experiments.changes import breaking
from experiments.checking import Known
from experiments.definition import Definition
from experiments.fault import Fault
from experiments.metric_names import METRIC_NAMES
from features.errors import InputError
from serving.definitions import faults_in, read_files
from serving.merchant_rules import merchant_rulebook
from serving.settings import Settings

_COLUMNS = ("payment_id", "merchant_id", "customer_id", "attempted_at", "outcome", "amount_minor", "currency")


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
    known = Known(merchant_rulebook(settings), frozenset(METRIC_NAMES), history_days=days)
    faults = list(faults_in(reads, known))
    in_force = {
        one.definition.key: one.definition for one in (read_files([against]) if against else ()) if one.definition
    }
    for read in reads:
        before = in_force.get(read.definition.key) if read.definition else None
        if read.definition is not None and before is not None:
            faults += [fault for fault in breaking(before, read.definition, read.file) if not read.spoilt(fault.key)]
    bad = {fault.file for fault in faults}
    return tuple(faults), tuple(one.definition for one in reads if one.definition and one.file not in bad)


def history_of(path: Path) -> pa.Table:
    """The columns of an attempt history that base rates are made of.

    Raises:
        InputError: It is not there, or is no attempt history.
    """
    try:
        return pq.read_table(path, columns=list(_COLUMNS))
    except (OSError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as an attempt history: {reason}; recoup import makes one") from None


def history_span(history: pa.Table) -> int:
    """Whole days from the first attempt to the last."""
    if not len(history):
        return 0
    ends = pc.min_max(history["attempted_at"]).as_py()
    return int((ends["max"] - ends["min"]).days)


@dataclass(frozen=True, slots=True)
class BaseRate:
    """What the merchant's own history says about the primary figure of one window.

    Args:
        units: Customers with a failed payment whose window is over.
        per_week: New such customers a week.
        recovered: Share of the failed amount that came back within the window.
        deviation: Standard deviation of what one unit adds to that share, by the delta method.
    """

    window_days: int
    units: int
    per_week: float
    recovered: float
    deviation: float


def base_rate(history: pa.Table, window_days: int) -> BaseRate | None:
    """The rate at which failed amounts came back within the window; None where no unit is mature.

    A unit is a merchant's customer. Each payment that failed first is followed from its first failure, and counts where
    the history goes on for the whole window afterwards. With R and F a unit's recovered and failed amount, the share is
    r = ΣR / ΣF and one unit adds (R − r·F) / mean(F), whose standard deviation is given (Deng et al. 2018).
    """
    frame = history.to_pandas()
    frame["at"] = frame["attempted_at"]
    frame = frame.sort_values(["at"], kind="stable")
    failed = frame[frame["outcome"].isin(["declined", "error"])]
    paid = frame[frame["outcome"] == "approved"].drop_duplicates("payment_id")
    first = failed.drop_duplicates("payment_id").set_index("payment_id")
    paid_at = paid.set_index("payment_id")["at"].reindex(first.index)
    wait = (paid_at - first["at"]).dt.total_seconds() / 86_400.0
    first = first[~(wait < 0)]  # paid before it failed: not a recovery
    wait = wait.reindex(first.index)
    if not len(first):
        return None
    last: datetime = frame["at"].max()
    mature = (last - first["at"]).dt.total_seconds() / 86_400.0 >= window_days
    known = first[mature]
    if not len(known):
        return None
    amount = known["amount_minor"].to_numpy(dtype=np.float64)
    back = np.where(wait[mature].to_numpy() <= window_days, amount, 0.0)
    unit = known["merchant_id"].astype(str) + "\x1f" + known["customer_id"].astype(str)
    codes, names = unit.factorize()
    failed_sum, back_sum = np.bincount(codes, amount), np.bincount(codes, back)
    share = float(back_sum.sum() / failed_sum.sum())
    spread = float(np.std((back_sum - share * failed_sum) / failed_sum.mean()))
    began: datetime = known["at"].min()
    weeks = max((known["at"].max() - began).total_seconds() / (7 * 86_400.0), 1.0 / 7.0)
    return BaseRate(window_days, len(names), len(names) / weeks, share, spread)
