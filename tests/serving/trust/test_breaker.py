"""A breaker, against a plain account of what it must do, for every order of events."""

from hypothesis import given, settings
from hypothesis import strategies as st

from model.step_down import Distrust
from serving.trust.breaker import FIRST_REST_SECONDS, IN_A_ROW, LONGEST_REST_SECONDS, Breaker

WORDS = st.sampled_from(["answered", "slow", "failing", "let go"])
LATER = st.sampled_from([0.0, 1.0, 5.0, 40.0, 400.0])
EVENTS = st.lists(st.tuples(WORDS, LATER), max_size=60)


def rest_after(troubles: int) -> float:
    """The rest that the given trouble in a row begins: 5 seconds, and twice as long each time, at most 300."""
    return min(FIRST_REST_SECONDS * 2.0 ** (troubles - IN_A_ROW), LONGEST_REST_SECONDS)


@settings(deadline=None)
@given(EVENTS)
def test_it_is_asked_exactly_when_no_rest_is_on(events: list[tuple[str, float]]) -> None:
    breaker, now, troubles, rests_until, why = Breaker(), 0.0, 0, 0.0, None
    for what, later in events:
        now += later
        refused = breaker.refuses(now)
        resting = troubles >= IN_A_ROW and now < rests_until
        assert refused == (why if resting else None)
        assert breaker.resting(now) == refused
        if resting:
            continue
        if what == "answered":
            breaker.answered(now)
            troubles, why = 0, None
        elif what == "let go":
            breaker.let_go()
        else:
            why = Distrust(what)
            breaker.troubled(why, now)
            troubles += 1
            if troubles >= IN_A_ROW:
                rests_until = now + rest_after(troubles)


def tired() -> Breaker:
    breaker = Breaker()
    for _ in range(IN_A_ROW):
        breaker.troubled(Distrust.SLOW, 0.0)
    return breaker


def test_after_a_rest_one_caller_probes_and_the_others_are_kept_away_until_it_has_told() -> None:
    breaker = tired()
    assert breaker.refuses(FIRST_REST_SECONDS) is None
    assert breaker.refuses(FIRST_REST_SECONDS) is Distrust.SLOW
    breaker.answered(FIRST_REST_SECONDS)
    assert breaker.refuses(FIRST_REST_SECONDS) is None
    assert breaker.refuses(FIRST_REST_SECONDS) is None


def test_what_was_begun_before_a_rest_and_ends_in_it_changes_nothing() -> None:
    breaker, other = tired(), tired()
    breaker.answered(1.0)
    breaker.troubled(Distrust.FAILING, 1.0)
    assert breaker.state == other.state
