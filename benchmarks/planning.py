"""What a plan costs beside one scoring pass over its retries: `python -m benchmarks.planning ARTIFACT`."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.table import Asked
from features.vocabulary import Network, Outcome, Rail
from model.artifact import read_artifact
from model.boosted import BoostedScorer
from model.candidates import candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.planner import Case, Options, plan
from model.scorer import Scores, ScoreSource
from model.screening import screen

REPEATS = 15
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


class Counting:
    """A scorer that counts the retries it is asked about."""

    source: ScoreSource = "model"

    def __init__(self, scorer: BoostedScorer) -> None:
        self.scorer, self.version, self.retries = scorer, scorer.version, 0

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """As the scorer."""
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """As the scorer."""
        self.retries += sum(len(retries) for _, retries in asked)
        return self.scorer.score_many(asked)


def main(artifact_folder: str) -> None:
    """Print the milliseconds of both, how much was imagined, and their ratio, as JSON."""
    scorer = BoostedScorer(read_artifact(Path(artifact_folder)))
    rulebook, economics = Rulebook.load(), Economics.default()
    context = three_methods()
    screened = screen(context, candidates(context, horizon_of(context)), rulebook)
    options = Options(screened.allowed, scorer.score(context, screened.allowed), screened.verdicts)
    case, counting = Case(context, options, economics.max_retries), Counting(scorer)
    plan(case, counting, rulebook, economics)
    once = _median(partial(scorer.score, context, screened.allowed))
    planned = _median(partial(plan, case, scorer, rulebook, economics))
    figures = {
        "retries": len(screened.allowed),
        "imagined": counting.retries,
        "score_ms": once,
        "plan_ms": planned,
        "ratio": planned / once,
    }
    print(json.dumps(figures))


def three_methods() -> Context:
    """A failure for want of funds, to be recovered within 60 days, with three cards on two processors."""
    networks = (Network.VISA, Network.MASTERCARD, Network.VISA)
    methods = tuple(
        Method(f"card_{i}", Rail.CARD, network, Issuer(f"bank {i}", "DE"), processors=("stripe", "northgate"))
        for i, network in enumerate(networks)
    )
    amount = Money(4900, "EUR")
    decline = classify("51", processor="stripe", network=Network.VISA, country="DE")
    first = Attempt(
        "first", "inv_1", "card_0", "stripe", amount, NOW - timedelta(hours=1), Outcome.DECLINED, decline=decline
    )
    payment = Payment("inv_1", "acme", "cus_1", amount, NOW - timedelta(hours=1), NOW + timedelta(days=60))
    return Context(payment, methods, (first,), NOW)


def _median(work: Callable[[], object]) -> float:
    work()
    spent = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


if __name__ == "__main__":
    main(sys.argv[1])
