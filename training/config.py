"""Everything that decides how a model is trained, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InvalidValueError
from features.vocabulary import Rail
from training.fit import TreeSettings

# Days after which an attempt's outcome is taken as final where the history states no `outcome_at`: a debit that
# looked collected when the history was exported can still have come back. SEPA Core returns take up to 5 banking
# days after settlement, ACH returns 2.
MATURITY_DAYS: Mapping[Rail, int] = {Rail.BANK_DEBIT: 7}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train.

    Args:
        history: Parquet file in the format of `features/history.py`.
        first_attempts: Learn from first attempts too, not only from retries.
        test_days: Length of the last window, which the model is judged on; None takes about a fifth of the rows.
        calibrate_days: Length of the window before it; None takes about a fifth of the rows.
        resamples: Bootstrap draws of customers behind every interval.
        seed: Of every draw; the same seed and history give the same model.
    """

    history: Path
    first_attempts: bool = False
    test_days: int | None = None
    calibrate_days: int | None = None
    trees: TreeSettings = field(default_factory=TreeSettings)
    maturity_days: Mapping[Rail, int] = field(default_factory=lambda: dict(MATURITY_DAYS))
    resamples: int = 500
    seed: int = 17

    def __post_init__(self) -> None:
        for name, least, most in (("test_days", 1, 3650), ("calibrate_days", 1, 3650), ("resamples", 50, 10_000)):
            _within(name, getattr(self, name), least, most)
        _within("boosters", self.trees.boosters, 2, 50)
        _within("max_trees", self.trees.max_trees, 1, 5_000)
        _within("leaves", self.trees.leaves, 2, 1_000)
        _within("min_rows_in_leaf", self.trees.min_rows_in_leaf, 1, 1_000_000)
        if not 0 < self.trees.learning_rate <= 1:
            raise InvalidValueError("learning_rate", self.trees.learning_rate, "a number above 0, at most 1")


def _within(name: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidValueError(name, value, f"a whole number from {least} to {most}")
