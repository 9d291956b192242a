"""From a hidden cause to the raw code that the merchant sees, per vocabulary (data/codes.toml)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.causes import Cause
from experiments.simulator.draws import pick
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_OWN_VOCABULARY = (
    Network.VISA,
    Network.MASTERCARD,
    Network.AMERICAN_EXPRESS,
    Network.ELO,
    Network.ACH,
    Network.SEPA_CORE,
    Network.BACS,
)
_CHOICES = 3

# Hours a Mastercard advice code asks to wait (features/declines/codes, Mastercard merchant advice codes).
ADVICE_WAIT_HOURS = {"02": 72, "24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240}
FUNDS_ADVICE = ("24", "25", "26", "27", "28", "29", "30")


@dataclass(frozen=True, slots=True)
class Codebook:
    """Raw codes by vocabulary and cause.

    Args:
        vocabularies: Names, in order.
        codes: Every raw code; position 0 is no code.
        advice: Every advice code; position 0 is none.
        code: Positions in `codes`, shape (vocabularies, causes, 3).
        code_advice: Positions in `advice` that go with them, same shape.
        weight: Their weights, same shape; all zero where a vocabulary has no word for a cause.
    """

    vocabularies: tuple[str, ...]
    codes: tuple[str | None, ...]
    advice: tuple[str | None, ...]
    code: Int64s
    code_advice: Int64s
    weight: Float64s

    def speaks_of(self, vocabulary: Int64s, cause: Int64s) -> NDArray[np.bool_]:
        """Whether the vocabulary has a word for the cause."""
        words: NDArray[np.bool_] = self.weight[vocabulary, cause].sum(axis=-1) > 0
        return words

    def draw(self, vocabulary: Int64s, cause: Int64s, uniforms: Float64s) -> tuple[Int64s, Int64s]:
        """Positions of the code and of the advice that an issuer sends; 0 where there is none."""
        chosen = pick(uniforms, self.weight[vocabulary, cause])
        return self.code[vocabulary, cause, chosen], self.code_advice[vocabulary, cause, chosen]


@cache
def codebook() -> Codebook:
    """The shipped codebook."""
    tables = tomllib.loads((files("experiments.simulator") / "data" / "codes.toml").read_text(encoding="utf-8"))
    entries = [
        (vocabulary, Cause[name.upper()], choice, code, weight)
        for vocabulary, causes in tables.items()
        for name, codes in causes.items()
        for choice, (code, weight) in enumerate(codes.items())
    ]
    vocabularies = tuple(tables)
    codes: tuple[str | None, ...] = (None, *sorted({code.partition("/")[0] for *_, code, _ in entries}))
    advised = {code.partition("/")[2] for *_, code, _ in entries} - {""}
    advice: tuple[str | None, ...] = (None, *sorted(advised | set(FUNDS_ADVICE)))
    shape = (len(vocabularies), len(Cause), _CHOICES)
    code_at, advice_at, weights = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape)
    for vocabulary, cause, choice, code, weight in entries:
        where = vocabularies.index(vocabulary), int(cause), choice
        raw, _, hint = code.partition("/")
        code_at[where], advice_at[where], weights[where] = codes.index(raw), advice.index(hint or None), weight
    return Codebook(vocabularies, codes, advice, code_at, advice_at, weights)


def vocabulary_of(network: Network) -> str:
    """The vocabulary in which a network's raw codes are written; ISO 8583 where it has none of its own."""
    return network.value if network in _OWN_VOCABULARY else "iso8583"


def advice_hours(book: Codebook) -> Int64s:
    """Hours that each advice of the book asks to wait, shape (advice,)."""
    return np.array([ADVICE_WAIT_HOURS.get(code or "", 0) for code in book.advice], dtype=np.int64)
