"""What the sequence of declines says."""

from builders import history
from features.columns.failure import MONEY, UNSAID
from features.vocabulary import TECHNICAL
from frames import value

_CODES = ("51", "91", "51", "05", "43")


def test_reasons_are_counted_by_kind_and_told_apart() -> None:
    rows = history([*({"code": code} for code in _CODES), {"code": "51"}])
    assert value("money_declines", rows) == 2
    assert value("technical_declines", rows) == 1
    assert value("unsaid_declines", rows) == 1
    assert value("other_declines", rows) == 1
    assert value("distinct_categories", rows) == 4


def test_other_payments_do_not_count() -> None:
    rows = history([{"code": "91", "payment_id": "p0"}, {"code": "51"}, {"code": "51"}])
    assert value("technical_declines", rows) == 0
    assert value("distinct_categories", rows) == 1


def test_no_reason_is_counted_twice() -> None:
    assert len({*MONEY, *UNSAID, *TECHNICAL}) == len(MONEY) + len(UNSAID) + len(TECHNICAL)
