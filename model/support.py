"""What a history can tell of repeating an attempt, and what is assumed beyond it.

Trees answer flatly beyond the rows they grew from, and a plan that maximises over many retries goes where they promise
too much. Two such edges are known, and each chance beyond one is lowered by what the history itself shows:

- too soon: the same account asked again sooner than the history ever did. At once nothing has changed, so the same
  answer comes; time can only bring changes, the likely ones first, so the chance rises from nothing at a falling rate.
  Then it is at least on the straight line from nothing at once to the model's own chance at the shortest gap known
  (`gap_hours`), and that line is what is planned with.
- too often: after more attempts than the history holds. Each further one lowers the log-odds by as much as one more
  attempt did within the history (`drop`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.columns import COLUMNS
from features.errors import InputError
from features.table import CATEGORIES
from features.vocabulary import DeclineCategory

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Matrix = NDArray[np.float32]

ANY = "any"
"""The gap that holds after a category that has none of its own."""

_NUMBERS = ("attempts", "drop")
_PLACE = {column.name: i for i, column in enumerate(COLUMNS)}
COLUMNS_READ = (
    _PLACE["decline_category"],
    _PLACE["hours_since_last_attempt"],
    _PLACE["attempts_before"],
    _PLACE["same_method"],
    _PLACE["same_processor"],
)
"""Their places."""
_PROCESSOR_S_OWN = CATEGORIES.index(DeclineCategory.PROCESSING_ERROR)


@dataclass(frozen=True, slots=True)
class Support:
    """How far a history reaches.

    Args:
        gap_hours: Shortest gap known after each decline category, in hours; `any` for the rest.
        attempts: Most attempts of a payment, the first included, after which the history holds another.
        drop: By how much one more attempt lowers the log-odds beyond that, zero or more.
    """

    gap_hours: Mapping[str, float]
    attempts: float
    drop: float
    _known_gaps: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The shortest gap known by the number of the category, and of the one that is not known at the end."""
        other = self.gap_hours.get(ANY, 0.0)
        known = np.array([*(self.gap_hours.get(str(word), other) for word in CATEGORIES), other])
        object.__setattr__(self, "_known_gaps", known)

    def beyond(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """(by how much the log-odds of each row are to be lowered, share of the chance that is left to it), shape (n,).

        Both are nothing to a row that the history knows: 0 and 1.
        """
        from model.support_kernel import beyond  # loads the compiler, which whoever starts workers does without

        rows = np.ascontiguousarray(matrix, dtype=np.float32)
        return beyond(rows, COLUMNS_READ, self._known_gaps, float(self.attempts), float(self.drop), _PROCESSOR_S_OWN)

    def to_json(self) -> dict[str, float | dict[str, float]]:
        """As it stands in `model.json`."""
        return {"gap_hours": dict(self.gap_hours), "attempts": self.attempts, "drop": self.drop}

    @classmethod
    def from_json(cls, value: object) -> "Support":
        """What `to_json` wrote; a model without it is taken at its word everywhere.

        Raises:
            InputError: The numbers are missing or not what they may be.
        """
        if value is None:
            return UNBOUNDED
        stated = value if isinstance(value, Mapping) else {}
        gaps = stated.get("gap_hours")
        numbers = [stated.get(name) for name in _NUMBERS]
        if not isinstance(gaps, Mapping) or not all(_at_least_zero(n) for n in (*gaps.values(), *numbers)):
            raise InputError("model.json: support must hold gap_hours, attempts and drop, all zero or more")
        return cls({str(word): float(gap) for word, gap in gaps.items()}, *(float(stated[name]) for name in _NUMBERS))


UNBOUNDED = Support({}, 0.0, 0.0)
"""Nothing is lowered."""


def category_of(matrix: Matrix) -> Int64s:
    """The decline category of each row of a matrix of this version's columns, -1 for not known, shape (n,)."""
    category = matrix[:, _PLACE["decline_category"]]
    return np.where(category >= 0.0, category, -1.0).astype(np.int64)


def is_repeat(matrix: Matrix) -> Flags:
    """Whether each row asks the same account again about the same cause.

    A fault of the processor is not met again through another one; every other cause goes with the method.
    """
    same_method, same_processor = matrix[:, _PLACE["same_method"]] == 1.0, matrix[:, _PLACE["same_processor"]] == 1.0
    repeat: Flags = same_method & (same_processor | (matrix[:, _PLACE["decline_category"]] != _PROCESSOR_S_OWN))
    return repeat


def hours_since(matrix: Matrix) -> Floats:
    """Hours from the payment's latest attempt to each row's, shape (n,)."""
    return matrix[:, _PLACE["hours_since_last_attempt"]].astype(np.float64)


def attempts_before(matrix: Matrix) -> Floats:
    """Attempts of the payment before each row's, shape (n,)."""
    return matrix[:, _PLACE["attempts_before"]].astype(np.float64)


def _at_least_zero(number: object) -> bool:
    return isinstance(number, int | float) and bool(np.isfinite(number)) and number >= 0
