"""The library by itself predicts what LightGBM's package predicts, to the bit."""

import pickle

import lightgbm as lgb
import numpy as np
import pytest

from model.lightgbm_library import Booster, LibraryError


@pytest.fixture(scope="module")
def text() -> str:
    random = np.random.default_rng(1)
    matrix = _rows(400)
    approved = (np.nan_to_num(matrix[:, 0]) + random.normal(size=400) > 0).astype(np.float64)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 15, "min_data_in_leaf": 5}
    data = lgb.Dataset(matrix, approved, categorical_feature=[2], params={"verbosity": -1})
    return lgb.train(settings, data, num_boost_round=12).model_to_string()


def _rows(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    random = np.random.default_rng(count)
    rows = random.normal(size=(count, 4)).astype(np.float32)
    rows[:, 2] = random.integers(0, 6, count)
    rows[random.random(count) < 0.1, 0] = np.nan
    return rows


@pytest.mark.parametrize("count", [1, 2, 57])
def test_scores_and_contributions_are_the_package_s(text: str, count: int) -> None:
    ours, theirs, rows = Booster(text), lgb.Booster(model_str=text), _rows(count)
    raw = np.asarray(theirs.predict(rows, raw_score=True, num_threads=1))
    parts = np.asarray(theirs.predict(rows, pred_contrib=True, num_threads=1))
    assert ours.raw_score(rows).tobytes() == raw.tobytes()
    assert ours.raw_score(np.asfortranarray(rows)).tobytes() == raw.tobytes()
    assert ours.contributions(rows).tobytes() == parts.tobytes()


def test_a_booster_crosses_to_another_process(text: str) -> None:
    rows, ours = _rows(9), Booster(text)
    assert pickle.loads(pickle.dumps(ours)).raw_score(rows).tobytes() == ours.raw_score(rows).tobytes()


def test_what_is_no_model_is_refused_with_the_library_s_own_words() -> None:
    with pytest.raises(LibraryError, match=r"[Mm]odel"):
        Booster("nothing of the kind")
