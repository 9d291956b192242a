"""Which processor should carry an attempt: the learnt route against every single processor, read off the log.

The action is the processor alone; time and method are as they were. Every attempt is judged by a model that saw neither
its customer nor its time (`training.trial.folds`). The reward is the profit of the attempt by the economics file: what
an approval is worth at once less its fee, or the fee and harm of a decline. Propensities are estimated: the share of
attempts that went to each processor after the same processor (or none) in the same country and network, among other
customers' earlier attempts, shrunk to the share overall.
"""

import tempfile
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from experiments.history_contexts import HistoryContexts, LoggedRetry
from experiments.off_policy.decisions import Decisions
from experiments.off_policy.verdict import Contrast, Log, Valued, contrasts, valued
from experiments.resamples import Resamples
from features.action import Retry, Slot
from features.errors import InputError
from features.instants import MICROS_PER_DAY, MICROSECOND, to_micros
from features.money import Money, minor_digits
from features.vocabulary import Outcome
from model.boosted import BoostedScorer
from model.economics import Economics
from model.valuation import values
from training.config import TrainingConfig
from training.pipeline import train
from training.trial.contest import Progress
from training.trial.folds import Part, last_days, log_of, maturity_of, owners_of, parts_of

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

LEARNT = "learnt route"
AS_LOGGED = "as logged"
PROFIT, APPROVED = "profit", "approved"
ESTIMATOR = "dr"
_PRIOR_ATTEMPTS = 50.0
_AT_ONCE = 1_024
_DAYS = 1  # attempts of a purchase follow within minutes


@dataclass(frozen=True, slots=True)
class Routing:
    """What the log says of routes.

    Args:
        attempts: Judged attempts.
        values: By reward (`profit` in major units of `currency`, `approved` as a share), then route.
        ahead: The learnt route less every processor in profit, Holm-corrected.
        shares: Share of attempts that the learnt route sends to each processor.
    """

    attempts: int
    currency: str
    values: dict[str, dict[str, Valued]]
    ahead: Sequence[Contrast]
    shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Judged attempts of one part; n attempts, k processors.

    Args:
        chosen: Position of the processor used, shape (n,).
        p: P(approved) through each processor, shape (n, k).
        won, lost: Profit in major units if approved and if not, through each processor, shape (n, k).
        logged: Propensity of each processor, shape (n, k).
    """

    approved: Floats
    chosen: Int64s
    p: Floats
    won: Floats
    lost: Floats
    logged: Floats
    customers: tuple[str, ...]


def routing(
    history: pa.Table,
    config: TrainingConfig,
    economics: Economics,
    *,
    folds: int,
    windows: int,
    resamples: int,
    seed: int,
    tell: Progress,
) -> Routing:
    """Value the learnt route and every single processor.

    Args:
        history: The merchant's log.
        config: How to train; learns from first attempts too.

    Raises:
        InputError: The log holds one processor only, or a part of it is too small to learn from.
    """
    processors = sorted(set(history["processor"].to_pylist()))
    if len(processors) < 2:
        raise InputError(f"the history holds one processor only ({processors[0]}); there is no route to learn")
    tell("reading the log", 0, 1)
    every = list(HistoryContexts(history, _DAYS, everyone=True).attempts())
    told = [one for one in every if one.attempt.outcome is not Outcome.UNKNOWN]
    at = [to_micros(one.attempt.at) for one in told]
    names = owners_of((one.context.payment for one in told), history)
    parts = list(parts_of(at, names, folds, windows))
    found = []
    for number, part in enumerate(parts):

        def within(step: str, done: int, total: int, number: int = number) -> None:
            tell(f"model {number + 1} of {len(parts)}: {step}", done, total)

        scorer = _trained(history, part, config, within)
        learn = [told[i] for i in part.learn]
        found.append(_rows([told[i] for i in part.judge], learn, processors, scorer, economics, within))
    return _valued(_joined(found), processors, economics.exchange.base, resamples, seed)


def _trained(history: pa.Table, part: Part, config: TrainingConfig, tell: Progress) -> BoostedScorer:
    log = log_of(history, part)
    made = log["attempted_at"].cast(pa.int64()).to_numpy() // MICROS_PER_DAY
    final = made <= made.max(initial=0) - maturity_of(log, config.maturity_days)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.parquet"
        pq.write_table(log, path)
        settings = replace(config, history=path, first_attempts=True, test_days=_days(made, final))
        result = train(settings, tell)
    return BoostedScorer(result.artifact, threads=2)


def _days(made: Int64s, final: NDArray[np.bool_]) -> int:
    """Last days for the pipeline's own verdict, where outcomes may be final at once or only later."""
    return last_days(made[final]) + int(made.max() - made[final].max())


