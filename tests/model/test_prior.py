"""The prior says what its table says, widely, and in the directions the domain is sure of."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import beta

from context_builders import NOW, card, context, contexts, debit, failed
from features.action import Retry, Slot
from features.context import Context
from features.errors import InputError
from features.proposed import Proposed
from features.supposed import Supposed
from features.vocabulary import DeclineCategory, Network
from model.candidates import candidates, horizon_of
from model.planning.imagined import Imagining
from model.prior import PriorScorer
from model.prior_table import PriorTable, shipped_table
from model.scorer import Score

SCORER = PriorScorer()


def at(when: datetime, method_id: str = "card_1", processor: str = "north") -> Retry:
    return Retry(Slot(when, when + timedelta(hours=1)), method_id, processor)


def score(failure: Context, retry: Retry) -> Score:
    return SCORER.score(failure, [retry])[0]


@given(contexts())
@settings(max_examples=60, deadline=None)
def test_every_score_is_a_probability_within_its_interval(failure: Context) -> None:
    retries = candidates(failure, horizon_of(failure))
    scores = SCORER.score(failure, retries)
    assert scores.probability.shape == scores.low.shape == scores.high.shape == (len(retries),)
    assert ((scores.low > 0) | (scores.probability < 0.05)).all()
    assert (scores.low <= scores.probability).all()
    assert (scores.probability <= scores.high).all()
    assert ((scores.probability > 0) & (scores.high <= 1)).all()


@given(contexts())
@settings(max_examples=30, deadline=None)
def test_a_retry_is_scored_alike_alone_and_among_others(failure: Context) -> None:
    retries = candidates(failure, horizon_of(failure))[:40]
    together = SCORER.score(failure, retries)
    for i, retry in enumerate(retries):
        assert score(failure, retry) == together[i]


def test_declines_that_are_supposed_are_scored_as_if_they_stood_in_contexts() -> None:
    one, two = card(processors=("north", "south")), card("card_2", Network.MASTERCARD)
    failure = context([one, two], [failed(one), failed(two, "91", ago=timedelta(hours=7))])
    moves = Proposed.of(candidates(failure, horizon_of(failure)))
    asked = np.array([40, 90, 200, 200, 300], dtype=np.int64)
    supposed = Supposed(Imagining(failure).supposing(moves), [(3,), (5, 39), (5, 39, 150)], asked, [2, 1, 2])
    at_once = SCORER.score_supposed([supposed])
    for name in ("probability", "low", "high"):
        each = [getattr(scores, name) for scores in SCORER.score_many(supposed.contexts())]
        np.testing.assert_array_equal(getattr(at_once, name), np.concatenate(each))
    assert len({*at_once.probability.tolist()}) == 5


def test_the_interval_is_that_of_a_beta_distribution() -> None:
    method = card()
    got = score(context([method], [failed(method)]), at(NOW + timedelta(days=3)))
    weight = shipped_table().approval["insufficient_funds"].weight
    ends = beta(got.probability * weight, (1 - got.probability) * weight).ppf([0.05, 0.95])
    assert (got.low, got.high) == pytest.approx(tuple(ends))
    assert got.high - got.low > 0.2


def test_it_calls_itself_a_prior_and_names_its_figures() -> None:
    assert SCORER.source == "prior"
    assert SCORER.version == f"prior-{shipped_table().version}"


def test_payday_helps_insufficient_funds_and_nothing_else() -> None:
    method = card()
    before, after = at(datetime(2026, 11, 28, 9, tzinfo=UTC)), at(datetime(2026, 12, 1, 9, tzinfo=UTC))
    broke = context([method], [failed(method, "51", ago=timedelta(days=8))])
    refused = context([method], [failed(method, "05", ago=timedelta(days=8))])
    assert score(broke, after).probability > 1.5 * score(broke, before).probability
    assert score(refused, after).probability < 1.3 * score(refused, before).probability


@pytest.mark.parametrize(("code", "soon", "late"), [("91", 1 / 4, 6), ("05", 1, 24), ("51", 1, 24 * 7), ("65", 1, 48)])
def test_waiting_helps_as_long_as_the_kind_of_failure_needs(code: str, soon: float, late: float) -> None:
    method = card()
    failure = context([method], [failed(method, code, ago=timedelta(0))])
    first, second = (score(failure, at(NOW + timedelta(hours=hours))).probability for hours in (soon, late))
    assert second > first


def test_each_further_decline_makes_the_next_less_likely() -> None:
    method = card()
    chances = []
    for number in range(1, 6):
        attempts = [failed(method, "05", ago=timedelta(days=k + 1)) for k in range(number)]
        chances.append(score(context([method], attempts), at(NOW + timedelta(days=2))).probability)
    assert chances == sorted(chances, reverse=True)
    assert len(set(chances)) == 5


def test_an_untried_method_is_more_likely_than_one_that_failed() -> None:
    one, two = card(), card("card_2", Network.MASTERCARD)
    failure = context([one, two], [failed(one)])
    slot = NOW + timedelta(hours=3)
    assert score(failure, at(slot, "card_2")).probability > 2 * score(failure, at(slot, "card_1")).probability


def test_another_processor_helps_a_technical_failure() -> None:
    method = card(processors=("north", "south"))
    failure = context([method], [failed(method, "91")])
    slot = NOW + timedelta(hours=1)
    assert score(failure, at(slot, processor="south")).probability > score(failure, at(slot)).probability + 0.05


def test_the_score_is_the_mean_of_the_table_shifted_by_what_holds() -> None:
    method = debit(country=None)
    failure = context([method], [failed(method, "AM04", ago=timedelta(days=3))])
    night = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # a banking day, four days after the failure
    mean = shipped_table().approval["insufficient_funds"].by_rail["bank_debit"]
    shift = shipped_table().hour.shift[0] + shipped_table().waiting["funds"].shift[-1]
    odds = mean / (1 - mean) * np.exp(shift)
    assert score(failure, at(night, "debit_1")).probability == pytest.approx(odds / (1 + odds))


def test_what_is_of_no_use_unchanged_is_most_unlikely() -> None:
    method = card(network=Network.MASTERCARD)
    broken, passing = (context([method], [failed(method, code)]) for code in ("30", "91"))
    slot = at(NOW + timedelta(days=1))
    assert score(broken, slot).probability < 0.1 < score(passing, slot).probability


def test_every_category_has_figures() -> None:
    assert set(shipped_table().approval) == {*map(str, DeclineCategory), "untried"}
    assert np.all([0 < mean < 1 for a in shipped_table().approval.values() for mean in a.by_rail.values()])


def test_a_faulty_table_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError, match=r"approval\.untried\.card: is missing.*hour\.hours: is missing"):
        PriorTable.from_toml("[waiting.none]\nhours = [1.0]\nshift = [0.0, 0.0]\n")
