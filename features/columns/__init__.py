"""The columns a model sees, in the one order in which they stand in its matrix."""

from features.columns import failure, method, moment, payday, payer, rates, route
from features.columns.column import Column
from features.table import CATEGORIES
from features.vocabulary import Credential, Funding, Network, Rail

SUBJECTS: dict[str, tuple[Column, ...]] = {
    "The failure": failure.COLUMNS,
    "The payment and who owes it": payer.COLUMNS,
    "The method": method.COLUMNS,
    "The moment": moment.COLUMNS,
    "The pay cycle": payday.COLUMNS,
    "The route": route.COLUMNS,
    "Approval rates and outages": rates.COLUMNS,
}
"""The columns by what they are about; their order here is their order in the matrix."""

COLUMNS: tuple[Column, ...] = tuple(column for columns in SUBJECTS.values() for column in columns)

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
