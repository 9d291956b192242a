"""What a merchant's own history says of an experiment beforehand: how much comes back, how many would take part.

These are the figures that power and run time are computed from.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.analysis.power import Baseline, Needed, needed
from experiments.analysis_plans import FIRST_UNITS, design_of, window_of
from experiments.assignment import FirstFailure, targets
from experiments.definition import BUCKETS, Definition, Target, Unit
from features.countries import country_or_market
from features.declines.taxonomy import classify
from features.money import Money
from features.vocabulary import FAILED, DeclineCategory, Network, Outcome, Rail
from model.economics import Economics, Exchange
from serving.arrivals import Arrivals, arrivals_of
from serving.history_file import open_history
from serving.past_units import primary_baseline

Floats = NDArray[np.float64]

_CODE = ("code", "processor", "network", "subcode", "advice_code", "issuer_country", "market", "outcome")
_COLUMNS = (
    *("payment_id", "merchant_id", "customer_id", "attempted_at", "amount_minor", "currency", "rail"),
    *("initiator", *_CODE),
)
_PAYMENT = ["merchant_id", "payment_id"]
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class BaseRate:
    """What the history says about one definition.

    Args:
        units: Units with a failed payment of the target whose window is over.
        per_week: New ones a week that would be in the experiment's part of the namespace, at full coverage.
        recovered: Share of their failed amount that came back within the window.
        primary: What power is computed from; None where the history says nothing of the primary metric.
        arrivals: All of the target's, whatever part of the namespace they are in; None for as many in every week.
    """

    units: int
    per_week: float
    recovered: float
    primary: Baseline | None = None
    arrivals: Arrivals | None = None


def history_of(path: Path) -> pa.Table:
    """The columns of an attempt history that base rates are made of.

    Raises:
        InputError: It is not there, or is no attempt history.
    """
    with open_history(path, _COLUMNS) as file:
        return file.read(list(_COLUMNS))


def history_span(history: pa.Table) -> int:
    """Whole days from the first attempt to the last."""
    if not len(history):
        return 0
    ends = pc.min_max(history["attempted_at"]).as_py()
    return int((ends["max"] - ends["min"]).days)


def base_rate(history: pa.Table, definition: Definition, economics: Economics) -> BaseRate | None:
    """The rate at which failed amounts of the target came back within the window; None where no unit is mature.

    Each payment is followed from its first failure, and counts where the history goes on for the whole window
    afterwards. With R and F a unit's recovered and failed amount in the economics' base currency, the share is ΣR / ΣF.

    Raises:
        InvalidValueError: A currency has no rate in the economics.
    """
    attempts = history.to_pandas().sort_values("attempted_at", kind="stable")
    followed = _followed(attempts)
    if not len(followed):
        return None
    window = timedelta(days=definition.window_days)
    last = pd.Timestamp(pc.max(history["attempted_at"]).as_py())
    followed["category"] = _categories(followed)
    followed["counted"] = _in_target(followed, definition.target) & (followed["attempted_at"] + window <= last)
    counted = followed[followed["counted"]]
    if not len(counted):
        return None
    amount = _in_base(counted, economics.exchange)
    back = np.where((counted["paid_at"] - counted["attempted_at"]) <= window, amount, 0.0)
    unit = "customer_id" if definition.unit is Unit.CUSTOMER else "payment_id"
    codes = counted.groupby(["merchant_id", unit], sort=False).ngroup().to_numpy()
    failed_sum, back_sum = np.bincount(codes, amount), np.bincount(codes, back)
    share = float(back_sum.sum() / failed_sum.sum())
    arrivals = _arrivals(counted, codes)
    per_week = _part(definition) * arrivals.per_week
    primary = primary_baseline(followed, attempts, definition, per_week, economics)
    return BaseRate(len(failed_sum), per_week, share, primary, arrivals)


def run_time(definition: Definition, rate: BaseRate) -> Needed | None:
    """Units of control and smallest variant, and weeks, until the smallest effect is found with the planned power.

    None where the history says nothing of the primary metric.
    """
    if rate.primary is None or not rate.primary.mean:
        return None
    effect = definition.smallest_effect * rate.primary.mean
    window = window_of(definition)
    found = needed(rate.primary, effect, design_of(definition), window)
    if rate.arrivals is None:
        return found
    all_units = _exposed(definition, found) / _part(definition)
    return replace(found, weeks=rate.arrivals.weeks_until(all_units) + window.days / 7)


def arriving(definition: Definition, run: Needed) -> float:
    """New units a week while such a run takes units in, at full coverage."""
    return _exposed(definition, run) / (run.weeks - window_of(definition).days / 7)


def _exposed(definition: Definition, run: Needed) -> float:
    """Units of all variants, and those that the coverage leaves out, when those of both arms are there."""
    design = design_of(definition)
    return run.units / (design.coverage * (design.control_share + design.variant_share))


def _part(definition: Definition) -> float:
    """Of the namespace."""
    return (definition.namespace.end - definition.namespace.first) / BUCKETS


def _arrivals(counted: pd.DataFrame, codes: NDArray[np.int64]) -> Arrivals:
    """From half-way through what is counted; from its beginning where too few came since (as in `past_units`)."""
    at = counted["attempted_at"]
    days = ((at - at.min()).to_numpy() / _DAY).astype(np.float64)
    end = max(float(days[-1]), 1.0)
    late = days >= end / 2
    began = end / 2 if len(np.unique(codes[late])) >= FIRST_UNITS else 0.0
    kept = days >= began
    return arrivals_of((days[kept] - began) / 7, codes[kept], (end - began) / 7)


def _followed(attempts: pd.DataFrame) -> pd.DataFrame:
    """The first failure of each payment, with when it was paid afterwards, in order of time; NaT where it was not."""
    failed = attempts[attempts["outcome"].isin([outcome.value for outcome in FAILED])]
    first = failed.drop_duplicates(_PAYMENT)
    approved = attempts[attempts["outcome"] == Outcome.APPROVED.value][[*_PAYMENT, "attempted_at"]]
    paid = approved.drop_duplicates(_PAYMENT).rename(columns={"attempted_at": "paid_at"})
    joined = first.merge(paid, on=_PAYMENT, how="left")
    # What was paid before it failed is no recovery, and no failure either.
    return joined[~(joined["paid_at"] < joined["attempted_at"])].copy()


def _in_target(first: pd.DataFrame, target: Target) -> pd.Series:
    """Whether each first failure is one of the target; its market is the payment's own, else the issuer's country."""
    market = first["market"].fillna(first["issuer_country"])
    names = ("merchant_id", "customer_id", "payment_id", "attempted_at", "amount_minor", "currency", "rail", "category")
    failures = (
        FirstFailure(whose, payer, payment, at, Money(int(minor), currency), Rail(rail), DeclineCategory(why), place)
        for whose, payer, payment, at, minor, currency, rail, why, place in zip(
            *(first[name] for name in names), market, strict=True
        )
    )
    kept = [targets(target, failure) for failure in failures]
    return pd.Series(kept, index=first.index, dtype=bool)


def _categories(first: pd.DataFrame) -> pd.Series:
    """Why each failed, as its code was meant on that day and in its market; read once for every distinct answer."""
    answers = first[list(_CODE)].astype(object)
    answers = answers.where(answers.notna(), None)
    answers["day"] = first["attempted_at"].dt.floor("D")
    told = list(answers.itertuples(index=False, name=None))
    read = {answer: _category(*answer) for answer in set(told)}
    return pd.Series([read[answer] for answer in told], index=first.index)


def _category(
    code: str | None,
    processor: str,
    network: str | None,
    subcode: str | None,
    advice_code: str | None,
    issuer_country: str | None,
    market: str | None,
    outcome: str,
    day: pd.Timestamp,
) -> str:
    found = classify(
        code,
        processor=processor,
        network=Network(network or Network.UNKNOWN),
        subcode=subcode,
        advice_code=advice_code,
        at=day.to_pydatetime(),
        country=country_or_market(issuer_country, market),
    ).category
    if found is DeclineCategory.UNKNOWN and outcome == Outcome.ERROR:
        return DeclineCategory.PROCESSING_ERROR.value
    return found.value


def _in_base(counted: pd.DataFrame, exchange: Exchange) -> Floats:
    """The amounts in minor units of the base currency."""
    rates = {code: exchange.minor_units(Money(1, code), exchange.base) for code in counted["currency"].unique()}
    amounts: Floats = counted["amount_minor"].to_numpy(dtype=np.float64) * counted["currency"].map(rates).to_numpy()
    return amounts
