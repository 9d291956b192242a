"""What an attempt was within its payment, against walking through what was known when its own outcome was."""

import numpy as np
import pytest

from builders import random_history, simple_classify
from features.instants import MICROS_PER_DAY
from features.own_payment import own_payment
from features.table_of_history import from_arrow


@pytest.mark.parametrize("seed", range(3))
def test_facts_rest_on_nothing_that_became_known_after_the_attempts_own_outcome(seed: int) -> None:
    table = from_arrow(random_history(seed), simple_classify)
    asked = np.flatnonzero(table.customer.codes % 3 > 0)
    facts = own_payment(table, asked)
    for i in asked:
        same = np.flatnonzero(table.payment.codes == table.payment.codes[i])
        known = [(table.known_at[j], j) for j in same if (table.known_at[j], j) <= (table.known_at[i], i)]
        earlier = [j for _, j in sorted(known)[:-1]]
        failed = [j for j in earlier if table.failed[j]]
        assert facts.waited_days[i] == (table.at[i] - min(table.at[j] for _, j in known)) / MICROS_PER_DAY
        assert facts.failed_before[i] == (failed[-1] if failed else -1)
        assert facts.new_reason[i] == (
            bool(table.failed[i]) and table.category[i] not in [table.category[j] for j in failed]
        )


def test_attempts_nobody_asked_about_have_no_facts() -> None:
    table = from_arrow(random_history(1), simple_classify)
    facts = own_payment(table, np.zeros(0, dtype=np.int64))
    assert not facts.new_reason.any()
    assert (facts.failed_before == -1).all()
