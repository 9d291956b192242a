"""How far each row lies beyond what a history can tell, row by row, compiled; `support.py` says what it means."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


@compiled
def beyond(
    matrix: Matrix, places: tuple[int, int, int, int, int], gaps: Floats, attempts: float, drop: float, own_fault: int
) -> tuple[Floats, Floats]:
    """(by how much log-odds are to be lowered, share of the chance that is left) of each row, shape (n,) both.

    Args:
        places: Of the columns, see `support.COLUMNS_READ`.
        gaps: Shortest gap known after each decline category, and after none at the end, hours.
        attempts, drop: As in `Support`.
        own_fault: The category of a processor's own fault.
    """
    category_at, hours_at, before_at, same_method, same_processor = places
    widest = 0.0
    for k in range(gaps.shape[0]):
        widest = max(widest, gaps[k])
    lowered, kept = np.empty(matrix.shape[0]), np.empty(matrix.shape[0])
    for i in range(matrix.shape[0]):
        lowered[i] = drop * max(float(matrix[i, before_at]) - attempts, 0.0)
        kept[i] = 1.0
        hours = float(matrix[i, hours_at])
        if hours < widest and matrix[i, same_method] == 1.0:
            category = matrix[i, category_at]
            known = gaps[int(category) if category >= 0.0 else -1]
            if max(hours, 0.0) < known and (matrix[i, same_processor] == 1.0 or category != own_fault):
                kept[i] = max(hours, 0.0) / known
    return lowered, kept
