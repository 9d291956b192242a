"""On few retries of the simulator the blend is no worse than the prior alone, nor than the model alone."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.resamples import Floats
from experiments.simulator.generate import generate_attempts
from features.calendars import to_date
from serving.simulate import write_world
from training.config import TrainingConfig
from training.evaluate import MODEL, PRIOR
from training.fit import TreeSettings
from training.metrics import log_loss, losses, probability
from training.pipeline import train
from training.shrink import SMALL_ROWS, STRENGTHS, choose_strength
from training.uncertainty import out_of_fold

QUICK = TreeSettings(max_trees=60, patience=10, learning_rate=0.2, threads=2)
FIRST_DAY = to_date(20_089)  # 2025-01-01


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("world")
    write_world(generate_attempts(3, FIRST_DAY, 12, 60_000, randomised_share=0.5), folder)
    return pq.read_table(folder / "history.parquet")


def histories(world: pa.Table, retries: int, number: int, folder: Path) -> list[Path]:
    """Disjoint sets of customers with about so many retries each."""
    customer = world["customer_id"].combine_chunks().dictionary_encode()
    codes = customer.indices.to_numpy()
    again = world["payment_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    size = int(retries * len(customer.dictionary) / (len(again) - len(np.unique(again))))
    order = np.random.default_rng(0).permutation(len(customer.dictionary))
    paths = []
    for k in range(number):
        mine = np.isin(codes, order[k * size : (k + 1) * size])
        paths.append(folder / f"{k}.parquet")
        pq.write_table(world.filter(pa.array(mine)), paths[-1])
    return paths


def judged(path: Path) -> dict[str, Floats]:
    """Log loss by the blend, the prior and the same trees alone, summed by test customer; and their rows."""
    result = train(TrainingConfig(path, trees=QUICK, resamples=50))
    rows, data = result.split.test, result.dataset
    alone = probability(out_of_fold(result.bag, data.matrix[rows], data.fold[rows], 1))
    scores = {"blend": result.judged.p[MODEL], "prior": result.judged.p[PRIOR], "model": alone}
    _, customer = np.unique(data.customer[rows], return_inverse=True)
    each = {name: losses(data.y[rows], p) for name, p in scores.items()} | {"rows": np.ones(len(customer))}
    return {name: np.bincount(customer, weights=values).astype(np.float64) for name, values in each.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("retries", "number"), [(200, 4), (1_000, 2), (5_000, 1)])
def test_the_blend_is_no_worse_than_either_beyond_noise(
    world: pa.Table, tmp_path: Path, retries: int, number: int
) -> None:
    each = [judged(path) for path in histories(world, retries, number, tmp_path)]
    told = {name: np.concatenate([one[name] for one in each]) for name in ("blend", "prior", "model", "rows")}
    rows = told["rows"]
    for other in ("prior", "model"):
        worse = told["blend"] - told[other]
        mean = worse.sum() / rows.sum()
        noise = np.sqrt(np.sum((worse - mean * rows) ** 2)) / rows.sum()
        assert mean < 2.0 * noise, (retries, other, mean, noise)
    assert told["blend"].sum() < max(told["prior"].sum(), told["model"].sum())


def test_a_prior_that_knows_more_than_the_model_keeps_its_say_and_one_that_knows_nothing_loses_it() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0.0, 1.5, 3_000)
    y = (rng.random(3_000) < probability(truth)).astype(np.float64)
    noise = rng.normal(0.0, 1.5, 3_000)
    assert choose_strength(y, truth, noise, fitted=1_000).strength <= 30.0
    assert choose_strength(y, noise, truth, fitted=1_000).strength >= 20_000.0


def test_the_choice_is_the_best_of_a_grid_where_rows_are_many() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(0.0, 1.0, 20_000)
    model, prior = truth + rng.normal(0.0, 1.0, 20_000), truth + rng.normal(0.0, 1.0, 20_000)
    y = (rng.random(20_000) < probability(truth)).astype(np.float64)
    found = choose_strength(y, model, prior, fitted=1_000)
    assert found.strength == min(STRENGTHS, key=lambda s: found.log_loss[s])
    weight = 1_000 / (1_000 + found.strength)
    direct = log_loss(y, probability(weight * model + (1 - weight) * prior))
    assert found.log_loss[found.strength] == pytest.approx(direct)


def test_a_handful_of_rows_leaves_the_usual_strength() -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(6) < 0.5).astype(np.float64)
    assert choose_strength(y, rng.normal(0, 0.2, 6), rng.normal(0, 0.2, 6), fitted=100).strength == 500.0


def test_a_large_history_is_the_model_alone() -> None:
    nothing = np.empty(0)
    assert choose_strength(nothing, nothing, nothing, SMALL_ROWS).strength == 0.0
