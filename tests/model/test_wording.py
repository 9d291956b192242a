"""Sentences read as a person would write them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from context_builders import NOW, card, context, debit, failed
from features.vocabulary import DeclineCategory, Network
from model.payer_advice import BY_CATEGORY, payer_could
from model.wording import (
    CATEGORY_NAMES,
    NETWORK_NAMES,
    country_words,
    day_words,
    duration_words,
    method_words,
    moment_words,
    percent,
)


def test_every_word_of_the_vocabulary_has_a_name() -> None:
    assert set(NETWORK_NAMES) == set(Network)
    assert set(CATEGORY_NAMES) == set(BY_CATEGORY) == set(DeclineCategory)


def test_days_and_moments_are_written_out_on_the_local_clock() -> None:
    assert day_words(date(2026, 11, 3)) == "Tue 3 Nov 2026"
    assert moment_words(datetime(2026, 11, 24, 23, 30, tzinfo=UTC), "Asia/Kolkata") == (
        "Wed 25 Nov 2026 05:00 (Asia/Kolkata)"
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.482, "48 %"),
        (0.0312, "3.1 %"),
        (0.0995, "10 %"),
        (0.994, "99 %"),
        (0.9951, "over 99 %"),
        (1.0, "100 %"),
        (0.0004, "under 0.1 %"),
        (0.0, "0.0 %"),
    ],
)
def test_small_chances_keep_a_decimal_and_what_is_not_certain_is_not_called_so(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47, minutes=40), "48 hours"),
        (timedelta(days=6, hours=10), "6 days"),
    ],
)
def test_lengths_are_told_in_the_unit_that_fits(length: timedelta, words: str) -> None:
    assert duration_words(length) == words


def test_countries_are_named_as_they_follow_in() -> None:
    assert [country_words(code) for code in ("DE", "SA", "US", "GB", "CI", "XX")] == [
        "Germany",
        "Saudi Arabia",
        "the United States",
        "the United Kingdom",
        "Ivory Coast",
        "XX",
    ]


def test_methods_are_named_by_network_and_token() -> None:
    assert method_words(debit("d7")) == "the SEPA debit d7"
    assert method_words(card("c1", Network.UNKNOWN)) == "the card c1"


def test_the_payer_hears_first_about_what_failed_last() -> None:
    one, two = card(), card("card_2", Network.MASTERCARD)
    attempts = [failed(one, "54", ago=timedelta(days=2)), failed(two, "51", ago=timedelta(days=1))]
    steps = payer_could(context([one, two], attempts))
    assert "day on which money" in steps[0]
    assert any("expiry" in step for step in steps)
    assert len(steps) == len(set(steps))


def test_the_payer_is_asked_for_consent_where_there_is_none() -> None:
    method = card(consented=False)
    assert "agree" in payer_could(context([method], [failed(method)], now=NOW))[0]
