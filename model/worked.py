"""Worked examples in an artifact: rows with the chances its makers saw, so that whoever loads it can see the same.

Checksums say that the files are those that were written; this says that they mean here what they meant there, with
other versions of the libraries or on another machine.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from model.boosted import BoostedScorer

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

TOLERANCE = 1e-9
"""Sums of logits in another order differ by some 1e-15; a tree that is read otherwise by far more."""


def worked(scorer: BoostedScorer, matrix: Matrix, prior: Floats) -> dict[str, object]:
    """Rows and what the scorer makes of them, as they stand in `model.json`.

    Args:
        matrix: Columns, shape (n, columns); NaN where a value is not known.
        prior: The prior's logits, shape (n,).
    """
    chance = scorer.score_matrix(matrix, prior).probability
    rows = [[None if np.isnan(value) else float(value) for value in row] for row in matrix]
    return {"rows": rows, "prior": [float(one) for one in prior], "probability": [float(one) for one in chance]}


def check_worked(scorer: BoostedScorer) -> None:
    """Score the artifact's own examples; a model without any is taken at its word.

    Raises:
        InputError: A chance differs from the one that is stated, or the examples are not what they must be.
    """
    stated = scorer.facts.get("worked")
    if stated is None:
        return
    matrix, prior, expected = _examples(stated)
    found = scorer.score_matrix(matrix, prior).probability
    off = np.abs(found - expected)
    if not np.all(off <= TOLERANCE):
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        raise InputError(
            f"model.json: worked example {worst + 1} has a chance of {expected[worst]:.9f} where the model was made, "
            f"and of {found[worst]:.9f} here; the model does not mean the same here"
        )


def _examples(stated: object) -> tuple[Matrix, Floats, Floats]:
    told = stated if isinstance(stated, Mapping) else {}
    try:
        rows = [[np.nan if value is None else float(value) for value in row] for row in told["rows"]]
        matrix = np.array(rows, dtype=np.float32)
        prior = np.array([float(one) for one in told["prior"]])
        expected = np.array([float(one) for one in told["probability"]])
    except (KeyError, TypeError, ValueError):
        raise InputError("model.json: worked must hold rows, prior and probability") from None
    if matrix.ndim != 2 or not len(matrix) == len(prior) == len(expected):
        raise InputError("model.json: worked must hold as many rows as prior logits and probabilities")
    return matrix, prior, expected
