"""The set of days that clears most failed payments, when what every day would have come to is known."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]

EXACT_UP_TO = 4
_CHUNK = 4_096


def best_cover(clears: Flags, most: int) -> tuple[int, ...]:
    """Positions of the columns of which at least one holds in most rows; ties go to the earlier columns.

    Up to four columns every set is tried. Beyond that columns are added one by one, each time the best, and then
    exchanged one for one as long as that gains (as good as exact where it could be compared; see the tests).

    Args:
        clears: Shape (payments, days).
    """
    days = clears.shape[1]
    most = min(most, days)
    packed = np.packbits(clears.T, axis=1)
    if most <= EXACT_UP_TO:
        return _exact(packed, most)
    chosen = list(_exact(packed, EXACT_UP_TO))
    while len(chosen) < most:
        rest = [day for day in range(days) if day not in chosen]
        chosen.append(max(rest, key=lambda day: _count(packed[[*chosen, day]])))
    return tuple(sorted(_exchanged(packed, chosen)))


def _exact(packed: Bytes, most: int) -> tuple[int, ...]:
    sets = np.array(list(combinations(range(len(packed)), most)), dtype=np.int64)
    counts = [_counts(packed, sets[start : start + _CHUNK]) for start in range(0, len(sets), _CHUNK)]
    return tuple(int(day) for day in sets[int(np.argmax(np.concatenate(counts)))])


def _counts(packed: Bytes, sets: Int64s) -> Int64s:
    any_of = packed[sets[:, 0]]
    for column in sets.T[1:]:
        any_of = any_of | packed[column]
    return np.asarray(np.bitwise_count(any_of).sum(axis=1, dtype=np.int64), dtype=np.int64)


def _count(rows: Bytes) -> int:
    return int(np.bitwise_count(np.bitwise_or.reduce(rows, axis=0)).sum(dtype=np.int64))


def _exchanged(packed: Bytes, chosen: list[int]) -> list[int]:
    best, better = _count(packed[chosen]), True
    while better:
        better = False
        for place in range(len(chosen)):
            for day in range(len(packed)):
                swapped = [*chosen[:place], day, *chosen[place + 1 :]]
                if day not in chosen and _count(packed[swapped]) > best:
                    chosen, best, better = swapped, _count(packed[swapped]), True
    return chosen
