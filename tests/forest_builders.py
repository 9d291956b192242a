"""Small boosters of every kind that LightGBM makes, and rows that try them."""

from collections.abc import Mapping, Sequence

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from model.forest.trees import read_trees

Matrix = NDArray[np.float32]
COLUMNS = 7
CATEGORIES = (5, 6)
ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1e-40, 3.4e38, 0.5, -0.5, 1.0, 2.0, 3e9, -7.0, 33.0)


def learnt_from(seed: int, rows: int = 600) -> Matrix:
    """Rough numbers with ties, a column of small integers, missing values, zeros, infinities and two categories."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    matrix[:, 1] = np.round(matrix[:, 1] * 2)
    matrix[:, 2] = random.integers(0, 4, rows)
    matrix[:, 3] *= random.choice([0.0, 1.0, 1e-20, 1e30], rows)
    matrix[:, 5] = random.integers(0, 5, rows)
    matrix[:, 6] = random.integers(0, 90, rows)
    for column in (0, 3, 6):
        matrix[random.random(rows) < 0.15, column] = np.nan
    matrix[random.random(rows) < 0.02, 4] = np.inf
    return matrix


def trained(seed: int, **settings: object) -> str:
    """The text of a small booster."""
    matrix, random = learnt_from(seed), np.random.default_rng(seed)
    told = np.nan_to_num(matrix[:, 0]) + np.isin(matrix[:, 5], (1, 3)) - (matrix[:, 6] % 7 > 3) + matrix[:, 2] / 3
    labels = (told + random.normal(size=len(matrix)) > 0.5).astype(float)
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "seed": seed}
    parameters |= {"min_data_per_group": 5, "num_leaves": 15} | settings
    data = lgb.Dataset(matrix, labels, categorical_feature=list(CATEGORIES), params=parameters)
    return lgb.train(parameters, data, num_boost_round=12).model_to_string()


PLAIN = "numbers, categories and missing values"
FORESTS: dict[str, Sequence[Mapping[str, object]]] = {
    PLAIN: ({},),
    "a bag whose boosters differ in size": ({"num_leaves": 4}, {"num_leaves": 31}, {}),
    "nothing taken for missing": ({"use_missing": False},),
    "zero taken for missing": ({"zero_as_missing": True},),
    "one code against the rest": ({"max_cat_to_onehot": 100},),
    "trees of one leaf": ({"min_gain_to_split": 1e9},),
    "monotone and few bins": ({"max_bin": 7, "monotone_constraints": [1, 0, 0, 0, 0, 0, 0]},),
    "dart, whose trees are rescaled": ({"boosting": "dart"},),
}
"""Settings of the boosters of each bag."""


def texts_of(name: str) -> Sequence[str]:
    seed = list(FORESTS).index(name)
    return tuple(trained(10 * seed + place, **settings) for place, settings in enumerate(FORESTS[name]))


def at_thresholds(texts: Sequence[str], seed: int, rows: int) -> Matrix:
    """Rows of the trees' own thresholds, their neighbours, and what is odd."""
    random, trees = np.random.default_rng(seed), [tree for text in texts for tree in read_trees(text)]
    matrix = np.empty((rows, COLUMNS), dtype=np.float32)
    for column in range(COLUMNS):
        asked = [t for tree in trees for c, t in zip(tree.column, tree.threshold, strict=True) if c == column]
        near = np.clip(np.array([*asked, 0.0]), -3e38, 3e38).astype(np.float32)
        beside = [np.nextafter(near, np.float32(side)) for side in (-np.inf, np.inf)]
        odd = np.array([*ODD, *range(-1, 8), 64, 89, 90], dtype=np.float32)
        matrix[:, column] = random.choice(np.concatenate([near, *beside, -near, odd]), rows)
    return matrix
