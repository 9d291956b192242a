"""Finds the cells of a column that hold a card number, quickly: most columns hold no long run of digits."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.card_number import holds_card_number

# Anything the exact test could find has thirteen digits with at most one separator between each two.
_THIRTEEN_DIGITS = r"[0-9](?:[ .\-]?[0-9]){12}"


def rows_with_card_numbers(cells: Sequence[str]) -> list[int]:
    """Positions of the cells that hold what looks like a card number, in order.

    >>> rows_with_card_numbers(["tok_1", "4242 4242 4242 4242", ""])
    [1]
    """
    suspect = pc.match_substring_regex(pa.array(cells, pa.string()), _THIRTEEN_DIGITS)
    positions = np.flatnonzero(suspect.to_numpy(zero_copy_only=False))
    return [int(row) for row in positions if holds_card_number(cells[int(row)])]
