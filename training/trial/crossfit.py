"""Every episode judged by a model that saw neither its customer nor its time: folds of customers × windows of time.

For each window of time and each fold of customers, a model and every schedule are learnt from the *other* customers'
log *before* the window, and played on the fold's payments that failed *in* the window. Put together, all payments from
the first window on are judged once, each by policies that could have been in use then.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.history_contexts import HistoryContexts
from experiments.recorded_world import Recorded, RecordedWorld
from experiments.schedules.learnt import FullOutcomes, from_log, from_outcomes
from experiments.schedules.tries import tries_of
from features.calendars import to_day
from features.context import Context
from features.errors import InputError
from features.instants import to_micros
from model.boosted import BoostedScorer
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.schedules import NamedDays
from model.wording import local_date
from training.config import TrainingConfig
from training.pipeline import train
from training.trial.contest import Contest, Progress, contest, together
from training.trial.folds import last_days, log_of, maturity_of, owners_of, parts_of
from training.trial.lineup import LineUp
from training.trial.log import as_attempts
from training.trial.model_figures import Scored, scored


@dataclass(frozen=True, slots=True)
class Protocol:
    """How to cross-fit.

    Args:
        folds: Folds of customers, at least 2.
        windows: Windows of time after the first two fifths of the failures; 0 for none: each fold is then judged on
            its whole time by what the others' whole time taught.
        horizon_days: Local days after the failure in which retries count.
        most: Numbers of retries allowed.
    """

    folds: int
    windows: int
    horizon_days: int
    most: tuple[int, ...]
    wanted: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """What came of it.

    Args:
        contest: All policies on all judged payments.
        scored: The logged retries of the same customers and windows, scored by the models that did not see them.
        models: How many models were trained.
        left_out: Failed payments of the world that were not observed to the horizon.
        too_early: Failed payments before the first window: they only teach.
    """

    contest: Contest
    scored: Scored
    models: int
    left_out: int
    too_early: int


def cross_fit(
    history: pa.Table,
    outcomes: dict[str, Recorded],
    protocol: Protocol,
    config: TrainingConfig,
    rulebook: Rulebook,
    economics: Economics,
    tell: Progress,
) -> CrossFitted:
    """Train a model for every fold and window, and play every policy on what it did not see.

    Args:
        history: The merchant's log; all that anybody may learn from.
        outcomes: What each retry would have come to; for the world only, and for baselines named after it.
        config: How to train; its history is replaced by each part's.

    Raises:
        InputError: A part's log is too small to learn from.
    """
    tell("reading the log", 0, 1)
    contexts = HistoryContexts(history, protocol.horizon_days)
    world = RecordedWorld(contexts.failures(), outcomes, protocol.horizon_days)
    if not len(world):
        raise InputError(
            f"none of the {len(outcomes):,} payments of the world failed in this history and was observed for "
            f"{protocol.horizon_days} days"
        )
    failed, retries = list(world.failures()), list(contexts.retries())
    at = [to_micros(context.as_of) for context in failed]
    owners = owners_of((context.payment for context in failed), history)
    parts = list(parts_of(at, owners, protocol.folds, protocol.windows))
    contests, scores = [], []
    for number, part in enumerate(parts):

        def within(step: str, done: int, total: int, number: int = number) -> None:
            tell(f"model {number + 1} of {len(parts)}: {step}", done, total)

        known = [failed[i] for i in part.learn]
        scorer, timetables = _learnt(log_of(history, part), known, outcomes, protocol, config, within)
        lineup = LineUp(
            scorer, rulebook, economics, protocol.horizon_days, timetables, world=world, wanted=protocol.wanted
        )
        judge = [failed[i] for i in part.judge]
        contests.append(contest(world, judge, lineup, protocol.most, within))
        theirs = {_payment(context) for context in judge}
        scores.append(scored([one for one in retries if _payment(one.context) in theirs], scorer))
    judged = together(contests)
    return CrossFitted(
        judged, Scored.joined(scores), len(parts), world.left_out, too_early=len(world) - judged.payments
    )


def _payment(context: Context) -> tuple[str, str]:
    return context.payment.merchant_id, context.payment.payment_id


def _learnt(
    log: pa.Table,
    known: Sequence[Context],
    outcomes: dict[str, Recorded],
    protocol: Protocol,
    config: TrainingConfig,
    tell: Progress,
) -> tuple[BoostedScorer, dict[int, tuple[NamedDays, ...]]]:
    tries = tries_of(as_attempts(log), protocol.horizon_days)
    made = tries.failed_day + tries.day
    final = made <= made.max(initial=0) - maturity_of(log, config.maturity_days)
    days = last_days((tries.failed_day + tries.last)[final])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.parquet"
        pq.write_table(log, path)
        result = train(replace(config, history=path, test_days=days), tell)
    tell("learning schedules", 0, 1)
    timetables = from_log(tries, protocol.horizon_days, protocol.most)
    fitted = from_outcomes(_full(known, outcomes), protocol.horizon_days, protocol.most)
    return BoostedScorer(result.artifact, threads=2), {
        most: (*timetables[most], *fitted[most]) for most in protocol.most
    }


def _full(contexts: Sequence[Context], outcomes: dict[str, Recorded]) -> FullOutcomes:
    firsts = [failures(context)[0] for context in contexts]
    zones = [issuer_clock(c, c.method(f.method_id)).zone for c, f in zip(contexts, firsts, strict=True)]
    longest = max((len(outcomes[c.payment.payment_id].clears) for c in contexts), default=0)
    return FullOutcomes(
        failed_day=np.array([to_day(local_date(f.at, z)) for f, z in zip(firsts, zones, strict=True)], dtype=np.int64),
        clears=np.array(
            [[day == "1" for day in outcomes[c.payment.payment_id].clears.ljust(longest, "0")] for c in contexts],
            dtype=np.bool_,
        ).reshape(len(contexts), longest),
    )
