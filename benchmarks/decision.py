"""What one decision costs beside the bare prediction of the same rows: `python -m benchmarks.decision ARTIFACT`."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path

from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.encoders import Encoders, from_json
from features.frame import Matrix, frame
from features.rows import rows_of_context
from features.vocabulary import Outcome
from model.artifact import read_artifact
from model.boosted import BoostedScorer, boosters_of, raw_logits
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.caps.tally import event_of
from model.decide import decide
from model.economics import Economics
from model.prior import PriorScorer
from model.record import Record
from serving.contexts import context_of
from serving.requests import parse_request

REPEATS = 30
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def main(artifact_folder: str) -> None:
    """Print milliseconds of each part for every worked example, as JSON."""
    artifact = read_artifact(Path(artifact_folder))
    scorer, prior = BoostedScorer(artifact), PriorScorer()
    encoders, boosters = from_json(artifact.encoders), boosters_of(artifact.boosters)
    rulebook, economics = Rulebook.load(), Economics.default()
    figures = {}
    for example in sorted(files("serving.examples").iterdir(), key=lambda f: f.name):
        if not example.name.endswith(".json"):
            continue
        context = _context(example.read_bytes())
        retries = candidates(context, horizon_of(context))
        matrix = _columns(context, retries, encoders)
        figures[example.name.removesuffix(".json")] = {
            "actions": len(retries),
            "decide_ms": _median(partial(decide, context, scorer, rulebook, economics)),
            "decide_with_prior_ms": _median(partial(decide, context, prior, rulebook, economics)),
            "with_a_hold_far_ahead_to_without": _ratio(
                partial(decide, context, prior, rulebook, economics, record=_held_ahead(context)),
                partial(decide, context, prior, rulebook, economics),
            ),
            "features_ms": _median(partial(_columns, context, retries, encoders)),
            "predict_ms": _median(partial(raw_logits, boosters, matrix)),
        }
    print(json.dumps(figures))


def _context(body: bytes) -> Context:
    return context_of(parse_request(body), NOW)


def _held_ahead(context: Context) -> Record:
    """A hold on each method for another payment, 45 days from now."""
    at = context.as_of + timedelta(days=45)
    holds = tuple(
        Attempt(f"hold-{m.method_id}", "later", m.method_id, "held", context.payment.amount, at, Outcome.UNKNOWN)
        for m in context.methods
    )
    merchant_id = context.payment.merchant_id
    return Record(tuple(event_of(a, m, merchant_id) for a, m in zip(holds, context.methods, strict=True)))


def _columns(context: Context, retries: Sequence[Retry], encoders: Encoders) -> Matrix:
    return frame(rows_of_context(context, retries), encoders)


def _ratio(work: Callable[[], object], other: Callable[[], object]) -> float:
    """How many times as long one takes as the other, done in turn."""
    return statistics.median(_median(work, 5) / _median(other, 5) for _ in range(REPEATS // 5))


def _median(work: Callable[[], object], repeats: int = REPEATS) -> float:
    work()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


if __name__ == "__main__":
    main(sys.argv[1])
