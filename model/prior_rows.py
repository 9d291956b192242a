"""The shipped prior for whole arrays of rows: the same figures as `model.prior_few`, for histories and contexts alike.

`model.prior_few` reads what a decision asks about; training needs the prior of every row of a history. Both read the
same table, and a test holds them against each other on random contexts.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from features.calendars import days_from_payday, days_to_payday, is_banking_day
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.known import distinct, pick
from features.rows import Rows
from features.table import CATEGORIES, OUTCOMES, RETRYABILITIES
from features.time_zones import local_hour
from features.vocabulary import TECHNICAL, DeclineCategory, Outcome, Rail
from model.prior_table import HIGHEST, LOWEST, NO_USE_UNCHANGED, UNTRIED, PriorTable, shipped_table

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_UNKNOWN = CATEGORIES.index(DeclineCategory.UNKNOWN)
_PROCESSING = CATEGORIES.index(DeclineCategory.PROCESSING_ERROR)
_FUNDS = CATEGORIES.index(DeclineCategory.INSUFFICIENT_FUNDS)
_TECHNICAL = np.array([CATEGORIES.index(category) for category in TECHNICAL])
_ERROR = OUTCOMES.index(Outcome.ERROR)
_NO_USE = np.array([RETRYABILITIES.index(word) for word in NO_USE_UNCHANGED])


def prior_logits(rows: Rows, table: PriorTable | None = None) -> Floats:
    """Log-odds of approval of each row by the shipped prior, shape (rows,), within the prior's own limits."""
    figures = table or shipped_table()
    failed = rows.of_payment_method
    last, retried = failed.last(rows.table.failed), failed.total(rows.table.failed) - 1.0
    category = _categories(rows, last)
    days, circumstances = rows.day, figures.circumstances
    score = _means(figures, rows, category) + figures.hour.at(local_hour(rows.local))
    technical = np.isin(category, _TECHNICAL)
    score += np.where(technical | _banking(rows, days), 0.0, circumstances.bank_holiday)
    score += np.where(_approved_lately(rows, circumstances.approved_lately_days), circumstances.approved_lately, 0.0)
    after = _waiting(figures, category, (rows.at - pick(rows.table.at, last)) / MICROS_PER_HOUR)
    after += np.minimum(retried, circumstances.declined_retries_at_most) * circumstances.declined_retry
    after += np.where(np.isin(pick(rows.table.retryability, last, -1), _NO_USE), circumstances.no_use_unchanged, 0.0)
    moved = np.not_equal(pick(rows.table.processor.codes, last, -1), rows.table.processor.codes[rows.index])
    other = np.where(technical, circumstances.other_processor_technical, circumstances.other_processor)
    score += np.where(last >= 0, after + np.where(moved, other, 0.0), 0.0)
    score += np.where(category == _FUNDS, _paydays(figures, rows, days), 0.0)
    return np.clip(score, _logit(LOWEST), _logit(HIGHEST))


def _categories(rows: Rows, last: Int64s) -> Int64s:
    """Why the method failed last, -1 for untried; what never reached the issuer failed for a technical reason."""
    category = pick(rows.table.category, last, -1).astype(np.int64)
    category = np.where(category < 0, _UNKNOWN, category)
    error = np.equal(pick(rows.table.outcome, last, -1), _ERROR) & (category == _UNKNOWN)
    return np.where(last < 0, -1, np.where(error, _PROCESSING, category))


def _means(figures: PriorTable, rows: Rows, category: Int64s) -> Floats:
    means = _all_means(figures) if figures is not shipped_table() else _shipped_means()
    rail = rows.table.rail.codes[rows.index]
    return np.asarray(means[category, rail], dtype=np.float64)


@cache
def _shipped_means() -> Floats:
    return _all_means(shipped_table())


def _all_means(figures: PriorTable) -> Floats:
    """Log-odds by category, the last of them untried, and rail."""
    names = (*map(str, CATEGORIES), UNTRIED)
    return np.array([[_logit(figures.approval[name].mean(rail)) for rail in Rail] for name in names])


def _waiting(figures: PriorTable, category: Int64s, hours: Floats) -> Floats:
    shift = np.zeros(len(category))
    for code in distinct(category):
        chosen = category == code
        curve = figures.waiting[figures.approval[str(CATEGORIES[code])].waiting]
        shift[chosen] = curve.at(hours[chosen])
    return shift


def _banking(rows: Rows, days: Int64s) -> Flags:
    open_day = np.zeros(len(rows), dtype=np.bool_)
    for calendar, chosen in rows.calendars:
        open_day[chosen] = is_banking_day(calendar, days[chosen])
    return open_day


def _approved_lately(rows: Rows, within_days: float) -> Flags:
    last = rows.of_method.last(rows.table.approved)
    since = rows.decided_at - np.int64(within_days * MICROS_PER_DAY)
    return np.asarray((last >= 0) & (pick(rows.table.at, last, -np.inf) >= since), dtype=np.bool_)


def _paydays(figures: PriorTable, rows: Rows, days: Int64s) -> Floats:
    """Money on payday and after it; nothing where the country is not known."""
    before, shift = figures.before_payday
    country = rows.table.country.codes[rows.index]
    moved = np.zeros(len(rows))
    for code in distinct(country):
        chosen = country == code
        place = rows.table.country.word(int(code)) or ""
        after = figures.after_payday.at(days_from_payday(place, days[chosen]).astype(np.float64))
        ahead = days_to_payday(place, days[chosen])
        moved[chosen] = np.where((ahead > 0) & (ahead <= before) & (after <= 0.0), shift, after)
    return moved


def _logit(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))
