"""What folding saves beside LightGBM, in one run: `python -m benchmarks.scoring HISTORY ARTIFACT`.

The forest is 300 trees of 47 leaves learnt from the history's retries. Both engines have one thread and take turns; a
round's ratio is of its medians.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from features.action import Retry, Slot
from features.attempt import Attempt
from features.context import Context
from features.declines.taxonomy import classify
from features.encoders import from_json, learn
from features.frame import Matrix, frame
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.rows import rows_of_context, rows_of_history
from features.vocabulary import Network, Outcome, Rail
from model.artifact import Artifact, read_artifact
from model.boosted import BoostedScorer, boosters_of, raw_logits
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.decide import decide
from model.economics import Economics
from model.forest.bag import FoldedBag
from model.worked import worked
from training.dataset import column_shapes
from training.fit import TreeSettings, fit_bag
from training.load import load_history

ROUNDS, TURNS = 9, 5
TREES, LEAVES = 300, 47
MOST_ROWS = 60_000
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NETWORKS = (Network.VISA, Network.MASTERCARD, Network.AMERICAN_EXPRESS)
PROCESSORS = ("stripe", "northgate", "adyen")


def main(history: str, artifact_folder: str) -> None:
    """Print the ratios with their range, the preparation and whole decisions, as JSON."""
    artifact = read_artifact(Path(artifact_folder))
    model = stated(artifact, Path(history))
    figures = {
        "prepare_seconds": prepared(model),
        "prepare_trained_seconds": prepared(artifact),
        "720 × 3": scored(model, tuple(range(1, 721))),
        "112 × 3": scored(model, (*range(1, 49), *range(54, 48 + 64 * 6 + 1, 6))),
        "decision, 112 × 3": decided(model, failure(days=18, processors=1)),
        "decision, 240 × 9": decided(model, failure(days=50, processors=3)),
    }
    print(json.dumps(figures))


def stated(artifact: Artifact, history: Path, trees: int = TREES) -> Artifact:
    """The artifact with trees of the stated size and worked examples of theirs; with others it would be refused."""
    made = replace(artifact, boosters=(stated_forest(history, trees),))
    rows = grid(made, (1, 25, 60))
    examples = worked(BoostedScorer(made, folding=False), rows, np.zeros(len(rows)))
    return replace(made, facts={**made.facts, "worked": examples})


def stated_forest(history: Path, trees: int = TREES) -> str:
    """Trees of 47 leaves, 300 unless told otherwise; as training grows them in all else."""
    table = load_history(history).table
    rows = rows_of_history(table)
    matrix, approved = (
        frame(rows, learn(table))[-MOST_ROWS:],
        table.approved[rows.index].astype(np.float64)[-MOST_ROWS:],
    )
    # Two boosters is the fewest a bag has; each leaves out one half of the rows, and the first is taken.
    settings = TreeSettings(boosters=2, leaves=LEAVES, min_rows_in_leaf=20)
    fold = np.arange(len(matrix), dtype=np.int64) % 2
    return fit_bag(matrix, approved, fold, column_shapes(), settings, trees=trees).texts[0]


def prepared(artifact: Artifact) -> float:
    """Seconds from text to a bag that may answer, its check against LightGBM included, once the loops are compiled."""
    reference, columns = partial(raw_logits, boosters_of(artifact.boosters)), len(artifact.columns)
    FoldedBag(artifact.boosters, reference, columns)
    began = time.perf_counter()
    FoldedBag(artifact.boosters, reference, columns)
    return time.perf_counter() - began


def scored(artifact: Artifact, hours: tuple[int, ...]) -> dict[str, float]:
    """Raw scores of slots so many hours ahead with three cards."""
    matrix = grid(artifact, hours)
    reference = partial(raw_logits, boosters_of(artifact.boosters))
    bag = FoldedBag(artifact.boosters, reference, len(artifact.columns))
    if bag.logits(matrix).tobytes() != reference(matrix).tobytes():
        sys.exit("the scores are not the same to the bit")
    figures = rivals(partial(bag.logits, matrix), partial(reference, matrix))
    return {"rows": float(len(matrix)), **figures}


def decided(artifact: Artifact, context: Context) -> dict[str, float]:
    """Whole decisions, explained and all, with both engines, beside the bare prediction of the same actions."""
    rulebook, economics = Rulebook.load(), Economics.default()
    each = [BoostedScorer(artifact, folding=folding) for folding in (True, False)]
    retries = candidates(context, horizon_of(context))
    matrix = frame(rows_of_context(context, retries), from_json(artifact.encoders))
    folded, lightgbm = (partial(decide, context, scorer, rulebook, economics) for scorer in each)
    if folded() != lightgbm():
        sys.exit("the decisions are not the same")
    figures = rivals(folded, lightgbm)
    bare = _median(partial(raw_logits, boosters_of(artifact.boosters), matrix))
    return {"rows": float(len(retries)), **figures, "predict_ms": bare}


def rivals(ours: Callable[[], object], theirs: Callable[[], object]) -> Mapping[str, float]:
    """Medians of both and the ratio over all rounds: median, lowest and highest."""
    ours(), theirs()
    rounds = [(_median(ours), _median(theirs)) for _ in range(ROUNDS)]
    ratios = [their / our for our, their in rounds]
    return {
        "folded_ms": statistics.median(our for our, _ in rounds),
        "lightgbm_ms": statistics.median(their for _, their in rounds),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
    }


def grid(artifact: Artifact, hours: tuple[int, ...]) -> Matrix:
    """The columns of every slot with every method, in order of time."""
    context = failure(days=40, processors=1)
    slots = [Slot(NOW + timedelta(hours=hour), NOW + timedelta(hours=hour + 1)) for hour in hours]
    retries = [Retry(slot, m.method_id, m.processors[0]) for slot in slots for m in context.methods]
    return frame(rows_of_context(context, retries), from_json(artifact.encoders))


def failure(*, days: int, processors: int) -> Context:
    """A failure for want of funds that may be recovered for so many days, with three cards."""
    methods = tuple(
        Method(f"card_{i}", Rail.CARD, network, Issuer(f"bank {i}", "DE"), processors=_rotated(i)[:processors])
        for i, network in enumerate(NETWORKS)
    )
    amount = Money(4900, "EUR")
    decline = classify("51", processor="stripe", network=Network.VISA, country="DE")
    ago = {"old": timedelta(days=40), "inv_1": timedelta(minutes=30)}
    attempts = tuple(
        Attempt(f"first {name}", name, "card_0", "stripe", amount, NOW - when, Outcome.DECLINED, decline=decline)
        for name, when in ago.items()
    )
    payment = Payment("inv_1", "acme", "cus_1", amount, NOW - timedelta(hours=1), NOW + timedelta(days=days))
    return Context(payment, methods, attempts, NOW)


def _rotated(place: int) -> tuple[str, ...]:
    return (*PROCESSORS[place:], *PROCESSORS[:place])


def _median(work: Callable[[], object]) -> float:
    """Milliseconds of this thread's processor time: what other programs do matters less."""
    spent = []
    for _ in range(TURNS):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return statistics.median(spent) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
