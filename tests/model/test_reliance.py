"""Where a model is relied upon: by what it has seen, and by how it did on its own test window."""

from datetime import UTC, datetime, timedelta

import pytest

from context_builders import card, context, failed
from features.context import Context
from features.errors import InputError
from model.reliance import OFF_BY, Reliance, Segment, segments_of

BETTER, WORSE, EITHER = (0.02, 0.01, 0.03), (-0.02, -0.03, -0.01), (0.0, -0.01, 0.01)
RIGHT, TOO_HIGH = (0.001, -0.01, 0.012), (-0.08, -0.1, -0.05)


def a_failure(code: str = "51", market: str | None = "DE", times: int = 1) -> Context:
    attempts = [failed(card(), code, ago=timedelta(days=times - i)) for i in range(times)]
    return context((card(),), attempts, market=market)


def facts(**segments: Segment) -> dict[str, object]:
    return {
        "seen": {
            "category": {"insufficient_funds": 50, "do_not_honor": 40},
            "market": {"DE": 90},
            "attempt": {"2": 90},
        },
        "segments": {"category": {word: one.to_json() for word, one in segments.items()}},
        "windows": {"test_to": "2026-11-01T00:00:00+00:00"},
    }


def test_a_payment_lies_in_one_segment_of_each_group_that_is_known() -> None:
    assert dict(segments_of(a_failure(times=2))) == {
        "category": "insufficient_funds",
        "market": "DE",
        "attempt": "3",
        "issuer": "DE:bank of card_1",
    }
    assert "market" not in dict(segments_of(a_failure(market=None)))
    assert dict(segments_of(a_failure(times=8)))["attempt"] == "6 or later"


def test_a_segment_that_the_history_never_held_is_doubted_but_a_new_issuer_is_not() -> None:
    reliance = Reliance.from_facts(facts())
    assert reliance.doubt(a_failure()) is None
    assert "in market BR" in str(reliance.doubt(a_failure(market="BR")))
    assert "card expired" in str(reliance.doubt(a_failure("54")))
    assert "as attempt 3" in str(reliance.doubt(a_failure(times=2)))


@pytest.mark.parametrize(
    ("gap", "gain", "relied"),
    [
        (RIGHT, EITHER, True),
        (TOO_HIGH, EITHER, False),
        (TOO_HIGH, WORSE, False),
        (TOO_HIGH, BETTER, True),  # the prior is beyond doubt worse there: to step down would be no safety
        ((-0.08, -0.2, 0.01), EITHER, True),  # it may be right
        ((OFF_BY + 0.02, OFF_BY, OFF_BY + 0.04), EITHER, True),  # at the edge it is borne
    ],
)
def test_a_segment_is_off_when_the_interval_says_so_and_the_prior_may_be_no_worse(
    gap: tuple[float, float, float], gain: tuple[float, float, float], relied: bool
) -> None:
    reliance = Reliance.from_facts(facts(insufficient_funds=Segment(500, gap, gain)))
    doubt = reliance.doubt(a_failure())
    assert (doubt is None) is relied
    assert relied or "8.0 points fewer were approved than it said (5.0 to 10.0)" in str(doubt)
    assert reliance.doubt(a_failure("05")) is None


def test_a_model_that_states_nothing_is_taken_at_its_word_and_nonsense_is_refused() -> None:
    silent = Reliance.from_facts({})
    assert (silent.doubt(a_failure(market="BR")), silent.learnt_until) == (None, None)
    assert Reliance.from_facts(facts()).learnt_until == datetime(2026, 11, 1, tzinfo=UTC)
    for broken in (
        {"seen": 3},
        {"seen": {"market": ["DE"]}},
        {"segments": {"market": {"DE": {"rows": 3}}}},
        {"windows": {"test_to": "soon"}},
    ):
        with pytest.raises(InputError, match=r"model\.json"):
            Reliance.from_facts(broken)
