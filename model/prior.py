"""The shipped prior as a scorer: answers before there is a model, widely, and says that it is a prior.

The log-odds of approval are those of the category of the method's last decline on its rail, plus a shift for each
circumstance (hours waited, declined retries before, local hour, banking day, payday, route). The interval is the
central 90 % of the Beta distribution with that mean and the category's weight as pseudo-count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.attempt import Attempt
from features.calendars import days_from_payday, days_to_payday, is_banking_day
from features.context import Context
from features.instants import MICROS_PER_HOUR, to_micros
from features.table import Asked
from features.time_zones import local_day, local_hour, local_micros
from features.vocabulary import TECHNICAL, DeclineCategory, Outcome, Retryability
from model.failures import category_of, failures
from model.issuer_clock import IssuerClock, issuer_clock
from model.prior_table import UNTRIED, Approval, PriorTable, shipped_table
from model.scorer import Scores, ScoreSource

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

LOWEST, HIGHEST = 0.002, 0.98
TAIL = 0.05

NO_USE_UNCHANGED = (Retryability.NEVER, Retryability.AFTER_FIX, Retryability.WITH_AUTHENTICATION)


@dataclass(frozen=True, slots=True)
class PriorScorer:
    """P(approved) from the table of the prior; pure and quick."""

    table: PriorTable = field(default_factory=shipped_table)

    @property
    def version(self) -> str:
        """`prior-` and a short hash of its figures."""
        return f"prior-{self.table.version}"

    @property
    def source(self) -> ScoreSource:
        """Always `prior`."""
        return "prior"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """P(approved) of each retry; the interval is that of a Beta distribution, 90 %."""
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts; the intervals, which cost most, are found at once."""
        if not asked:
            return ()
        parts = [_log_odds(self.table, context, retries) for context, retries in asked]
        logit = np.concatenate([part[0] for part in parts])
        weight = np.concatenate([part[1] for part in parts])
        probability = np.clip(1.0 / (1.0 + np.exp(-logit)), LOWEST, HIGHEST)
        low, high = _interval(probability, weight)
        return Scores(probability, low, high, self.version, self.source).split([len(part[0]) for part in parts])


def _log_odds(table: PriorTable, context: Context, retries: Sequence[Retry]) -> tuple[Floats, Floats]:
    """(log-odds of approval, weight) of each retry, each of shape (n,)."""
    logit = np.zeros(len(retries))
    weight = np.ones(len(retries))
    routes: dict[tuple[str, str], list[int]] = {}
    for i, retry in enumerate(retries):
        routes.setdefault((retry.method_id, retry.processor), []).append(i)
    for (method_id, processor), places in routes.items():
        at = np.array([retries[i].slot.start_micros for i in places], dtype=np.int64)
        logit[places], weight[places] = _route(table, context, method_id, processor, at)
    return logit, weight


def _route(table: PriorTable, context: Context, method_id: str, processor: str, at: Int64s) -> tuple[Floats, float]:
    """(log-odds of approval at each instant, weight) for one method through one processor."""
    method = context.method(method_id)
    clock = issuer_clock(context, method)
    failed = failures(context, method_id)
    approval = table.approval[category_of(failed[-1]) if failed else UNTRIED]
    local = local_micros(clock.zone, at)
    days = local_day(local)
    logit = np.full(at.shape, _logit(approval.mean(method.rail)))
    logit += table.hour.at(local_hour(local))
    if not failed or category_of(failed[-1]) not in TECHNICAL:
        logit += np.where(is_banking_day(clock.calendar, days), 0.0, table.circumstances.bank_holiday)
    if _approved_lately(context, method_id, table.circumstances.approved_lately_days):
        logit += table.circumstances.approved_lately
    if failed:
        logit += _after_failures(table, approval, failed, processor, at)
    if failed and category_of(failed[-1]) is DeclineCategory.INSUFFICIENT_FUNDS:
        logit += _payday(table, clock, days)
    return logit, approval.weight


def _after_failures(
    table: PriorTable, approval: Approval, failed: Sequence[Attempt], processor: str, at: Int64s
) -> Floats:
    waited = (at - to_micros(failed[-1].at)) / MICROS_PER_HOUR
    shift = table.waiting[approval.waiting].at(waited)
    retried = min(len(failed) - 1.0, table.circumstances.declined_retries_at_most)
    shift += retried * table.circumstances.declined_retry
    if failed[-1].decline is not None and failed[-1].decline.retryability in NO_USE_UNCHANGED:
        shift += table.circumstances.no_use_unchanged
    if processor != failed[-1].processor:
        technical = category_of(failed[-1]) in TECHNICAL
        circumstances = table.circumstances
        shift += circumstances.other_processor_technical if technical else circumstances.other_processor
    return shift


def _payday(table: PriorTable, clock: IssuerClock, days: Int64s) -> Floats:
    """Money on payday and after it; nothing where the country is not known."""
    if clock.country is None:
        return np.zeros(days.shape)
    before, shift = table.before_payday
    after = table.after_payday.at(days_from_payday(clock.country, days).astype(np.float64))
    ahead = days_to_payday(clock.country, days)
    return np.where((ahead > 0) & (ahead <= before) & (after <= 0.0), shift, after)


def _approved_lately(context: Context, method_id: str, days: float) -> bool:
    since = context.as_of - timedelta(days=days)
    return any(a.method_id == method_id and a.outcome is Outcome.APPROVED and a.at >= since for a in context.attempts)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))


def _interval(probability: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Ends of the central 90 % of Beta(p·w, (1 − p)·w), widened to hold the mean where the skew leaves it outside."""
    from scipy.special import betaincinv  # takes long to load, and a service with a model asks for no such interval

    pairs, back = np.unique(np.column_stack([probability, weight]), axis=0, return_inverse=True)
    a, b = pairs[:, 0] * pairs[:, 1], (1.0 - pairs[:, 0]) * pairs[:, 1]
    low = np.minimum(betaincinv(a, b, TAIL), pairs[:, 0])
    high = np.maximum(betaincinv(a, b, 1.0 - TAIL), pairs[:, 0])
    back = back.reshape(-1)
    return low[back], high[back]
