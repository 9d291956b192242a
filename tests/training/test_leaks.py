"""Nothing leaks: not from labels that mean nothing, not between customers' folds, not from the future."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.config import TrainingConfig
from training.dataset import labelled_rows
from training.fit import TreeSettings, fit_bag
from training.load import load_history
from training.metrics import auc
from training.pipeline import train
from training.split import customer_folds
from training.uncertainty import out_of_fold
from training_histories import write_history

QUICK = TreeSettings(max_trees=40, patience=10, learning_rate=0.15, threads=1)


@pytest.fixture(scope="module")
def permuted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of which every payment keeps its attempts but the outcomes of retries are dealt out anew."""
    path = write_history(tmp_path_factory.mktemp("leaks") / "history.parquet", payments=4_000)
    table = pq.read_table(path)
    first = pc.ends_with(table["attempt_id"], "-0").to_numpy(zero_copy_only=False)
    order = np.arange(len(table))
    retries = np.flatnonzero(~first)
    order[retries] = np.random.default_rng(5).permutation(retries)
    for name in ("outcome", "code"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), table[name].take(pa.array(order)))
    pq.write_table(table, path)
    return path


def test_permuted_labels_cannot_be_ranked(permuted: Path) -> None:
    judged = train(TrainingConfig(permuted, trees=QUICK, resamples=100))
    assert judged.evaluation.model["auc"].low < 0.5 < judged.evaluation.model["auc"].high
    assert abs(judged.evaluation.model["auc"].value - 0.5) < 0.04
    assert not judged.verdict.passed


def test_scores_of_customers_a_booster_saw_would_look_better_and_are_never_judged(permuted: Path) -> None:
    config = TrainingConfig(permuted)
    data = labelled_rows(load_history(permuted), config)
    greedy = TreeSettings(max_trees=60, leaves=60, min_rows_in_leaf=2, l2=0.0, learning_rate=0.3, threads=1)
    shapes = data.lesson.columns
    bag = fit_bag(data.matrix, data.y, data.fold, shapes, greedy, trees=60)
    honest = auc(data.y, out_of_fold(bag, data.matrix, data.fold, 1))
    # The same bag, asked as if every booster had left out other folds than it did.
    wrong = replace(bag, held_out=tuple(frozenset(range(5)) - folds for folds in bag.held_out))
    assert auc(data.y, out_of_fold(wrong, data.matrix, data.fold, 1)) > 0.8
    assert abs(honest - 0.5) < 0.03


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=60, unique=True), st.integers(2, 9))
def test_a_customer_has_one_fold_whatever_the_company(names: list[str], folds: int) -> None:
    every = dict(zip(names, customer_folds(names, folds).tolist(), strict=True))
    alone = {name: int(customer_folds([name], folds)[0]) for name in names}
    assert every == alone
    assert set(every.values()) <= set(range(folds))


def test_no_row_is_judged_by_a_booster_that_saw_its_customer(permuted: Path) -> None:
    data = labelled_rows(load_history(permuted), TrainingConfig(permuted))
    bag = fit_bag(data.matrix, data.y, data.fold, data.lesson.columns, QUICK, trees=3)
    unseen = bag.unseen(data.fold)
    for k, folds in enumerate(bag.held_out):
        taught = set(data.customer[~np.isin(data.fold, sorted(folds))].tolist())
        judged = set(data.customer[unseen[:, k]].tolist())
        assert taught.isdisjoint(judged)
    assert (unseen.sum(axis=1) == 2).all()


def test_what_happens_later_changes_no_column_of_a_row_and_no_prior(tmp_path: Path) -> None:
    path = write_history(tmp_path / "history.parquet", payments=600)
    table = pq.read_table(path)
    cut = pc.quantile(pc.cast(table["attempted_at"], pa.int64()), 0.6)[0].as_py()
    late = pc.greater(pc.cast(table["attempted_at"], pa.int64()), cut)
    other = table.set_column(
        table.schema.get_field_index("amount_minor"),
        table.schema.field("amount_minor"),
        pc.if_else(late, pc.multiply(table["amount_minor"], 7), table["amount_minor"]),
    )
    changed = other.set_column(
        other.schema.get_field_index("outcome"),
        other.schema.field("outcome"),
        pc.if_else(late, pa.scalar("declined"), other["outcome"]),
    )
    pq.write_table(changed, tmp_path / "changed.parquet")
    one, two = (
        labelled_rows(load_history(tmp_path / name), TrainingConfig(tmp_path / name))
        for name in ("history.parquet", "changed.parquet")
    )
    before, after = (np.flatnonzero(data.at <= cut) for data in (one, two))
    # Sums run over the whole history, so that what comes later may move a last digit.
    np.testing.assert_allclose(one.matrix[before], two.matrix[after], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(one.prior[before], two.prior[after])
    assert len(before) > 100
