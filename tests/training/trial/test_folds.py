"""Parts never let a customer or a later time teach what is judged."""

import numpy as np
import pytest

from builders import of_merchant
from experiments.history_contexts import HistoryContexts
from features.instants import MICROS_PER_DAY
from features.merchants import owned
from replay_builders import monthly_log
from training.split import customer_folds
from training.trial.folds import customers_of, folds_of, known_at, log_of, owners_of, parts_of


@pytest.mark.parametrize("windows", [0, 1, 3])
def test_every_later_event_is_judged_once_by_other_customers_earlier_ones(windows: int) -> None:
    rng = np.random.default_rng(1)
    at = rng.integers(0, 300 * MICROS_PER_DAY, 2_000)
    owners = [f"c{number}" for number in rng.integers(0, 150, 2_000)]
    parts = list(parts_of(at.tolist(), owners, 4, windows))
    judged = np.concatenate([part.judge for part in parts])
    assert len(np.unique(judged)) == len(judged)
    assert len(judged) == 2_000 if windows == 0 else 1_100 < len(judged) < 1_300
    for part in parts:
        theirs = {owners[i] for i in part.judge}
        assert not theirs & {owners[i] for i in part.learn}
        if windows:
            assert at[part.learn].max() < at[part.judge].min()


def test_the_log_that_teaches_holds_no_judged_customer_and_nothing_known_later() -> None:
    history, _ = monthly_log(200, seed=3)
    owners, known = history["customer_id"].to_pylist(), known_at(history)
    for part in parts_of(known.tolist(), owners, 3, 2):
        taught = part.teaches(owners, known)
        assert (known[taught] < part.until).all()
        assert (folds_of(owners, 3)[taught] != part.fold).all()


def test_customers_of_several_merchants_are_apart_and_those_of_one_keep_their_bare_ids() -> None:
    history, _ = monthly_log(60, seed=3)
    both, ids = of_merchant(history, "acme", "other"), history["customer_id"].to_pylist()
    assert customers_of(history) == ids
    owners = customers_of(both)
    merchants = both["merchant_id"].to_pylist()
    assert owners == [owned(merchant, name, several=True) for merchant, name in zip(merchants, ids, strict=True)]
    for log in (history, both):
        payments = [context.payment for context in HistoryContexts(log, 30).failures()]
        assert len(set(owners_of(payments, log))) > 20
        assert set(owners_of(payments, log)) <= set(customers_of(log))
    for part in parts_of(known_at(both).tolist(), owners, 3, 0):
        assert len(log_of(both, part)) == len(part.learn)


def test_the_folds_of_an_evaluation_are_not_those_of_training() -> None:
    names = [f"c{number}" for number in range(3_000)]
    ours = folds_of(names, 5) == 0
    inside = np.bincount(customer_folds([n for n, kept in zip(names, ours, strict=True) if not kept], 5), minlength=5)
    assert inside.min() > 400
