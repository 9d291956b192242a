"""Recoveries count within the window, by who brought the money, unless they were taken back within it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.outcomes import Back, Followed, PaymentOutcome, RecoveredBy, Try, Word, outcome_of
from features.vocabulary import Initiator, Outcome

FAILED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = FAILED + timedelta(days=365)
WINDOW = 30


def day(number: float) -> datetime:
    return FAILED + timedelta(days=number)


def tried(number: float, *, approved: bool = False, by_customer: bool = False, reversed_on: float | None = None) -> Try:
    """An attempt on a day; one that was reversed reads as a decline."""
    initiator = Initiator.CUSTOMER if by_customer else Initiator.MERCHANT
    outcome = Outcome.APPROVED if approved and reversed_on is None else Outcome.DECLINED
    return Try(day(number), outcome, initiator, 4900, None if reversed_on is None else day(reversed_on))


def followed(*tries: Try, words: tuple[tuple[float, Word], ...] = ()) -> Followed:
    return Followed(FAILED, 4900, tries, tuple((day(number), word) for number, word in words))


def became(story: Followed, as_of: datetime = LATER) -> PaymentOutcome:
    return outcome_of(story, WINDOW, as_of)


@pytest.mark.parametrize(
    ("story", "by"),
    [
        (followed(tried(3), tried(7, approved=True)), RecoveredBy.RETRY),
        (followed(tried(3), tried(7, approved=True, by_customer=True)), RecoveredBy.CUSTOMER),
        (followed(tried(3), words=((9, Word.PAID),)), RecoveredBy.ITSELF),
        (followed(tried(7, approved=True), words=((7, Word.PAID),)), RecoveredBy.RETRY),
        (followed(tried(7, approved=True, reversed_on=40)), RecoveredBy.RETRY),
        (followed(tried(7, approved=True), words=((31, Word.REOPENED),)), RecoveredBy.RETRY),
        (followed(tried(7, approved=True, reversed_on=9), words=((12, Word.PAID),)), RecoveredBy.ITSELF),
        (followed(tried(7, approved=True, reversed_on=9), tried(20, approved=True)), RecoveredBy.RETRY),
        (followed(tried(31, approved=True)), RecoveredBy.NOBODY),
        (followed(tried(7, approved=True, reversed_on=29)), RecoveredBy.NOBODY),
        (followed(tried(7, approved=True), words=((8, Word.REOPENED),)), RecoveredBy.NOBODY),
        (followed(words=((3, Word.PAID), (30, Word.REOPENED))), RecoveredBy.NOBODY),
        (followed(tried(1), tried(2)), RecoveredBy.NOBODY),
    ],
)
def test_who_brought_the_money_and_kept_it_there(story: Followed, by: RecoveredBy) -> None:
    outcome = became(story)
    assert outcome.by is by
    assert outcome.recovered is (by is not RecoveredBy.NOBODY)
    assert outcome.recovered_minor == (4900 if outcome.recovered else 0)


def test_what_was_taken_back_says_when() -> None:
    outcome = became(followed(tried(7, approved=True, reversed_on=9)))
    assert (outcome.paid_at, outcome.taken_back_at) == (day(7), day(9))


def test_a_payment_is_collecting_until_its_window_is_over_whatever_has_happened_to_it() -> None:
    quick = followed(tried(1, approved=True))
    assert not became(quick, day(29.9)).mature
    assert became(quick, day(30)).mature
    assert became(quick, day(0.5)).by is RecoveredBy.NOBODY


def test_retries_are_the_merchants_and_end_with_the_recovery() -> None:
    story = followed(tried(1), tried(2, by_customer=True), tried(5, approved=True), tried(9), tried(40))
    assert became(story).retries == 2
    assert became(followed(tried(1), tried(9), tried(40))).retries == 2


def test_what_was_cancelled_unpaid_was_given_up() -> None:
    assert became(followed(words=((9, Word.CANCELLED),))).given_up_at == day(9)
    assert became(followed(tried(3, approved=True), words=((9, Word.CANCELLED),))).given_up_at is None


days = st.floats(0.1, 60)
tries = st.builds(
    lambda at, approved, customer, back: tried(
        at, approved=approved, by_customer=customer, reversed_on=at + back if approved and back else None
    ),
    days,
    st.booleans(),
    st.booleans(),
    st.none() | days,
)
stories = st.builds(
    lambda made, said: followed(*made, words=tuple(said)),
    st.lists(tries, max_size=5),
    st.lists(st.tuples(days, st.sampled_from(Word)), max_size=4),
)


@given(stories)
def test_nothing_after_the_window_changes_what_became_of_a_payment(story: Followed) -> None:
    inside = replace(
        story,
        tries=[_seen(one) for one in story.tries if one.at <= day(WINDOW)],
        words=[(at, word) for at, word in story.words if at <= day(WINDOW)],
    )
    assert became(inside) == became(story)


@given(stories)
def test_it_stands_at_the_end_as_telling_it_hour_by_hour_says(story: Followed) -> None:
    happened: list[tuple[datetime, int, str, int]] = []
    for place, one in enumerate(story.tries):
        if one.was_approved:
            happened.append((one.at, 0, "paid", place))
            if one.reversed_at is not None:
                happened.append((one.reversed_at, 1, "back", place))
    happened += [(at, 2, word.value, -1) for at, word in story.words]
    owned: set[int] = set()
    for at, _, what, place in sorted(happened):
        if at > day(WINDOW):
            break
        if what == "paid" and (place >= 0 or not owned):
            owned.add(place)
        elif what == "back":
            owned.discard(place)
        elif what == "reopened":
            owned.clear()
    assert became(story).recovered is bool(owned)


def _seen(one: Try) -> Try:
    """The attempt as it was known at the end of the window."""
    if one.reversed_at is None or one.reversed_at <= day(WINDOW):
        return one
    return replace(one, outcome=Outcome.APPROVED, reversed_at=None)


def test_what_of_a_recovery_went_back_is_taken_off_and_all_of_it_takes_it_back() -> None:
    def paid(*back: Back) -> PaymentOutcome:
        made = Try(FAILED + timedelta(days=3), Outcome.APPROVED, Initiator.MERCHANT, 1_000, back=back)
        return outcome_of(Followed(FAILED, 1_000, (made,)), 30, FAILED + timedelta(days=60))

    early, late = FAILED + timedelta(days=9), FAILED + timedelta(days=31)
    amounts = {
        (): 1_000,
        (Back(early, 300),): 700,
        (Back(early, 300), Back(late, 300)): 700,
        (Back(early, 300), Back(early, 700)): 0,
        (Back(early),): 0,
        (Back(FAILED),): 0,  # by a clock that is behind
        (Back(late),): 1_000,
    }
    for back, left in amounts.items():
        found = paid(*back)
        assert (found.recovered_minor, found.recovered) == (left, left > 0), back
        assert [one.approved for one in found.retried] == [True]
