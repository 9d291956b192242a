"""Known against a plain loop over every event."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.known import Known, pick

_EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 2), st.booleans()), max_size=25)
_QUESTIONS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 13)), min_size=1, max_size=10)


@settings(deadline=None)
@given(_EVENTS, _QUESTIONS)
def test_every_fact_equals_a_loop_over_the_events_known_by_then(
    events: list[tuple[int, int, int, bool]], questions: list[tuple[int, int]]
) -> None:
    group, known_at, label, flag = (np.array([e[i] for e in events], dtype=np.int64) for i in range(4))
    asked_group, asked_at = (np.array([q[i] for q in questions], dtype=np.int64) for i in range(2))
    known = Known(group, known_at, asked_group, asked_at)
    where = flag.astype(bool)

    for q, (wanted, instant) in enumerate(questions):
        past = [i for i in np.argsort(known_at, kind="stable") if group[i] == wanted and known_at[i] <= instant]
        flagged = [i for i in past if where[i]]
        run = 0
        for i in reversed(past):
            if label[i] != label[past[-1]]:
                break
            run += 1
        assert known.count[q] == len(past)
        assert known.total(label)[q] == sum(label[i] for i in past)
        assert known.last()[q] == (past[-1] if past else -1)
        assert known.first()[q] == (past[0] if past else -1)
        assert known.last(where)[q] == (flagged[-1] if flagged else -1)
        assert known.first(where)[q] == (flagged[0] if flagged else -1)
        assert known.run(label)[q] == run
        assert [i for i in known.latest(where, 3)[:, q] if i >= 0] == flagged[::-1][:3]


def test_totals_do_not_depend_on_what_stands_before_them() -> None:
    rng = np.random.default_rng(4)
    group, at, values = rng.integers(0, 50, 5000), np.arange(5000), rng.normal(3, 2, 5000)
    every = Known(group, at, np.arange(50), np.full(50, 5000)).total(values)
    for one in range(50):
        chosen = group == one
        alone = Known(group[chosen], at[chosen], np.array([one]), np.array([5000])).total(values[chosen])
        assert alone[0] == every[one]
        np.testing.assert_allclose(alone[0], values[chosen].sum(), atol=1e-6 * chosen.sum())


def test_picking_from_nothing_gives_the_missing_value() -> None:
    assert pick(np.zeros(0), np.array([-1, -1]), 7).tolist() == [7, 7]
