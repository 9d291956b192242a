"""For tests of plans: a scorer with a known shape, failures to plan for, and the best path by trying every one."""

from collections.abc import Sequence
from datetime import timedelta
from math import cos, exp, pi

import numpy as np

from context_builders import card, context, failed
from features.action import Retry
from features.context import Context
from features.table import Asked
from features.vocabulary import Network, Precision
from model.candidates import candidates, horizon_of
from model.economics import Economics
from model.failures import failures
from model.planner import Case, Options
from model.planning.imagined import Imagining
from model.scorer import Scorer, Scores, ScoreSource
from model.valuation import values

MEAN = Economics.from_toml("[planning]\ncaution = 0.0\nmax_retries = 100\n")


class Wavy:
    """Chances that follow the week, fall with every failure, more with the method's own, and recover with time."""

    version = "wavy"
    source: ScoreSource = "model"

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.phase, self.height = draw.uniform(0, 7, 3), draw.uniform(0.3, 1.2)
        self.level = draw.uniform(-2.0, -0.3, 3)
        self.fall, self.own, self.fresh = draw.uniform(0.05, 0.4), draw.uniform(0.05, 0.5), draw.uniform(0.3, 2.0)
        self.other_processor = draw.uniform(-0.4, 0.4)

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        p = np.array([self._chance(context, retry) for retry in retries])
        return Scores(p, p, p, self.version, self.source)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        return tuple(self.score(context, retries) for context, retries in asked)

    def _chance(self, context: Context, retry: Retry) -> float:
        failed_, own = failures(context), failures(context, retry.method_id)
        place = [method.method_id for method in context.methods].index(retry.method_id)
        day = retry.slot.start.timestamp() / 86_400
        gap = (retry.slot.start - failed_[-1].at) / timedelta(days=1)
        logit = self.level[place] + self.height * cos(2 * pi * (day + self.phase[place]) / 7)
        logit -= self.fall * (len(failed_) - 1) + self.own * len(own) + self.fresh * exp(-gap / 2)
        logit += self.other_processor * (retry.processor != failed_[-1].processor)
        return 1.0 / (1.0 + exp(-logit))


def daily(days: int, methods: int = 1, processors: Sequence[str] = ("north",)) -> Context:
    """A failure of yesterday of which only days are known, recoverable for so many days with so many cards."""
    networks = (Network.VISA, Network.MASTERCARD, Network.AMERICAN_EXPRESS)
    cards = [card(f"card_{i + 1}", networks[i], processors=tuple(processors)) for i in range(methods)]
    first = failed(cards[0], "51", ago=timedelta(days=1), precision=Precision.DAY)
    return context(cards, [first], days=days)


def case_of(failure: Context, scorer: Scorer, most: int) -> Case:
    """Everything proposed and no rule against it."""
    retries = candidates(failure, horizon_of(failure))
    return Case(failure, Options(retries, scorer.score(failure, retries), ((),) * len(retries)), most)


def value_of(case: Case, path: Sequence[int], scorer: Scorer, economics: Economics) -> float:
    """What a path is worth by the scorer's own chances after each of its declines, minor units."""
    retries = [case.options.retries[i] for i in path]
    total, reached = 0.0, 1.0
    for step, retry in enumerate(retries):
        p = scorer.score(Imagining(case.context).after(retries[:step]), [retry]).probability
        total += reached * float(values(case.context, [retry], p, economics).net[0])
        reached *= 1.0 - float(p[0])
    return total


def best_path(case: Case, scorer: Scorer, economics: Economics, path: tuple[int, ...] = ()) -> tuple[float, list[int]]:
    """(value, path) of the best continuation after a path of declines, by trying every one in order of time."""
    best: tuple[float, list[int]] = (0.0, [])
    options = case.options.retries
    since = options[path[-1]].slot.end if path else case.context.as_of
    later = [j for j, retry in enumerate(options) if retry.slot.start >= since]
    if len(path) == case.most or not later:
        return best
    imagined = Imagining(case.context).after([options[i] for i in path])
    retries = [options[j] for j in later]
    chance = scorer.score(imagined, retries).probability
    net = values(case.context, retries, chance, economics).net
    for j, p, own in zip(later, chance.tolist(), net.tolist(), strict=True):
        then, follow = best_path(case, scorer, economics, (*path, j))
        if own + (1.0 - p) * then > best[0]:
            best = own + (1.0 - p) * then, [j, *follow]
    return best
