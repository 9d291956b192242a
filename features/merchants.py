"""Whose an id is: ids of attempts, payments, customers and methods are unique within a merchant only.

Where a history holds several merchants, an id is read together with its merchant. Where it holds one, ids stay bare, so
that the folds of its customers, which go by their names, are those they always were.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa  # takes long to load, and no decision needs it

BETWEEN = "\x1f"
"""Stands between a merchant's id and one of its own: a control character, which no id is written with."""


def several_merchants(merchant_ids: "pa.ChunkedArray") -> bool:
    """Whether more than one merchant occurs."""
    return len(merchant_ids.unify_dictionaries().unique()) > 1


def owned(merchant_id: str, own_id: str, *, several: bool) -> str:
    """An id as it is told apart in a history of one merchant, or of several."""
    return f"{merchant_id}{BETWEEN}{own_id}" if several else own_id
