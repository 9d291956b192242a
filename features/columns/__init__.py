"""The columns a model sees, in the one order in which they stand in its matrix."""

from features.columns import failure, method, moment, payday, payer, rates, route
from features.columns.column import Column
from features.table import CATEGORIES
from features.vocabulary import Credential, Funding, Network, Rail

COLUMNS: tuple[Column, ...] = (
    *failure.COLUMNS,
    *payer.COLUMNS,
    *method.COLUMNS,
    *moment.COLUMNS,
    *payday.COLUMNS,
    *route.COLUMNS,
    *rates.COLUMNS,
)

WORDS: dict[str, tuple[str, ...]] = {
    "decline_category": tuple(CATEGORIES),
    "first_decline_category": tuple(CATEGORIES),
    "method_last_category": tuple(CATEGORIES),
    "rail": tuple(Rail),
    "network": tuple(Network),
    "funding": tuple(Funding),
    "credential": tuple(Credential),
}
"""What the codes of closed-list categories stand for; the others are in the encoders' vocabularies."""
