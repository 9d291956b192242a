"""Chances are lowered where a history cannot tell: repeats sooner, and more often, than it holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.columns import COLUMNS
from features.errors import InputError
from features.table import CATEGORIES
from features.vocabulary import DeclineCategory
from model.support import UNBOUNDED, Matrix, Support, hours_since, is_repeat

SUPPORT = Support({"any": 6.0, "issuer_unavailable": 12.0}, attempts=4.0, drop=0.5)


def rows(**columns: float | list[float]) -> Matrix:
    """A row a value; what is not named is not known."""
    size = max(np.size(np.asarray(values)) for values in columns.values())
    matrix = np.full((size, len(COLUMNS)), np.nan, dtype=np.float32)
    names = [column.name for column in COLUMNS]
    for name, values in columns.items():
        matrix[:, names.index(name)] = values
    return matrix


def repeats(category: DeclineCategory, hours: list[float], *, method: bool = True, processor: bool = True) -> Matrix:
    """Retries that many hours after a decline, with the same method or processor or not."""
    return rows(
        decline_category=CATEGORIES.index(category),
        hours_since_last_attempt=hours,
        same_method=float(method),
        same_processor=float(processor),
        attempts_before=1.0,
    )


def test_the_same_account_asked_at_once_gives_the_same_answer_and_time_mends_it() -> None:
    hours = [0.0, 3.0, 6.0, 12.0, 48.0]
    outage = repeats(DeclineCategory.ISSUER_UNAVAILABLE, hours)
    np.testing.assert_allclose(SUPPORT.beyond(outage)[1], [0.0, 0.25, 0.5, 1.0, 1.0])
    funds = repeats(DeclineCategory.INSUFFICIENT_FUNDS, hours)
    np.testing.assert_allclose(SUPPORT.beyond(funds)[1], [0.0, 0.5, 1.0, 1.0, 1.0])


def test_the_line_lies_below_every_recovery_at_a_falling_rate() -> None:
    hours = np.linspace(0.0, 12.0, 49)
    line = SUPPORT.beyond(repeats(DeclineCategory.ISSUER_UNAVAILABLE, hours.tolist()))[1]
    for scale in (0.5, 4.0, 40.0):
        mended = (1 - np.exp(-hours / scale)) / (1 - np.exp(-12.0 / scale))
        assert (line <= mended + 1e-6).all()


def test_another_method_is_news_and_so_is_another_processor_after_a_processor_s_fault() -> None:
    soon = [0.1]
    issuer, processor = DeclineCategory.ISSUER_UNAVAILABLE, DeclineCategory.PROCESSING_ERROR
    assert SUPPORT.beyond(repeats(issuer, soon, method=False))[1][0] == 1.0
    assert SUPPORT.beyond(repeats(issuer, soon, processor=False))[1][0] < 0.01
    assert SUPPORT.beyond(repeats(processor, soon, processor=False))[1][0] == 1.0
    assert SUPPORT.beyond(repeats(processor, soon))[1][0] < 0.02


def test_beyond_the_attempts_known_each_further_one_lowers_the_log_odds() -> None:
    np.testing.assert_allclose(SUPPORT.beyond(rows(attempts_before=[1.0, 4.0, 5.0, 7.0]))[0], [0.0, 0.0, 0.5, 1.5])


CODES = st.one_of(st.just(np.nan), st.integers(0, len(CATEGORIES) - 1).map(float))
FLAGS = st.sampled_from([0.0, 1.0, np.nan])


@given(st.lists(st.tuples(CODES, st.floats(-1.0, 20.0), FLAGS, FLAGS, st.integers(0, 9)), min_size=1, max_size=9))
def test_rows_looked_at_one_by_one_are_lowered_as_all_at_once(
    told: list[tuple[float, float, float, float, int]],
) -> None:
    category, hours, method, processor, before = (list(map(float, column)) for column in zip(*told, strict=True))
    matrix = rows(
        decline_category=category, hours_since_last_attempt=hours, same_method=method, same_processor=processor,
        attempts_before=before,
    )  # fmt: skip
    words = [None if np.isnan(code) else str(CATEGORIES[int(code)]) for code in category]
    gap = np.array([12.0 if word == "issuer_unavailable" else 6.0 for word in words])
    waited = np.maximum(hours_since(matrix), 0.0)
    lowered, kept = SUPPORT.beyond(matrix)
    np.testing.assert_array_equal(kept, np.where(is_repeat(matrix) & (waited < gap), waited / gap, 1.0))
    np.testing.assert_array_equal(lowered, 0.5 * np.maximum(np.array(before) - 4.0, 0.0))


def test_a_model_that_says_nothing_of_it_is_taken_at_its_word() -> None:
    soon = repeats(DeclineCategory.ISSUER_UNAVAILABLE, [0.0, 1.0])
    assert Support.from_json(None) == UNBOUNDED
    np.testing.assert_array_equal(UNBOUNDED.beyond(soon)[1], 1.0)
    np.testing.assert_array_equal(UNBOUNDED.beyond(rows(attempts_before=[1.0, 30.0]))[0], 0.0)


def test_it_is_read_as_it_was_written() -> None:
    assert Support.from_json(SUPPORT.to_json()) == SUPPORT


@pytest.mark.parametrize(
    "value",
    [
        1,
        {},
        {"gap_hours": {"any": -1.0}, "attempts": 2.0, "drop": 0.1},
        {"gap_hours": {}, "attempts": None, "drop": 0.1},
    ],
)
def test_what_it_is_not_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"support must hold gap_hours, attempts and drop"):
        Support.from_json(value)
