"""The prior of a few rows, from what `features.few` says of them: the same figures as `model.prior_rows`."""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_DAY
from features.table import CATEGORIES, RETRYABILITIES
from features.vocabulary import TECHNICAL, DeclineCategory, Rail
from model.prior_table import HIGHEST, LOWEST, NO_USE_UNCHANGED, UNTRIED, Bands, PriorTable, shipped_table

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_UNKNOWN = CATEGORIES.index(DeclineCategory.UNKNOWN)
_PROCESSING = CATEGORIES.index(DeclineCategory.PROCESSING_ERROR)


class Figures(NamedTuple):
    """A table of the prior as arrays, the last category being `untried`.

    Args:
        weight: Pseudo-counts by category.
        mean: Log-odds by category and rail.
        edges, shift: Of the waiting curve of each category, the edges filled up with infinity.
        technical, no_use: Whether a category is a technical one; whether a retryability says that nothing changes.
        money: Place of the category that paydays help.
    """

    weight: Floats
    mean: Floats
    edges: Floats
    shift: Floats
    technical: Flags
    no_use: Flags
    money: int
    hour_edges: Floats
    hour_shift: Floats
    payday_edges: Floats
    payday_shift: Floats
    before_days: float
    before_shift: float
    declined_retry: float
    declined_retries_at_most: float
    no_use_unchanged: float
    bank_holiday: float
    other_processor_technical: float
    other_processor: float
    approved_lately: float
    approved_within: float


@dataclass(frozen=True, slots=True)
class FewPrior:
    """The prior of one table; `facts` are as `features.few.framed.Framed` holds them, shape (rows, len(Fact))."""

    table: PriorTable
    _figures: Figures = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_figures", figures_of(self.table))

    def __call__(self, facts: Floats) -> tuple[Floats, Floats]:
        """(log-odds of approval, pseudo-count that they are worth) of each row, each of shape (rows,)."""
        from features.compiled import plain  # loads the compiler, which whoever starts workers does without
        from model.prior_kernel import add_up, categories

        category = categories(facts, len(self._figures.weight) - 1, _UNKNOWN, _PROCESSING)
        return add_up(facts, category, plain(self._figures)), self._figures.weight[category]


def prior_logits_of(facts: Floats) -> Floats:
    """Log-odds of approval of each row by the shipped prior, within its own limits, shape (rows,)."""
    return np.clip(_shipped()(facts)[0], _logit(LOWEST), _logit(HIGHEST))


@cache
def _shipped() -> FewPrior:
    return FewPrior(shipped_table())


def figures_of(table: PriorTable) -> Figures:
    """The table as arrays."""
    names = (*map(str, CATEGORIES), UNTRIED)
    waiting = [table.waiting[table.approval[name].waiting] for name in names]
    edges, shift = _filled(waiting)
    circumstances = table.circumstances
    before_days, before_shift = table.before_payday
    hour, payday = table.hour, table.after_payday
    return Figures(
        weight=np.array([table.approval[name].weight for name in names]),
        mean=np.array([[_logit(table.approval[name].mean(rail)) for rail in Rail] for name in names]),
        edges=edges,
        shift=shift,
        technical=np.array([*(category in TECHNICAL for category in CATEGORIES), False]),
        no_use=np.array([*(word in NO_USE_UNCHANGED for word in RETRYABILITIES), False]),
        money=CATEGORIES.index(DeclineCategory.INSUFFICIENT_FUNDS),
        hour_edges=np.array(hour.edges, dtype=np.float64),
        hour_shift=np.array(hour.shift, dtype=np.float64),
        payday_edges=np.array(payday.edges, dtype=np.float64),
        payday_shift=np.array(payday.shift, dtype=np.float64),
        before_days=before_days,
        before_shift=before_shift,
        declined_retry=circumstances.declined_retry,
        declined_retries_at_most=circumstances.declined_retries_at_most,
        no_use_unchanged=circumstances.no_use_unchanged,
        bank_holiday=circumstances.bank_holiday,
        other_processor_technical=circumstances.other_processor_technical,
        other_processor=circumstances.other_processor,
        approved_lately=circumstances.approved_lately,
        approved_within=float(int(circumstances.approved_lately_days * MICROS_PER_DAY)),
    )


def _filled(curves: list[Bands]) -> tuple[Floats, Floats]:
    width = max(len(curve.edges) for curve in curves)
    edges, shift = np.full((len(curves), width), np.inf), np.zeros((len(curves), width + 1))
    for i, curve in enumerate(curves):
        edges[i, : len(curve.edges)] = curve.edges
        shift[i, : len(curve.shift)] = curve.shift
    return edges, shift


def _logit(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))
