"""What moved a score, by subject: the additive parts of a model's log-odds, and the sentences they make.

A boosted model's log-odds are the sum of a base (the average retry it learnt from) and one contribution a column
(Lundberg et al. 2020). Columns of one subject are added up, so that few words say it; on the odds themselves the parts
multiply. The calibrator comes after and is no part of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.supposed import Supposed
from features.table import Asked
from model.decision import Reason, Topic
from model.scorer import Scorer, Scores
from model.wording import percent

Floats = NDArray[np.float64]

OTHER = "other circumstances"

# The first word list that holds a part of the column's name decides.
_SUBJECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "the reason of the decline",
        ("categor", "advice", "retryability", "money_declines", "technical_declines", "unsaid_dec", "other_declines"),
    ),
    ("the customer's own days", ("recovery_day", "customer_day", "customer_offset", "own_payday")),
    ("closeness to paydays", ("payday", "salary")),
    ("attempts made so far", ("attempts", "_run", "failures")),
    ("time since the last attempts", ("hours_since",)),
    ("the customer's history", ("customer",)),
    ("the amount", ("amount", "currency")),
    ("the processor", ("processor", "route")),
    ("the issuer's record", ("issuer", "bin_", "outage")),
    (
        "hour and day",
        ("hour", "weekday", "day_of_month", "month_end", "month_day", "banking", "holiday", "closed_day", "processing"),
    ),
    ("the method", ("method", "rail", "network", "funding", "credential", "country", "expiry", "three_d", "updater")),
)
_MOST = 4
_TELLING = 0.05  # a part that moves the odds by less than a twentieth is left to the rest


@dataclass(frozen=True, slots=True)
class Contribution:
    """The parts of one retry's log-odds before calibration: `base` plus the sum of `by_subject`."""

    base: float
    by_subject: Mapping[str, float]


@runtime_checkable
class Explaining(Protocol):
    """A scorer that can say what moved its scores."""

    def contributions(self, context: Context, retries: Sequence[Retry]) -> tuple[Contribution, ...]:
        """The parts of each retry's log-odds."""
        ...

    def explained(self, supposed: Supposed, told: Asked) -> tuple[Scores, tuple[Contribution, ...]]:
        """(scores of what is asked, the parts of what is told), for little more than either alone."""
        ...


def explains(scorer: Scorer) -> TypeGuard[Explaining]:
    """Whether the scorer can say so; looked at once for each kind of scorer."""
    return _explains(type(scorer))


@cache
def _explains(kind: type) -> bool:
    return issubclass(kind, Explaining)


@lru_cache(maxsize=1024)
def subject_of(column: str) -> str:
    """What a column is about, in words.

    >>> subject_of("days_from_payday"), subject_of("local_hour")
    ('closeness to paydays', 'hour and day')
    """
    return next((subject for subject, parts in _SUBJECTS if any(part in column for part in parts)), OTHER)


def by_subject(columns: Sequence[str], values: Sequence[float] | Floats, base: float) -> Contribution:
    """One retry's contributions, one a column, gathered by subject."""
    subjects, place = _subjects(tuple(columns))
    total = np.bincount(place, weights=values, minlength=len(subjects))
    return Contribution(base, dict(zip(subjects, total.tolist(), strict=True)))


@lru_cache(maxsize=64)
def _subjects(columns: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """(the subjects of the columns in the order in which they are met, place of each column's among them)."""
    place: dict[str, int] = {}
    each = [place.setdefault(subject_of(column), len(place)) for column in columns]
    return tuple(place), np.array(each, dtype=np.int64)


def contribution_reasons(chosen: Contribution, runner_up: Contribution | None) -> Iterator[Reason]:
    """What moved the chosen retry's score against an average retry, and against the runner-up."""
    average = percent(1.0 / (1.0 + float(np.exp(-chosen.base))))
    parts = _parts(chosen.by_subject)
    if parts:
        yield Reason(Topic.SCORE, f"Against the average retry the model learnt from ({average}), its odds are {parts}.")
    if runner_up is not None:
        keys = sorted({*chosen.by_subject, *runner_up.by_subject})
        apart = {key: chosen.by_subject.get(key, 0.0) - runner_up.by_subject.get(key, 0.0) for key in keys}
        parts = _parts(apart)
        if parts:
            yield Reason(Topic.SCORE, f"Against the runner-up, its odds are {parts}.")


def _parts(moved: Mapping[str, float]) -> str:
    """`×1.5: closeness to paydays ×1.8, the amount ×0.9, all else ×0.93`; nothing where nothing tells."""
    ranked = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))
    telling = [item for item in ranked if abs(item[1]) >= _TELLING][:_MOST]
    if not telling:
        return ""
    rest = sum(moved.values()) - sum(value for _, value in telling)
    named = [f"{subject} {_times(value)}" for subject, value in telling]
    if len(telling) < len(moved):
        named.append(f"all else {_times(rest)}")
    return f"{_times(sum(moved.values()))}: {', '.join(named)}"


def _times(log_odds: float) -> str:
    return f"×{float(np.exp(log_odds)):.2f}"
