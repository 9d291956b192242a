"""Settings are ranked by what the plan brings where it is played, on payments and customers that taught no tree."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.recorded_world import Recorded
from features.errors import InputError
from features.instants import from_micros, to_micros
from features.merchants import owned
from model.caps.rulebook import Rulebook
from model.economics import Economics
from replay_builders import monthly_log
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.forward import ForwardFolds, forward_folds
from training.load import load_history
from training.plan_value import Stage
from training.split import customer_folds, split_by_time
from training.trial.log import read_log
from training.trial.runs import recorded_world

HORIZON = 20
ABLE = TreeSettings(max_trees=25, learning_rate=0.2, leaves=8, threads=1)
UNABLE = TreeSettings(max_trees=1, learning_rate=0.001, leaves=2, threads=1)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingConfig, Stage]:
    table, outcomes = monthly_log(500, seed=8)
    path = tmp_path_factory.mktemp("played") / "history.parquet"
    pq.write_table(table, path)
    world = recorded_world(read_log(path), {name: Recorded(clears) for name, clears in outcomes.items()}, HORIZON)
    stage = Stage(world, list(world.failures()), Rulebook(()), Economics.default(), 40, 1, HORIZON)
    return TrainingConfig(path, trees=ABLE), stage


@pytest.fixture(scope="module")
def folds(played: tuple[TrainingConfig, Stage]) -> ForwardFolds:
    return forward_folds(played[0], 2, played[1])


def test_payments_are_played_whole_customers_within_their_window_and_done_before_the_test_window(
    folds: ForwardFolds,
) -> None:
    test_from = split_by_time(folds.data.decided_at, folds.data.final_at).test_from
    for fold in folds.folds:
        failed = [context.as_of for context in fold.played]
        assert 20 <= len(failed) <= 40
        assert to_micros(min(failed)) > folds.data.final_at[fold.train].max()
        assert max(failed) + timedelta(days=HORIZON) <= from_micros(test_from)
    assert not {c.payment.payment_id for c in folds.folds[0].played} & {
        c.payment.payment_id for c in folds.folds[1].played
    }


def test_trees_that_learn_when_money_comes_make_a_plan_worth_more(folds: ForwardFolds) -> None:
    assert folds.objective == "plan value"
    able, unable = (folds.value(1, folds.fit(1, settings), 1) for settings in (ABLE, UNABLE))
    assert able is not None
    assert unable is not None
    assert able.value > unable.value + 5.0
    assert sum(able.parts) == pytest.approx(able.value, abs=1e-3)
    # All settings meet the same customers, so that their values can be paired.
    assert len(able.parts) == len(unable.parts) == len({c.payment.customer_id for c in folds.folds[1].played})


def test_each_customer_is_planned_by_trees_that_never_saw_it(folds: ForwardFolds) -> None:
    bag = folds.fit(0, ABLE).bag
    names = [c.payment.customer_id for c in folds.folds[0].played]
    halves = customer_folds(names, folds.customer_folds) % 2
    unseen = np.array([[half in held for held in bag.held_out] for half in halves.tolist()])
    assert (unseen.sum(axis=1) == 1).all()
    fitted = dict(zip(folds.data.customer.tolist(), (folds.data.fold % 2).tolist(), strict=True))
    assert set(fitted.values()) == set(halves.tolist()) == {0, 1}


def test_customers_of_several_merchants_are_planned_by_trees_that_never_saw_them(tmp_path: Path) -> None:
    table, outcomes = monthly_log(500, seed=8)
    path = tmp_path / "history.parquet"
    by_payment = {name: ("acme", "other")[n % 2] for n, name in enumerate(sorted(outcomes))}
    place = table.schema.get_field_index("merchant_id")
    merchants = pa.array([by_payment[name] for name in table["payment_id"].to_pylist()])
    pq.write_table(table.set_column(place, table.schema.field(place), merchants), path)
    world = recorded_world(read_log(path), {name: Recorded(clears) for name, clears in outcomes.items()}, HORIZON)
    stage = Stage(world, list(world.failures()), Rulebook(()), Economics.default(), 40, 1, HORIZON)
    found = forward_folds(TrainingConfig(path, trees=ABLE), 2, stage)
    words = load_history(path).table.customer
    fitted = {words.word(code): fold % 2 for code, fold in zip(found.data.customer, found.data.fold, strict=True)}
    payments = [context.payment for fold in found.folds for context in fold.played]
    halves = {owned(one.merchant_id, one.customer_id, several=True): found.half_of(one) for one in payments}
    seen = halves.keys() & fitted.keys()
    assert len(seen) > 20
    assert {name: halves[name] for name in seen} == {name: fitted[name] for name in seen}


def test_windows_with_too_little_to_play_are_refused_with_what_would_help(
    played: tuple[TrainingConfig, Stage],
) -> None:
    config, stage = played
    few = Stage(stage.world, stage.contexts[:30], stage.rulebook, stage.economics, 40, 1, HORIZON)
    with pytest.raises(InputError, match="failed payments of the world with 20 days left before the test window"):
        forward_folds(config, 2, few)
