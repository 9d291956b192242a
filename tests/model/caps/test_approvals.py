"""An approval clears what certainly came before it and certainly shares its counter; it counts nowhere itself."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cap_builders import NOW, a_method, an_attempt, judged
from features.attempt import Attempt
from features.vocabulary import Initiator, Network, Outcome, Precision
from model.caps.engine import Verdict

VISA, MASTERCARD = a_method(Network.VISA), a_method(Network.MASTERCARD)
NOON = NOW.replace(hour=12, minute=0) - timedelta(days=1)
MIDNIGHT = NOON - timedelta(hours=12)


def declined(at: datetime, name: str = "declined") -> Attempt:
    return replace(an_attempt(0, method=MASTERCARD), attempt_id=name, at=at)


def approved(at: datetime, name: str = "approved") -> Attempt:
    return replace(declined(at, name), outcome=Outcome.APPROVED, decline=None)


def by_day(attempt: Attempt) -> Attempt:
    return replace(attempt, at=attempt.at.replace(hour=12, minute=0, microsecond=0), precision=Precision.DAY)


def used_of_day(*attempts: Attempt) -> int | None:
    """How many Mastercard counts of the card's declines in the 24 hours before 20:00 on the day."""
    found = judged(attempts, MASTERCARD, at=NOON + timedelta(hours=8))
    return found["mastercard-tpe-24h-excessive-attempts"].used


@pytest.mark.parametrize(
    ("decline_at", "left"),
    [
        (MIDNIGHT - timedelta(hours=1), 0),
        (MIDNIGHT, 0),
        (MIDNIGHT + timedelta(microseconds=1), 1),
        (NOON - timedelta(hours=4), 1),
        (NOON + timedelta(hours=4), 1),
    ],
)
def test_an_approval_of_which_only_the_day_is_known_clears_what_came_before_that_day(
    decline_at: datetime, left: int
) -> None:
    assert used_of_day(declined(decline_at), by_day(approved(NOON))) == left


@pytest.mark.parametrize(
    ("approved_at", "left"),
    [
        (NOON + timedelta(hours=4), 1),
        (NOON - timedelta(hours=4), 1),
        (MIDNIGHT + timedelta(hours=24), 0),
    ],
)
def test_a_decline_of_which_only_the_day_is_known_is_cleared_once_that_day_is_over(
    approved_at: datetime, left: int
) -> None:
    found = judged([by_day(declined(NOON)), approved(approved_at)], MASTERCARD, at=MIDNIGHT + timedelta(hours=25))
    assert found["mastercard-tpe-24h-excessive-attempts"].used == left


@pytest.mark.parametrize("name", ["a", "z"])
def test_of_one_day_an_approval_clears_no_decline_whatever_their_names(name: str) -> None:
    assert used_of_day(by_day(declined(NOON, "m")), by_day(approved(NOON, name))) == 1
    earlier = by_day(declined(NOON - timedelta(days=1), "m"))
    assert used_of_day(earlier, by_day(approved(NOON, name))) == 0


@pytest.mark.parametrize(("name", "left"), [("a", 1), ("z", 0)])
def test_at_one_known_instant_the_names_say_which_came_first(name: str, left: int) -> None:
    assert used_of_day(declined(NOON, "m"), approved(NOON, name)) == left


def test_what_one_approval_leaves_a_later_one_clears() -> None:
    morning, day = declined(NOON - timedelta(hours=4)), by_day(approved(NOON, "by day"))
    assert used_of_day(morning, day, approved(NOON - timedelta(hours=3))) == 0
    assert used_of_day(morning, day, declined(NOON + timedelta(hours=1), "after")) == 2


def visa_cap(approval_by: Initiator, asked_by: Initiator) -> Verdict:
    """Visa counts who started an attempt apart: three declines of whoever asks, then an approval."""
    attempts = [an_attempt(ago, initiator=asked_by) for ago in (40, 30, 20)]
    ended = an_attempt(10, outcome=Outcome.APPROVED, initiator=approval_by, payment_id="other")
    return judged([*attempts, ended], VISA, initiator=asked_by)["visa-cat2-reattempt-cap"]


@pytest.mark.parametrize(
    ("approval_by", "asked_by", "used"),
    [
        (Initiator.UNKNOWN, Initiator.MERCHANT, 2),
        (Initiator.UNKNOWN, Initiator.CUSTOMER, 2),
        (Initiator.CUSTOMER, Initiator.MERCHANT, 2),
        (Initiator.MERCHANT, Initiator.UNKNOWN, 2),
        (Initiator.UNKNOWN, Initiator.UNKNOWN, 2),
    ],
)
def test_an_approval_that_may_be_somebody_elses_clears_no_counter_kept_by_initiator_and_is_no_retry_in_it(
    approval_by: Initiator, asked_by: Initiator, used: int
) -> None:
    assert visa_cap(approval_by, asked_by).used == used


def test_an_approval_clears_the_counter_of_its_own_initiator() -> None:
    attempts = [an_attempt(40), an_attempt(30), an_attempt(20, outcome=Outcome.APPROVED), an_attempt(10), an_attempt(5)]
    assert judged(attempts, VISA)["visa-cat2-reattempt-cap"].used == 1


def test_who_started_it_does_not_matter_to_a_counter_that_all_share() -> None:
    ended = replace(approved(NOON), initiator=Initiator.UNKNOWN)
    assert used_of_day(declined(NOON - timedelta(hours=1)), ended) == 0
