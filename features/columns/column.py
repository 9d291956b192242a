"""What a column is: one input of the model, computed by one small function, the same for training and serving.

A column reads what was known at the row's decision (`Rows`) and past approval rates (`Encoders`). Its docstring says
why it is there. Numbers are floats with NaN for "not known"; categories are integer codes with -1 for "not known".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.encoders import Encoders
from features.rows import Rows

Values = NDArray[np.float64] | NDArray[np.int64]
Kind = Literal["number", "category"]
About = Literal["context", "action"]
Monotone = Literal[-1, 0, 1]
Compute = Callable[[Rows, Encoders], Values]


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the model.

    Args:
        unit: What one step of the number means; `code` for categories.
        about: `context` if it is the same for every action of one decision, `action` if it may differ.
        monotone: +1 if P(approved) may only rise with it, -1 if only fall, 0 if free.
        why: What it is and why it is there, in a line.
    """

    name: str
    unit: str
    kind: Kind
    about: About
    monotone: Monotone
    compute: Compute

    @property
    def why(self) -> str:
        """The reason this column exists: the function's docstring."""
        return " ".join((self.compute.__doc__ or "").split())


def column(unit: str, about: About, *, kind: Kind = "number", monotone: Monotone = 0) -> Callable[[Compute], Column]:
    """Make a column of a function; it is called what the function is called."""

    def made(compute: Compute) -> Column:
        return Column(compute.__name__, unit, kind, about, monotone, compute)

    return made
