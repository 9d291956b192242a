"""How MLflow's pyfunc flavour opens an artifact: `mlflow.pyfunc.load_model("models:/recoup-retry@champion")`.

The model is the artifact folder itself, text and JSON; no pickle is written or read.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from model.artifact import read_artifact
from model.boosted import BoostedScorer

PRIOR_COLUMN = "prior_logit"
"""Last column of the input of a model that is blended with the shipped prior."""


class Scorer:
    """Scores a data frame whose columns are the model's, in order, and the prior's logit where it is blended."""

    def __init__(self, scorer: BoostedScorer) -> None:
        self._scorer = scorer

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """`probability`, `low` and `high` (90 % interval) of each row."""
        values, prior = model_input.to_numpy(dtype=np.float32), None
        if self._scorer.needs_prior:
            values, prior = values[:, :-1], model_input[PRIOR_COLUMN].to_numpy(dtype=np.float64)
        scores = self._scorer.score_matrix(values, prior)
        return pd.DataFrame({"probability": scores.probability, "low": scores.low, "high": scores.high})


def _load_pyfunc(path: str) -> Scorer:
    """Called by MLflow with the folder that was logged."""
    return Scorer(BoostedScorer(read_artifact(Path(path))))
