"""What the loops make of rows: their columns, and facts beside them as the shipped prior reads them."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


class Fact(IntEnum):
    """The columns of the facts of rows; "the failure" is the payment's latest with the row's method.

    Args:
        CATEGORY, ERROR, RETRYABILITY: Of the failure; -1 for none (or none said), and whether it was an error.
        FAILURES: How often the payment failed with the method.
        HOURS: Since the failure; NaN for none.
        MOVED: Whether another processor is asked than at the failure.
        APPROVED: Microseconds from the method's latest approval, for any payment, to the decision; NaN for none.
        HOUR: Of the issuer's day.
        BANKING: Whether banks work.
        FROM_PAYDAY, TO_PAYDAY: Days; -1 where the country is not known.
        RAIL: Its code.
    """

    CATEGORY = 0
    ERROR = 1
    RETRYABILITY = 2
    FAILURES = 3
    HOURS = 4
    MOVED = 5
    APPROVED = 6
    HOUR = 7
    BANKING = 8
    FROM_PAYDAY = 9
    TO_PAYDAY = 10
    RAIL = 11


@dataclass(frozen=True, slots=True)
class Framed:
    """The columns of some rows, and what the prior asks of them.

    Args:
        matrix: As of `features.frame.frame`, shape (rows, columns).
        facts: See `Fact`, shape (rows, len(Fact)).
    """

    matrix: Matrix
    facts: Floats

    def parted(self, rows: int) -> tuple["Framed", "Framed"]:
        """(the first so many rows, the others)."""
        return Framed(self.matrix[:rows], self.facts[:rows]), Framed(self.matrix[rows:], self.facts[rows:])
