"""The log is an ordinary attempt history, repeatable, with believable levels and real codes."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from experiments.simulator.causes import Cause
from experiments.simulator.generate import Generated, first_customers, generate, generate_attempts
from experiments.simulator.history_table import history_table
from experiments.simulator.journal import NO_POLICY
from experiments.simulator.settings import Settings
from features.card_number import holds_card_number
from features.declines.taxonomy import classify
from features.errors import InvalidValueError
from features.history import FIELDS, REQUIRED, SCHEMA
from features.vocabulary import DeclineCategory, Network

SMALL = Settings(seed=3, start=date(2025, 1, 1), months=4, customers=400)


def logged(made: Generated) -> pa.Table:
    return history_table(made.hidden, made.journal)


def test_the_history_has_exactly_the_format_and_is_sorted_by_time(history: pa.Table) -> None:
    assert history.schema.equals(SCHEMA, check_metadata=True)
    history.validate(full=True)
    assert all(history[name].null_count == 0 for name in REQUIRED)
    at = history["attempted_at"].to_numpy()
    assert np.all(at[1:] >= at[:-1])
    assert pc.count_distinct(history["attempt_id"]).as_py() == history.num_rows


def test_every_word_is_in_its_closed_list(history: pa.Table) -> None:
    for field in FIELDS:
        if field.words is not None:
            found = {word for word in history[field.name].unique().to_pylist() if word is not None}
            assert found <= {word.value for word in field.words}, field.name


def test_no_identifier_looks_like_a_card_number(history: pa.Table) -> None:
    for name in ("attempt_id", "payment_id", "customer_id", "method_id", "mandate_id"):
        assert not any(holds_card_number(text or "") for text in history[name].to_pylist()), name


def test_outcomes_are_known_at_once_for_cards_and_banking_days_later_for_debits(history: pa.Table) -> None:
    wait = pc.subtract(history["outcome_at"], history["attempted_at"]).to_numpy().astype("timedelta64[h]").astype(int)
    by_hand = pc.equal(history["initiator"], "customer").to_numpy(zero_copy_only=False)
    rail = history["rail"].to_numpy()
    declined = (history["outcome"].to_numpy() != "error") & ~by_hand
    assert np.all(wait[rail == "card"] == 0)
    debits = wait[(rail == "bank_debit") & declined]
    assert debits.min() >= 36
    assert debits.max() <= 24 * 10


def test_the_same_settings_give_the_same_history() -> None:
    again = generate(SMALL)
    assert logged(again).equals(logged(generate(SMALL)))
    other = generate(Settings(4, SMALL.start, SMALL.months, SMALL.customers))
    assert not logged(other).equals(logged(again))


def test_fewer_customers_are_a_part_of_the_same_world() -> None:
    whole, part = generate(SMALL), generate(Settings(SMALL.seed, SMALL.start, SMALL.months, 150))
    assert logged(first_customers(whole, 150)).equals(logged(part))


@pytest.mark.parametrize("attempts", [60, 3_000])
def test_asking_for_attempts_gives_at_least_those_and_whole_customers(attempts: int) -> None:
    made = generate_attempts(3, date(2025, 1, 1), 4, attempts)
    assert attempts <= len(made.journal) <= attempts + 60
    assert len(first_customers(made, made.settings.customers - 1).journal) < attempts


def test_six_markets_bill_in_their_own_currency_and_clock(history: pa.Table) -> None:
    seen = Counter(zip(*(history[n].to_pylist() for n in ("market", "currency")), strict=True))
    assert set(seen) == {("US", "USD"), ("GB", "GBP"), ("DE", "EUR"), ("BR", "BRL"), ("IN", "INR"), ("SA", "SAR")}
    zones = set(history["issuer_time_zone"].unique().to_pylist())
    assert {"America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Asia/Riyadh", "America/Sao_Paulo"} <= zones
    networks = set(history["network"].unique().to_pylist())
    assert {"visa", "mastercard", "american_express", "elo", "mada", "rupay", "ach", "sepa_core", "bacs"} <= networks


def test_failures_come_at_believable_levels(made: Generated) -> None:
    journal = made.journal
    first = journal.order == 0
    failed = first & (journal.cause != Cause.APPROVED)
    assert 0.05 <= failed.sum() / first.sum() <= 0.12
    share = {cause: float((journal.cause[failed] == cause).mean()) for cause in Cause}
    assert max(share, key=lambda cause: share[cause]) == Cause.NO_FUNDS
    assert 0.38 <= share[Cause.NO_FUNDS] <= 0.55
    assert 0.10 <= share[Cause.DO_NOT_HONOR] <= 0.20
    assert 0.04 <= share[Cause.ISSUER_DOWN] + share[Cause.TECHNICAL] + share[Cause.PROCESSOR_DOWN] <= 0.12


def test_the_merchant_recovers_between_two_and_three_fifths(made: Generated) -> None:
    journal = made.journal
    payment = journal.customer * 1_000 + journal.payment
    failed = np.unique(payment[(journal.order == 0) & (journal.cause != Cause.APPROVED)])
    recovered = np.unique(payment[(journal.policy != NO_POLICY) & (journal.cause == Cause.APPROVED)])
    assert 0.40 <= np.isin(failed, recovered).mean() <= 0.60
    by_hand = np.unique(payment[journal.by_customer == 1])
    assert 0.02 <= np.isin(failed, by_hand).mean() <= 0.15


def test_every_code_is_one_that_the_taxonomy_knows(history: pa.Table) -> None:
    failed = history.filter(pc.not_equal(history["outcome"], "approved"))
    names = ("code", "processor", "network", "advice_code", "issuer_country")
    for code, processor, network, advice, country in set(zip(*(failed[n].to_pylist() for n in names), strict=True)):
        if code is not None:
            decline = classify(code, processor=processor, network=Network(network), advice_code=advice, country=country)
            assert decline.category is not DeclineCategory.UNKNOWN, (code, processor, network, advice)


def test_only_a_processor_that_was_down_leaves_no_code(history: pa.Table) -> None:
    uncoded = history.filter(pc.and_(pc.is_null(history["code"]), pc.not_equal(history["outcome"], "approved")))
    assert set(uncoded["outcome"].unique().to_pylist()) <= {"error"}


def test_expiry_dates_are_ends_of_months(history: pa.Table) -> None:
    for day in history["expires_on"].drop_null().unique().to_pylist():
        assert (day + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("months", "customers", "start", "field"),
    [(0, 1, date(2025, 1, 1), "months"), (1, 0, date(2025, 1, 1), "customers"), (1, 1, date(2025, 1, 2), "start")],
)
def test_settings_that_make_no_world_are_refused(months: int, customers: int, start: date, field: str) -> None:
    with pytest.raises(InvalidValueError, match=field):
        Settings(1, start, months, customers)