def _rows(
    judge: Sequence[LoggedRetry],
    learn: Sequence[LoggedRetry],
    processors: Sequence[str],
    scorer: BoostedScorer,
    economics: Economics,
    tell: Progress,
) -> _Rows:
    k = len(processors)
    p, won, lost = (np.empty((len(judge), k)) for _ in range(3))
    for start in range(0, len(judge), _AT_ONCE):
        tell("scoring routes", start, len(judge))
        some = judge[start : start + _AT_ONCE]
        asked = [(one.context, [_retry(one, processor) for processor in processors]) for one in some]
        scores = scorer.score_many(asked)
        p[start : start + len(some)] = np.array([each.probability for each in scores])
        for row, (context, retries) in enumerate(asked, start):
            scale = _major_per_minor(context.payment.amount, economics)
            won[row] = scale * values(context, retries, np.ones(k), economics).net
            lost[row] = scale * values(context, retries, np.zeros(k), economics).net
    return _Rows(
        approved=np.array([one.attempt.outcome is Outcome.APPROVED for one in judge], dtype=np.float64),
        chosen=np.array([processors.index(one.attempt.processor) for one in judge], dtype=np.int64),
        p=p,
        won=won,
        lost=lost,
        logged=_propensities(judge, learn, processors),
        customers=tuple(f"{o.context.payment.merchant_id}/{o.context.payment.customer_id}" for o in judge),
    )


def _major_per_minor(amount: Money, economics: Economics) -> float:
    """Major units of the economics' base currency for a minor unit of the amount's."""
    base = economics.exchange.base
    return economics.exchange.minor_units(amount, base) / amount.amount_minor / 10.0 ** minor_digits(base)


def _propensities(judge: Sequence[LoggedRetry], learn: Sequence[LoggedRetry], processors: Sequence[str]) -> Floats:
    """P(processor | the one before, country, network), shape (n, k)."""
    overall = Counter(one.attempt.processor for one in learn)
    base = np.array([overall[name] for name in processors], dtype=np.float64) / max(len(learn), 1)
    by_cell: dict[Hashable, Counter[str]] = {}
    for one in learn:
        by_cell.setdefault(_cell(one), Counter())[one.attempt.processor] += 1
    known: dict[Hashable, Floats] = {}
    for cell, counts in by_cell.items():
        seen = np.array([counts[name] for name in processors], dtype=np.float64)
        known[cell] = (seen + _PRIOR_ATTEMPTS * base) / (seen.sum() + _PRIOR_ATTEMPTS)
    return np.array([known.get(_cell(one), base) for one in judge])


def _cell(one: LoggedRetry) -> Hashable:
    method = one.context.method(one.attempt.method_id)
    own = one.context.own_attempts
    return own[-1].processor if own else None, method.issuer.country, method.network


def _retry(one: LoggedRetry, processor: str) -> Retry:
    at = one.attempt.at
    return Retry(Slot(at, at + MICROSECOND), one.attempt.method_id, processor)


def _joined(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        approved=np.concatenate([part.approved for part in parts]),
        chosen=np.concatenate([part.chosen for part in parts]),
        p=np.concatenate([part.p for part in parts]),
        won=np.concatenate([part.won for part in parts]),
        lost=np.concatenate([part.lost for part in parts]),
        logged=np.concatenate([part.logged for part in parts]),
        customers=tuple(name for part in parts for name in part.customers),
    )


def _valued(rows: _Rows, processors: Sequence[str], currency: str, resamples: int, seed: int) -> Routing:
    expected = rows.p * rows.won + (1.0 - rows.p) * rows.lost
    best = expected.argmax(axis=1)
    routes: dict[str, Int64s] = {LEARNT: best}
    routes |= {name: np.full(len(best), place) for place, name in enumerate(processors)}
    customer = np.unique(np.array(rows.customers, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
    draws = Resamples.draw(customer, resamples, seed)
    every = np.arange(len(best))
    profit = np.where(rows.approved > 0, rows.won[every, rows.chosen], rows.lost[every, rows.chosen])
    logs = {
        PROFIT: _logs(rows, profit, expected, routes, customer),
        APPROVED: _logs(rows, rows.approved, rows.p, routes, customer),
    }
    pairs = [(LEARNT, name) for name in (*processors, AS_LOGGED)]
    return Routing(
        attempts=len(best),
        currency=currency,
        values={name: valued(those, draws) for name, those in logs.items()},
        ahead=contrasts(logs[PROFIT], pairs, ESTIMATOR, draws),
        shares={name: float(np.mean(best == place)) for place, name in enumerate(processors)},
    )


def _logs(rows: _Rows, reward: Floats, guess: Floats, routes: Mapping[str, Int64s], customer: Int64s) -> dict[str, Log]:
    """The log as each route sees it, and as it was; `guess` of the reward has shape (n, k)."""
    every, one = np.arange(len(reward)), np.ones(len(reward))
    found: dict[str, Log] = {
        name: Decisions(
            reward=reward,
            logged=rows.logged[every, rows.chosen],
            target=np.equal(rows.chosen, to).astype(np.float64),
            customer=customer,
            q=guess[every, rows.chosen],
            v=guess[every, to],
        )
        for name, to in routes.items()
    }
    found[AS_LOGGED] = Decisions(reward, one, one, customer, guess[every, rows.chosen], guess[every, rows.chosen])
    return found
