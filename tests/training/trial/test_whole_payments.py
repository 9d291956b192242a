"""A log cut at both ends, and one that gives up by itself, tell the known truth of whole episodes or nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from experiments.history_contexts import HistoryContexts, LoggedRetry
from experiments.off_policy.verdict import Valued
from features.history import SCHEMA
from model.policies import FixedSchedule
from model.prior import PriorScorer
from training.trial.logged import off_policy
from training.trial.whole_payments import whole_payments

CHANCE = 0.3
TRUTH = 1 - (1 - CHANCE) ** 2
BEGIN, HORIZON = datetime(2026, 1, 1, 12, tzinfo=UTC), 30
DAY = timedelta(days=1)
FACTS = {"merchant_id": "m", "rail": "card", "network": "visa", "processor": "stripe", "amount_minor": 1000}
FACTS |= {"currency": "EUR", "issuer_country": "DE", "initiator": "merchant"}


def a_log(payments: int, failing_days: int, told_days: int, gives_up: float = 0.0) -> pa.Table:
    """Two retries, each 7 or 14 days after the failure before it, evenly; each is approved with the same chance."""
    rng, rows = np.random.default_rng(1), list[dict[str, object]]()
    for number in range(payments):
        at = BEGIN + int(rng.integers(failing_days)) * DAY
        own = FACTS | {"payment_id": f"p{number}", "customer_id": f"c{number}", "method_id": f"k{number}"}
        failed = {"outcome": "declined", "code": "insufficient_funds"}
        rows.append(own | failed | {"attempt_id": f"a{number}", "attempted_at": at})
        for retry in range(2):
            at += (7 if rng.random() < 0.5 else 14) * DAY
            won = rng.random() < CHANCE
            if (retry and rng.random() < gives_up) or at >= BEGIN + told_days * DAY:
                break
            made = {"attempt_id": f"a{number}-{retry}", "attempted_at": at, "propensity": 0.5}
            rows.append(own | made | ({"outcome": "approved"} if won else failed))
            if won:
                break
    return pa.table({field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in SCHEMA})


def valued(retries: Sequence[LoggedRetry], days: tuple[int, ...] = (7, 14)) -> Valued:
    found = off_policy(
        retries,
        lambda _: [FixedSchedule("plan", days)],
        (2,),
        PriorScorer(),
        slot_hours=3,
        resamples=200,
        seed=1,
        tell=lambda *_: None,
    )
    return found.episodes[2]["plan"]


def test_a_log_cut_at_both_ends_tells_the_truth_of_the_payments_it_holds_whole() -> None:
    retries = list(HistoryContexts(a_log(5_000, 60, 60), HORIZON).retries())
    chosen = whole_payments(retries, BEGIN + 7 * DAY, BEGIN + 60 * DAY)
    found = valued(chosen.retries)
    assert found.refusal is None
    for estimate in found.values.values():
        assert estimate.low < TRUTH < estimate.high
    told = {one.context.payment.payment_id for one in retries}
    assert chosen.payments + chosen.too_early + chosen.still_open == len(told)
    assert f"{chosen.still_open:,} whose horizon lies beyond the log" in str(chosen)


def test_where_the_log_gives_up_by_itself_a_policy_that_goes_on_is_refused_and_one_that_stops_is_told() -> None:
    retries = list(HistoryContexts(a_log(4_000, 400, 500, gives_up=0.5), 60).retries(ends=True))
    chosen = whole_payments(retries, None, BEGIN + 500 * DAY)
    assert chosen.given_up > 0
    assert "of what the target would do was never done in the log" in str(valued(chosen.retries).refusal)
    stops = valued(chosen.retries, (7,))
    assert stops.refusal is None
    assert stops.values["dr"].low < CHANCE < stops.values["dr"].high
