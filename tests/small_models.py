"""Small models of a random history, really trained, for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np

from builders import random_history, simple_classify
from features.encoders import learn
from features.frame import frame
from features.rows import rows_of_history
from features.table_of_history import from_arrow
from model.artifact import Artifact, write_artifact
from model.boosted import BoostedScorer, Uncertainty, column_facts
from model.calibration import Unchanged
from model.worked import worked


def write_small(folder: Path, seeds: Sequence[int] = (1, 2, 3), facts: Mapping[str, object] | None = None) -> Path:
    """Train one booster a seed, and write the artifact with its worked examples; gives the folder."""
    attempts = from_arrow(random_history(3, 600), simple_classify)
    encoders, rows = learn(attempts), rows_of_history(attempts)
    approved, matrix = attempts.approved[rows.index].astype(np.float64), frame(rows, encoders)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 7}
    texts = tuple(
        lgb.train(
            settings | {"seed": seed, "bagging_fraction": 0.7, "bagging_freq": 1},
            lgb.Dataset(matrix, approved, free_raw_data=False),
            num_boost_round=8,
        ).model_to_string()
        for seed in seeds
    )
    doubt = Uncertainty(1.0, (-2.0, 2.0), (0.1, 0.1))
    told = {"label": "approved", "uncertainty": doubt.to_json(), **(facts or {})}
    made = Artifact(texts, Unchanged(), encoders.to_json(), column_facts(), told, "# Test model\n")
    examples = worked(BoostedScorer(made, folding=False), matrix[:3], np.zeros(3))
    write_artifact(replace(made, facts={**told, "worked": examples}), folder)
    return folder
