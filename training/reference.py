"""How columns and scores were distributed when a model was judged, kept in its artifact, and how far they have moved.

The distance is the population stability index, Σ (q - p) ln(q / p) over bins. That 0.1 is worth a look and 0.25 a
shift is credit scoring's usage (Siddiqi 2006, Credit Risk Scorecards). Without any shift the index is not zero: with n
rows in the reference and m now, index / (1/n + 1/m) follows a χ² distribution of bins - 1 degrees of freedom (Yurdakul
& Naranjo 2020, Journal of Risk Model Validation 14(4)); an alarm asks for more than that noise as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from features.errors import InputError

Values = NDArray[np.floating]
Floats = NDArray[np.float64]

WORTH_A_LOOK, SHIFTED = 0.1, 0.25
_BINS = 10
_MOST_CODES = 20
_NOISE = 0.999  # quantile of the index under no shift that an alarm must exceed: dozens of columns are looked at


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of rows by bin.

    Args:
        edges: Rising; bin i holds values in [edge i - 1, edge i), the last is unbounded. For a category, its codes.
        share: Of each bin, and last that of rows without a value, shape (bins + 1,).
        is_category: Whether edges are codes, of which the bin before the last gathers all others.
    """

    edges: tuple[float, ...]
    share: tuple[float, ...]
    is_category: bool

    def shares_of(self, values: Values) -> Floats:
        """The shares of other values by the same bins."""
        known = values[~np.isnan(values)].astype(np.float64)
        edges = np.array(self.edges)
        if self.is_category:
            place = np.searchsorted(edges, known)
            found = np.append(edges, np.nan)[place] == known
            place = np.where(found, place, len(edges))
        else:
            place = np.searchsorted(edges, known, side="right")
        counts = np.bincount(place, minlength=len(edges) + 1)
        return np.append(counts, len(values) - len(known)) / max(len(values), 1)

    def to_json(self) -> dict[str, object]:
        """As it stands in `model.json`."""
        return {"edges": list(self.edges), "share": list(self.share), "category": self.is_category}


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column, or the score, has moved.

    Args:
        index: Population stability index.
        noise: What the index would hardly exceed without a shift.
    """

    name: str
    index: float
    noise: float

    @property
    def is_shift(self) -> bool:
        """Whether the move is large and more than noise."""
        return self.index >= SHIFTED and self.index > self.noise


def distribution_of(values: Values, *, is_category: bool = False) -> Distribution:
    """Tenths of the known values, or the twenty commonest codes; shape of values (n,), NaN for not known."""
    known = values[~np.isnan(values)].astype(np.float64)
    if is_category:
        codes, counts = np.unique(known, return_counts=True)
        edges = np.sort(codes[np.argsort(-counts, kind="stable")[:_MOST_CODES]])
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if known.size else np.empty(0)
    empty = Distribution(tuple(map(float, edges)), (), is_category)
    return Distribution(empty.edges, tuple(round(float(share), 9) for share in empty.shares_of(values)), is_category)


def drift_of(name: str, reference: Distribution, rows: int, values: Values) -> Drift:
    """The index of values now against the reference; empty bins count as half a row.

    Args:
        rows: In the reference.
        values: Now, shape (m,), m > 0.
    """
    floor = 0.5 / min(rows, len(values))
    p, q = np.maximum(reference.share, floor), np.maximum(reference.shares_of(values), floor)
    p, q = p / p.sum(), q / q.sum()
    freedom = max(1, int(np.sum((p > floor) | (q > floor))) - 1)
    noise = float(chi2.ppf(_NOISE, freedom)) * (1.0 / rows + 1.0 / len(values))
    return Drift(name, float(np.sum((q - p) * np.log(q / p))), noise)


def references(matrix: Values, names: Sequence[str], categories: Sequence[bool]) -> dict[str, object]:
    """The distribution of every column as JSON values; matrix of shape (n, columns)."""
    each = zip(names, categories, strict=True)
    return {
        name: distribution_of(matrix[:, i], is_category=category).to_json() for i, (name, category) in enumerate(each)
    }


def from_json(value: object, name: str) -> Distribution:
    """The distribution those JSON values describe.

    Raises:
        InputError: Something is missing or not what it must be.
    """
    if isinstance(value, Mapping):
        edges, share = value.get("edges"), value.get("share")
        if isinstance(edges, list) and isinstance(share, list) and len(share) == len(edges) + 2:
            return Distribution(tuple(map(float, edges)), tuple(map(float, share)), value.get("category") is True)
    raise InputError(f"model.json: reference.{name} must hold edges, and a share for each bin and for the unknown")
