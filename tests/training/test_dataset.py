"""Which attempts teach: retries with a final outcome that a policy could have chosen; all others are counted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from builders import history
from features.errors import InputError
from features.merchants import owned
from training.config import TrainingConfig
from training.dataset import Dataset, labelled_rows
from training.load import load_history
from training.split import customer_folds

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def rows_of(tmp_path: Path, rows: Sequence[dict[str, object]], *, first_attempts: bool = False) -> Dataset:
    path = tmp_path / "history.parquet"
    pq.write_table(history(rows), path)
    return labelled_rows(load_history(path), TrainingConfig(path, first_attempts=first_attempts))


def attempt(number: int, payment: str, days: float, outcome: str, **more: object) -> dict[str, object]:
    at = AT + timedelta(days=days)
    base = {"attempt_id": f"a{number}", "payment_id": payment, "attempted_at": at, "outcome": outcome}
    return base | {"code": None if outcome == "approved" else "05", "rail": "card", "network": "visa"} | more


PAID_ON_THIRD = [
    attempt(1, "p1", 0, "declined"),
    attempt(2, "p1", 2, "declined"),
    attempt(3, "p1", 5, "approved"),
]


def test_every_retry_after_a_failure_is_a_row_with_what_came_of_it(tmp_path: Path) -> None:
    data = rows_of(tmp_path, PAID_ON_THIRD)
    assert data.y.tolist() == [0.0, 1.0]
    assert data.attempt.tolist() == [2, 3]
    assert data.left_out["not a retry"] == 1


def test_first_attempts_teach_when_asked_for(tmp_path: Path) -> None:
    data = rows_of(tmp_path, PAID_ON_THIRD, first_attempts=True)
    assert data.attempt.tolist() == [1, 2, 3]
    assert data.left_out["not a retry"] == 0


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (attempt(4, "p1", 4, "approved", initiator="customer"), "made by the customer"),
        (attempt(4, "p1", 4, "unknown"), "outcome unknown"),
        (attempt(4, "p1", 4, "approved", rail="bank_debit", network="sepa_core"), "outcome not final by the end"),
    ],
)
def test_a_retry_that_cannot_teach_is_left_out_and_counted(
    tmp_path: Path, last: dict[str, object], reason: str
) -> None:
    data = rows_of(tmp_path, [*PAID_ON_THIRD[:2], last])
    assert len(data) == 1
    assert data.left_out[reason] == 1
    assert data.read == len(data) + sum(data.left_out.values())


def test_a_debit_whose_outcome_date_is_stated_is_final(tmp_path: Path) -> None:
    last = attempt(4, "p1", 4, "approved", rail="bank_debit", network="sepa_core", outcome_at=AT + timedelta(days=6))
    assert len(rows_of(tmp_path, [*PAID_ON_THIRD[:2], last])) == 2


def test_a_customer_is_a_merchants_own_and_so_is_its_fold(tmp_path: Path) -> None:
    rows = [
        attempt(
            10 * c + n, f"p{c}", c + n / 4, "declined", customer_id=f"c{c // 2}", merchant_id=("acme", "other")[c % 2]
        )
        for c in range(40)
        for n in range(3)
    ]
    data = rows_of(tmp_path, rows)
    assert len(set(data.customer.tolist())) == 40
    fold_of = dict(zip(data.customer.tolist(), data.fold.tolist(), strict=True))
    names = [owned(merchant, f"c{c}", several=True) for merchant in ("acme", "other") for c in range(20)]
    assert sorted(fold_of.values()) == sorted(customer_folds(names, 5).tolist())


@pytest.mark.parametrize("heard_after", [None, timedelta(days=60)])
def test_an_unknown_outcome_tells_nothing_of_when_others_are_final(
    tmp_path: Path, heard_after: timedelta | None
) -> None:
    heard = heard_after and AT + heard_after
    rows = [*PAID_ON_THIRD[:2], attempt(4, "p1", 4, "approved", rail="bank_debit", network="sepa_core")]
    data = rows_of(tmp_path, [*rows, attempt(5, "p2", 4, "unknown", outcome_at=heard)])
    assert data.left_out["outcome not final by the end"] == 1


def debit(number: int, day: float, outcome: str, heard_after: float) -> dict[str, object]:
    heard = AT + timedelta(days=day + heard_after)
    return attempt(number, f"p{number // 10}", day, outcome, rail="bank_debit", network="sepa_core", outcome_at=heard)


def test_a_failure_heard_of_early_does_not_count_before_a_success_of_its_day_could(tmp_path: Path) -> None:
    early = [debit(10 * n + 1, n, "declined", 0.5) for n in range(1, 9)]
    late = [debit(10 * n + 2, n + 1, "approved" if n % 2 else "declined", 5.0 if n % 2 else 1.0) for n in range(1, 9)]
    data = rows_of(tmp_path, early + late)
    # The last approval, of day 8, is heard of on day 13. The failure of day 9 was heard of on day 10 already.
    assert data.left_out["outcome not final by the end"] == 1
    assert data.y.tolist() == [1.0, 0.0] * 3 + [1.0]
    days = (data.final_at - data.at) / 86_400e6
    assert days.tolist() == [5.0] * 7


def test_retries_on_a_method_that_must_never_be_tried_again_are_rules_not_rows(tmp_path: Path) -> None:
    stolen = attempt(2, "p1", 2, "declined", code="43", method_id="pm_a")
    again, other = (attempt(n, "p1", n, "declined", method_id=m) for n, m in ((3, "pm_a"), (4, "pm_b")))
    data = rows_of(tmp_path, [attempt(1, "p1", 0, "declined", method_id="pm_a"), stolen, again, other])
    assert data.left_out["method must never be retried"] == 1
    assert len(data) == 2


def test_a_history_without_a_retry_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none follows a known failure"):
        rows_of(tmp_path, [attempt(1, "p1", 0, "approved"), attempt(2, "p2", 1, "declined")])


def test_customers_keep_their_fold_when_the_history_grows(tmp_path: Path) -> None:
    rows = [
        attempt(10 * c + n, f"p{c}", c + n / 4, "declined", customer_id=f"c{c}") for c in range(40) for n in range(3)
    ]
    few, many = rows_of(tmp_path, rows[:60]), rows_of(tmp_path, rows)
    fold_of = dict(zip(many.customer.tolist(), many.fold.tolist(), strict=True))
    assert len(set(fold_of.values())) > 1
    assert few.fold.tolist() == many.fold[: len(few)].tolist()
