"""The blend of a trained model with the shipped prior: with few retries learnt from, the prior keeps its say.

On the logit scale the model has the weight n / (n + strength), where n is the number of retries it was fitted on: the
posterior mean of a normal model whose prior is worth `strength` retries. Strength 0 is the model alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blend:
    """How much of the answer is the model's.

    Args:
        rows: Retries the model was fitted on, above zero.
        strength: How many retries the prior is worth, zero or more.
    """

    rows: int
    strength: float

    @property
    def weight(self) -> float:
        """The model's weight, in (0, 1]."""
        return self.rows / (self.rows + self.strength)

    @property
    def is_model_alone(self) -> bool:
        """Whether the prior has no say, so that it need not be computed."""
        return self.strength == 0

    def apply(self, logits: Floats, prior: Floats) -> Floats:
        """The blended logits.

        Args:
            logits: The boosters' logits, shape (n,) or (n, boosters).
            prior: The prior's logits, shape (n,).
        """
        weight = self.weight
        return np.asarray((weight * logits.T + (1.0 - weight) * prior).T, dtype=np.float64)

    def to_json(self) -> dict[str, float]:
        """As it stands in `model.json`."""
        return {"rows": self.rows, "strength": self.strength, "weight": round(self.weight, 6)}

    @classmethod
    def from_json(cls, value: object) -> "Blend":
        """What `to_json` wrote; a model without it answers alone.

        Raises:
            InputError: The numbers are missing or not what they may be.
        """
        if value is None:
            return cls(1, 0.0)
        rows, strength = (value.get("rows"), value.get("strength")) if isinstance(value, Mapping) else (None, None)
        if not isinstance(rows, int) or rows < 1 or not isinstance(strength, int | float) or not 0 <= strength < 1e9:
            raise InputError("model.json: blend must hold rows (above zero) and strength (zero or more)")
        return cls(rows, float(strength))
