"""How good the probabilities were on logged retries, overall and by slice: the model's part of the report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.history_contexts import LoggedRetry
from experiments.resamples import Floats
from features.action import Retry, Slot
from features.instants import MICROSECOND, to_micros
from features.time_zones import local_day, local_hour, local_micros, weekday
from features.vocabulary import Outcome, Precision
from model.failures import category_of, failures
from model.issuer_clock import issuer_clock
from model.scorer import Scorer
from training.dataset import Group
from training.evaluate import MODEL, Evaluation, Judged, evaluate

_AT_ONCE = 2_048
_LATEST_ATTEMPT = 6
"""Later attempts share a slice."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Logged retries with the probability that a model which had not seen them gave; one position a retry.

    Args:
        words: By way of slicing, the word of each.
    """

    y: Floats
    p: Floats
    customers: tuple[str, ...]
    hour: Floats
    weekday: Floats
    words: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.y)

    @classmethod
    def joined(cls, parts: Sequence["Scored"]) -> "Scored":
        """One after the other."""
        return cls(
            y=np.concatenate([part.y for part in parts]),
            p=np.concatenate([part.p for part in parts]),
            customers=tuple(name for part in parts for name in part.customers),
            hour=np.concatenate([part.hour for part in parts]),
            weekday=np.concatenate([part.weekday for part in parts]),
            words={name: tuple(w for part in parts for w in part.words[name]) for name in parts[0].words},
        )

    def judged(self) -> Judged:
        """As `training.evaluate` takes them."""
        customer = np.unique(np.array(self.customers, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
        groups = {}
        for name, words in self.words.items():
            known, codes = np.unique(np.array(words, dtype=np.str_), return_inverse=True)
            groups[name] = Group(codes.astype(np.int64), tuple(str(word) for word in known))
        return Judged(self.y, customer, {MODEL: self.p}, groups, self.hour, self.weekday.astype(np.int64))

    def evaluation(self, resamples: int, seed: int) -> Evaluation:
        """Every figure with its interval, whole and by slice."""
        return evaluate(self.judged(), resamples, seed)


def scored(retries: Sequence[LoggedRetry], scorer: Scorer) -> Scored:
    """Score the retries whose outcome is known, each as of its decision."""
    told = [one for one in retries if one.attempt.outcome is not Outcome.UNKNOWN]
    p: list[float] = []
    for start in range(0, len(told), _AT_ONCE):
        asked = [(one.context, [_retry(one)]) for one in told[start : start + _AT_ONCE]]
        p += [float(scores.probability[0]) for scores in scorer.score_many(asked)]
    places = [_local(one) for one in told]
    return Scored(
        y=np.array([one.attempt.outcome is Outcome.APPROVED for one in told], dtype=np.float64),
        p=np.array(p, dtype=np.float64),
        customers=tuple(f"{o.context.payment.merchant_id}/{o.context.payment.customer_id}" for o in told),
        hour=np.array([hour for hour, _ in places], dtype=np.float64),
        weekday=np.array([day for _, day in places], dtype=np.float64),
        words={
            "category": tuple(str(category_of(failures(one.context)[-1])) for one in told),
            "issuer": tuple(_method_issuer(one) for one in told),
            "market": tuple(_market(one) for one in told),
            "attempt": tuple(_number(one) for one in told),
            "month": tuple(f"{one.attempt.at:%Y-%m}" for one in told),
        },
    )


def _retry(one: LoggedRetry) -> Retry:
    at = one.attempt.at
    return Retry(Slot(at, at + MICROSECOND), one.attempt.method_id, one.attempt.processor)


def _local(one: LoggedRetry) -> tuple[float, float]:
    zone = issuer_clock(one.context, one.context.method(one.attempt.method_id)).zone
    local = local_micros(zone, np.array([to_micros(one.attempt.at)], dtype=np.int64))
    hour = np.nan if one.attempt.precision is Precision.DAY else float(local_hour(local)[0])
    return hour, float(weekday(local_day(local))[0])


def _method_issuer(one: LoggedRetry) -> str:
    return one.context.method(one.attempt.method_id).issuer.issuer_id or "unknown"


def _market(one: LoggedRetry) -> str:
    return one.context.payment.market or one.context.method(one.attempt.method_id).issuer.country or "unknown"


def _number(one: LoggedRetry) -> str:
    number = len(one.context.own_attempts) + 1
    return str(number) if number < _LATEST_ATTEMPT else f"{_LATEST_ATTEMPT} or later"
