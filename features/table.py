"""Attempts as a struct of arrays; `features.table_of_history` and `features.table_of_contexts` make one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.decline import Decline
from features.vocabulary import DeclineCategory, Initiator, Outcome, Retryability

if TYPE_CHECKING:
    import pyarrow as pa  # takes long to load, and no decision needs it

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CATEGORIES = tuple(DeclineCategory)
RETRYABILITIES = tuple(Retryability)
OUTCOMES = tuple(Outcome)
INITIATORS = tuple(Initiator)
APPROVED = OUTCOMES.index(Outcome.APPROVED)
UNKNOWN_OUTCOME = OUTCOMES.index(Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of words as integer codes.

    Args:
        codes: Position in `words` of each row's word, -1 for none, shape (n,).
        words: The distinct words: of a history a pyarrow string array, of contexts a tuple, which is made much faster.
    """

    codes: Int64s
    words: "pa.StringArray | tuple[str, ...]"

    def word(self, code: int) -> str | None:
        """The word of a code; None for -1."""
        return None if code < 0 else str(self.words[int(code)])

    def code(self, word: str) -> int:
        """The code of a word; -1 if it does not occur."""
        texts = self.texts()
        return texts.index(word) if word in texts else -1

    def texts(self) -> list[str]:
        """The distinct words."""
        words = self.words if isinstance(self.words, tuple) else self.words.to_pylist()
        return [str(word) for word in words]


@dataclass(frozen=True, slots=True)
class AttemptTable:
    """Attempts, ordered by time in a history; every array has shape (n,).

    Args:
        source_row: Row of the history file, -1 for attempts that are not from one.
        at: When each was made; microseconds since 1970 UTC.
        known_at: When its outcome became known; `NEVER` where it is unknown, as of retries that are only proposed.
        category: Index into CATEGORIES, -1 unless declined or failed.
        retryability: Index into RETRYABILITIES, -1 unless declined or failed.
        min_wait_hours: What the decline's advice asks for; NaN for none.
        is_retry: Whether an earlier attempt of the same payment exists.
        expires_day, customer_since_day: Days since 1970, NaN for unknown.
        three_d_secure: 1 or 0 for whether the payer was authenticated, NaN for not known.
        day_only: Whether only the date of `at` is known.
    """

    source_row: Int64s
    payment: Coded
    customer: Coded
    method: Coded
    processor: Coded
    rail: Coded
    network: Coded
    currency: Coded
    issuer: Coded
    bin: Coded
    country: Coded
    zone: Coded
    funding: Coded
    credential: Coded
    at: Int64s
    known_at: Int64s
    outcome: Int64s
    initiator: Int64s
    category: Int64s
    retryability: Int64s
    min_wait_hours: Floats
    amount_major: Floats
    is_retry: Flags
    expires_day: Floats
    customer_since_day: Floats
    three_d_secure: Floats
    day_only: Flags

    def __len__(self) -> int:
        return int(self.at.size)

    @property
    def approved(self) -> Flags:
        """Whether each attempt was approved."""
        return np.equal(self.outcome, APPROVED)

    @property
    def failed(self) -> Flags:
        """Whether each attempt is known to have failed, at the issuer or before it."""
        return np.not_equal(self.outcome, APPROVED) & np.not_equal(self.outcome, UNKNOWN_OUTCOME)


Asked = tuple[Context, Sequence[Retry]]
"""A context and the retries proposed in it."""


def coded_list(texts: Sequence[str | None]) -> Coded:
    """Texts as codes into their distinct words in order, -1 for none."""
    distinct = sorted({text for text in texts if text is not None})
    place = {text: i for i, text in enumerate(distinct)}
    codes = np.array([-1 if text is None else place[text] for text in texts], dtype=np.int64)
    return Coded(codes, tuple(distinct))


def issuer_key(country: str | None, issuer: str | None) -> str | None:
    """An issuer told apart by country; None where it is not known."""
    return None if issuer is None else f"{country or '--'}:{issuer}"


def wait_hours(decline: Decline | None) -> float:
    """What the decline's advice asks for; NaN for none."""
    return np.nan if decline is None or decline.min_wait_hours is None else float(decline.min_wait_hours)


def after_first(payment: Int64s) -> Flags:
    """Whether an earlier row has the same payment; rows are ordered by time."""
    first = np.zeros(int(payment.max(initial=-1)) + 1, dtype=np.int64)
    places = np.arange(payment.size, dtype=np.int64)
    first[payment[::-1]] = places[::-1]  # of rows with the same code the one written last stays
    return np.not_equal(places, first[payment])
