"""Units as an experiment would have had them, had it begun half-way through a merchant's own history.

Whoever first failed after the middle is a unit, with everything from before it as its past; so what a covariate takes
off is measured on other payments than it is made from, as it will be in the experiment.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import pandas as pd

from experiments.analysis.analysis import metric
from experiments.analysis.power import Baseline, baseline
from experiments.analysis_plans import FIRST_UNITS, covariates_of, window_of
from experiments.cohorts import SEGMENTS, ObservedPayment, cohort_of
from experiments.covariates import NO_PAST, Expectations, Past
from experiments.definition import Definition, Unit
from experiments.metrics.unit_rows import unit_rows
from experiments.outcomes import Followed, Try, outcome_of
from experiments.payers import BEYOND_PAYMENTS
from features.money import Money
from features.vocabulary import DeclineCategory, Initiator, Outcome, Rail
from model.economics import Economics

_PAYMENT = ["merchant_id", "payment_id"]
Key = tuple[str, str]


def primary_baseline(
    failed: pd.DataFrame, attempts: pd.DataFrame, definition: Definition, per_week: float, economics: Economics
) -> Baseline | None:
    """Mean and variance of the primary metric, and what the covariate takes off; None where the history says neither.

    Args:
        failed: The first failure of every payment, with `category`, `paid_at`, and whether it is `counted`: of the
            target, with its window over.
        attempts: Every attempt, in order of time.
        per_week: New units a week.
    """
    if definition.primary_metric in BEYOND_PAYMENTS:
        return None
    counted = failed[failed["counted"]]
    began = counted["attempted_at"].min() + (counted["attempted_at"].max() - counted["attempted_at"].min()) / 2
    unit = "customer_id" if definition.unit is Unit.CUSTOMER else "payment_id"
    late = counted[counted["attempted_at"] >= began]
    # A part too small to measure a covariate on is not worth less data for all the rest.
    halved = len(late.drop_duplicates(["merchant_id", unit])) >= FIRST_UNITS
    taking_part = late if halved else counted
    expectations = _expectations(failed, definition, began) if halved else Expectations()
    pasts = _pasts(failed) if halved else {}
    observed = _observed(taking_part, attempts, definition, unit, expectations, pasts)
    cohort = cohort_of(observed, (definition.control,), economics)
    known = covariates_of(definition).get(definition.primary_metric) if halved else None
    as_of = attempts["attempted_at"].max().to_datetime64()
    rows = unit_rows(metric(definition.primary_metric), cohort, window_of(definition), as_of, known)
    if len(rows) < 2 or not rows.columns[:, 0].any() or not rows.columns[:, 1].any():
        return None
    found = baseline(rows.columns, weeks=1.0)
    return Baseline(found.mean, found.variance, found.reduction, per_week)


def _expectations(failed: pd.DataFrame, definition: Definition, began: pd.Timestamp) -> Expectations:
    window = timedelta(days=definition.window_days)
    before = failed[failed["attempted_at"] <= began - window]
    recovered = (before["paid_at"] - before["attempted_at"]) <= window
    told = recovered.groupby(before["category"]).agg(["size", "sum"])
    return Expectations({DeclineCategory(str(name)): Past(int(n), int(r)) for name, n, r in told.itertuples(name=None)})


def _pasts(failed: pd.DataFrame) -> Mapping[Key, Past]:
    """What each payment's payer had failed and recovered before; `failed` in order of time."""
    earlier: dict[Key, list[pd.Timestamp]] = defaultdict(list)
    found: dict[Key, Past] = {}
    columns = ["merchant_id", "payment_id", "customer_id", "attempted_at", "paid_at"]
    for merchant, payment, customer, at, paid_at in failed[columns].itertuples(index=False, name=None):
        known = earlier[merchant, customer]
        if known:
            found[merchant, payment] = Past(len(known), sum(paid < at for paid in known))
        known.append(paid_at)
    return found


def _observed(
    failed: pd.DataFrame,
    attempts: pd.DataFrame,
    definition: Definition,
    unit: str,
    expectations: Expectations,
    pasts: Mapping[Key, Past],
) -> Iterator[ObservedPayment]:
    """Each failed payment as if the control had answered for it at once."""
    tries = _tries(failed, attempts)
    as_of = attempts["attempted_at"].max().to_pydatetime()
    labels = dict.fromkeys(SEGMENTS, "")
    columns = ["merchant_id", "payment_id", unit, "attempted_at", "amount_minor", "currency", "category", "rail"]
    for merchant, payment, who, at, minor, currency, category, rail in failed[columns].itertuples(
        index=False, name=None
    ):
        failed_at = at.to_pydatetime()
        followed = Followed(failed_at, int(minor), tries.get((merchant, payment), ()))
        past = pasts.get((merchant, payment), NO_PAST)
        yield ObservedPayment(
            unit=(merchant, who),
            variant=definition.control,
            propensity=1.0,
            exposed_at=failed_at,
            failed_at=failed_at,
            amount=Money(int(minor), currency),
            segments=labels,
            outcome=outcome_of(followed, definition.window_days, as_of),
            expected=expectations.of(DeclineCategory(category), Rail(rail), past),
        )


def _tries(failed: pd.DataFrame, attempts: pd.DataFrame) -> Mapping[Key, list[Try]]:
    """Attempts after the first failure of each payment."""
    first = failed[[*_PAYMENT, "attempted_at"]].rename(columns={"attempted_at": "failed_at"})
    joined = attempts.merge(first, on=_PAYMENT)
    joined = joined[joined["attempted_at"] > joined["failed_at"]]
    initiators = np.where(joined["initiator"].isna(), Initiator.UNKNOWN.value, joined["initiator"])
    found: dict[Key, list[Try]] = defaultdict(list)
    columns = [*_PAYMENT, "attempted_at", "outcome", "amount_minor", "processor"]
    rows = joined[columns].itertuples(index=False, name=None)
    for (merchant, payment, at, outcome, minor, processor), initiator in zip(rows, initiators, strict=True):
        made = Try(at.to_pydatetime(), Outcome(outcome), Initiator(initiator), int(minor), processor=processor)
        found[merchant, payment].append(made)
    return found
