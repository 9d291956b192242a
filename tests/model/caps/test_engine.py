"""What the shipped rules say, at the instants where they change their mind."""

from datetime import UTC, datetime, timedelta

import pytest

from cap_builders import AMOUNT, NOW, a_context, a_method, a_payment, an_attempt, hours, judged
from features.attempt import Attempt
from features.errors import InvalidValueError
from features.money import Money
from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail
from model.caps.engine import Proposal, prepare, verdicts
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import tally_of

TICK = timedelta(microseconds=1)
VISA_CAP = "visa-cat2-reattempt-cap"
MONTH = hours(720)


def declines(count: int, *, every: float = 12, code: str = "51") -> list[Attempt]:
    """That many declines, the last one now."""
    return [an_attempt(every * i, code) for i in range(count)]


def test_the_first_decline_is_not_a_retry() -> None:
    verdict = judged(declines(1))[VISA_CAP]
    assert (verdict.allowed, verdict.used, verdict.limit) == (True, 0, 15)
    assert verdict.sentence == "Visa allows 15 retries of this card and amount in 30 days; 0 used, 15 left."


def test_the_fifteenth_retry_is_allowed_and_the_sixteenth_is_not() -> None:
    assert judged(declines(15))[VISA_CAP].allowed
    verdict = judged(declines(16))[VISA_CAP]
    assert (verdict.allowed, verdict.used) == (False, 15)


def test_a_full_counter_frees_when_its_oldest_retry_is_thirty_days_old_and_not_a_tick_before() -> None:
    attempts = declines(16)
    oldest_retry = sorted(a.at for a in attempts)[1]
    verdict = judged(attempts)[VISA_CAP]
    assert verdict.frees_at == oldest_retry + MONTH
    assert "the next is free on 16 Dec 2026 10:15 UTC" in verdict.sentence
    assert not judged(attempts, at=verdict.frees_at - TICK)[VISA_CAP].allowed
    assert judged(attempts, at=verdict.frees_at)[VISA_CAP].allowed


def test_the_looser_figure_is_used_only_when_selected() -> None:
    confirmed = Rulebook.load().published([VISA_CAP])
    assert not judged(declines(16))[VISA_CAP].allowed
    assert judged(declines(16), rulebook=confirmed)[VISA_CAP].limit == 20
    assert judged(declines(20), rulebook=confirmed)[VISA_CAP].allowed
    assert not judged(declines(21), rulebook=confirmed)[VISA_CAP].allowed


def test_a_limit_of_none_in_a_rolling_window_ends_when_the_last_decline_leaves_it() -> None:
    book = Rulebook.load().tightened({VISA_CAP: Tightening(limit=0)})
    attempts = declines(3)
    verdict = judged(attempts, rulebook=book)[VISA_CAP]
    assert verdict.frees_at == NOW + MONTH
    assert not judged(attempts, at=verdict.frees_at - TICK, rulebook=book)[VISA_CAP].allowed
    assert judged(attempts, at=verdict.frees_at, rulebook=book)[VISA_CAP].allowed


def test_an_approved_retry_in_brazil_counts_on_but_a_fresh_payment_a_day_after_the_decline_is_no_retry() -> None:
    card = a_method(Network.MASTERCARD, country="BR")
    book = Rulebook.load().tightened({"mastercard-tpe-24h-brazil": Tightening(limit=1)})
    attempts = [an_attempt(24, method=card), an_attempt(23, method=card, outcome=Outcome.APPROVED)]
    home = a_payment(merchant_country="BR")
    at_last = judged(attempts, card, payment=home, rulebook=book, at=NOW - TICK)["mastercard-tpe-24h-brazil"]
    assert (at_last.allowed, at_last.used, at_last.frees_at) == (False, 1, NOW)
    verdict = judged(attempts, card, payment=home, rulebook=book)["mastercard-tpe-24h-brazil"]
    assert (verdict.allowed, verdict.used) == (True, 1)


def test_where_only_the_day_is_known_the_stricter_reading_decides_what_is_a_retry() -> None:
    amex = a_method(Network.AMERICAN_EXPRESS)
    thirty_days = 30 * 24
    dated = [an_attempt(1 + thirty_days + 11, method=amex, precision=Precision.DAY), an_attempt(1, method=amex)]
    exact = [an_attempt(1 + thirty_days + 11, method=amex), an_attempt(1, method=amex)]
    assert judged(dated, amex)["recoup-card-30d"].used == 1
    assert judged(exact, amex)["recoup-card-30d"].used == 0


def test_codes_of_all_three_categories_use_one_counter() -> None:
    mixed = [an_attempt(i, code) for i, code in enumerate(["51", "54", "05", "ZZ"] * 4)]
    assert judged([*mixed[1:], mixed[0]])[VISA_CAP].used == 15


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("51", VISA_CAP),
        ("54", "visa-cat3-reattempt-cap"),
        ("05", "visa-cat4-reattempt-cap"),
        ("ZZ", "visa-cat4-reattempt-cap"),
    ],
)
def test_the_latest_decline_decides_which_category_is_shown(code: str, rule: str) -> None:
    shown = [name for name in judged([an_attempt(5), an_attempt(1, code)]) if name.startswith("visa-cat")]
    assert shown == [rule]


def test_another_amount_credential_or_customers_own_attempt_is_another_counter() -> None:
    token = a_method(method_id="tok", credential=Credential.NETWORK_TOKEN)
    others = [
        an_attempt(3, amount=Money(999, "EUR")),
        an_attempt(4, amount=Money(1250, "USD")),
        an_attempt(5, method=token),
        an_attempt(6, initiator=Initiator.CUSTOMER),
        an_attempt(7, initiator=Initiator.CUSTOMER),
    ]
    assert judged([*others, an_attempt(2), an_attempt(1)])[VISA_CAP].used == 1


def test_an_attempt_whose_initiator_nobody_stated_counts_for_both() -> None:
    attempts = [an_attempt(3, initiator=Initiator.UNKNOWN), an_attempt(2, initiator=Initiator.UNKNOWN)]
    for initiator in (Initiator.MERCHANT, Initiator.CUSTOMER):
        assert judged(attempts, initiator=initiator)[VISA_CAP].used == 1


def test_attempts_for_another_payment_of_the_same_amount_count() -> None:
    attempts = [an_attempt(3, payment_id="other"), an_attempt(2, payment_id="other"), an_attempt(1)]
    assert judged(attempts)[VISA_CAP].used == 2


def test_an_approval_empties_the_counter_and_an_error_never_enters_it() -> None:
    approved = an_attempt(4, outcome=Outcome.APPROVED)
    error = an_attempt(2, outcome=Outcome.ERROR)
    assert judged([an_attempt(6), an_attempt(5), approved, an_attempt(3), error, an_attempt(1)])[VISA_CAP].used == 1


def visa_on(at: datetime) -> dict[str, int | None]:
    attempts = [
        an_attempt(2, before=at),
        an_attempt(3, before=at, initiator=Initiator.CUSTOMER),
        an_attempt(4, before=at),
    ]
    return {rule: verdict.used for rule, verdict in judged(attempts, at=at).items() if rule == VISA_CAP}


def test_on_24_may_2025_visa_counts_customer_and_merchant_together_and_on_25_may_apart() -> None:
    assert visa_on(datetime(2025, 5, 24, 23, 59, 59, tzinfo=UTC)) == {VISA_CAP: 2}
    assert visa_on(datetime(2025, 5, 25, tzinfo=UTC)) == {VISA_CAP: 1}


def test_twenty_can_be_selected_from_25_may_2025_only() -> None:
    book = Rulebook.load().published([VISA_CAP])
    days = (datetime(2025, 5, 24, 23, 59, tzinfo=UTC), datetime(2025, 5, 25, tzinfo=UTC))
    limits = [judged([an_attempt(2, before=at)], at=at, rulebook=book)[VISA_CAP].limit for at in days]
    assert limits == [15, 20]


def test_a_rule_that_changes_in_mid_window_is_judged_by_the_one_in_force_at_the_attempt() -> None:
    before, after = datetime(2025, 5, 24, 12, tzinfo=UTC), datetime(2025, 5, 25, 12, tzinfo=UTC)
    attempts = [an_attempt(i, before=before) for i in range(16)]
    known = a_context(attempts, payment=a_payment(), as_of=before)
    prepared = prepare(
        Rulebook.load().published([VISA_CAP]), tally_of(known), Proposal(a_payment(), a_method(), "north")
    )
    by_day = [{v.rule_id: v for v in prepared.at(at)}[VISA_CAP] for at in (before, after)]
    assert [(v.used, v.limit, v.allowed) for v in by_day] == [(15, 15, False), (15, 20, True)]


@pytest.mark.parametrize("code", ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"])
def test_a_visa_category_1_code_forbids_the_card_for_ever(code: str) -> None:
    verdict = judged([an_attempt(1, code)], at=NOW + timedelta(days=4000))["visa-cat1-never-reattempt"]
    assert (verdict.allowed, verdict.frees_at) == (False, None)


def test_category_1_holds_for_other_amounts_too_unless_the_published_key_is_selected() -> None:
    other = [an_attempt(1, "41", amount=Money(1, "EUR"), payment_id="other")]
    assert not judged(other)["visa-cat1-never-reattempt"].allowed
    book = Rulebook.load().published(["visa-cat1-never-reattempt"])
    assert "visa-cat1-never-reattempt" not in judged(other, rulebook=book)


def test_a_processors_number_that_looks_like_category_1_does_not_forbid() -> None:
    assert "visa-cat1-never-reattempt" not in judged([an_attempt(1, "12", processor="adyen")])
    assert "visa-cat1-never-reattempt" in judged([an_attempt(1, "12")])


def test_mastercard_asks_for_four_days_and_means_it_to_the_tick() -> None:
    card = a_method(Network.MASTERCARD)
    attempts = [an_attempt(0, method=card, advice="27")]
    verdict = judged(attempts, card)["mastercard-mac-wait-times"]
    assert verdict.sentence == "Mastercard advice 27 asks to wait 4 days: not before 27 Nov 2026 10:15 UTC."
    assert verdict.frees_at == NOW + timedelta(days=4)
    assert not judged(attempts, card, at=verdict.frees_at - TICK)["mastercard-mac-wait-times"].allowed
    assert judged(attempts, card, at=verdict.frees_at)["mastercard-mac-wait-times"].allowed


@pytest.mark.parametrize("advice", ["03", "21"])
def test_mastercard_advice_to_stop_blocks_the_card_for_thirty_days_and_the_payment_for_ever(advice: str) -> None:
    card = a_method(Network.MASTERCARD)
    attempts = [an_attempt(0, method=card, advice=advice, payment_id="other", amount=Money(1, "EUR"))]
    assert judged(attempts, card)["mastercard-mac-03-21-no-retry"].frees_at == NOW + MONTH
    same = [an_attempt(0, method=card, advice=advice)]
    assert judged(same, card, at=NOW + timedelta(days=200))["recoup-never-again"].frees_at is None


@pytest.mark.parametrize("advice", ["40", "41"])
def test_a_card_that_cannot_recur_is_never_tried_again(advice: str) -> None:
    card = a_method(Network.MASTERCARD)
    verdict = judged([an_attempt(0, method=card, advice=advice)], card)["mastercard-mac-40-41-no-recurring"]
    assert (verdict.allowed, verdict.frees_at) == (False, None)


def mastercard_day(country: str | None, count: int) -> dict[str, bool]:
    card = a_method(Network.MASTERCARD, country=None)
    attempts = [an_attempt(i, method=card) for i in range(count)]
    found = judged(attempts, card, payment=a_payment(merchant_country=country))
    return {rule: verdict.allowed for rule, verdict in found.items() if "24h" in rule}


def test_mastercard_counts_declines_abroad_retries_in_brazil_and_both_where_the_country_is_unknown() -> None:
    abroad, brazil = "mastercard-tpe-24h-excessive-attempts", "mastercard-tpe-24h-brazil"
    assert mastercard_day("US", 6) == {abroad: True}
    assert mastercard_day("US", 7) == {abroad: False}
    assert mastercard_day("BR", 7) == {brazil: True}
    assert mastercard_day("BR", 8) == {brazil: False}
    assert mastercard_day(None, 7) == {abroad: False, brazil: True}


@pytest.mark.parametrize(("market", "binds"), [("BR", True), ("LATAM", True), (None, True), ("US", False)])
def test_a_market_is_a_hint_of_the_country_only_where_it_is_one(market: str | None, binds: bool) -> None:
    card = a_method(Network.MASTERCARD, country=None)
    payment = a_payment(merchant_country=None, market=market)
    assert ("mastercard-tpe-24h-brazil" in judged([an_attempt(1, method=card)], card, payment=payment)) is binds


def test_a_network_binds_its_cards_inside_a_wallet_too() -> None:
    wallet = a_method(Network.VISA, rail=Rail.WALLET)
    found = judged([an_attempt(1, "41", method=wallet)], wallet)
    assert not found["visa-cat1-never-reattempt"].allowed
    assert "recoup-wallet" in found


def test_brazil_counts_the_card_in_thirty_days_whatever_the_amount() -> None:
    card = a_method(Network.MASTERCARD)
    attempts = [an_attempt(20 * i, method=card, amount=Money(100 + i, "EUR")) for i in range(35)]
    at_home = judged(attempts, card, payment=a_payment(merchant_country="BR"))
    abroad = judged(attempts, card, payment=a_payment(merchant_country="US"))
    assert not at_home["mastercard-tpe-30d-brazil"].allowed
    assert abroad["mastercard-tpe-30d-excessive-attempts"].used == 0


@pytest.mark.parametrize(
    ("day", "limit"), [("2022-09-30", 20), ("2022-10-01", 7), ("2023-01-31", 7), ("2025-01-01", 7)]
)
def test_mastercards_daily_figure_fell_on_1_october_2022(day: str, limit: int) -> None:
    card, at = a_method(Network.MASTERCARD), datetime.fromisoformat(f"{day}T00:00:00+00:00")
    found = judged([an_attempt(1, method=card, before=at)], card, at=at)
    assert found["mastercard-tpe-24h-excessive-attempts"].limit == limit


def test_the_thirty_day_rule_of_mastercard_begins_on_1_november_2023() -> None:
    card, rule = a_method(Network.MASTERCARD), "mastercard-tpe-30d-excessive-attempts"
    for day, present in (
        (datetime(2023, 10, 31, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2023, 11, 1, tzinfo=UTC), True),
    ):
        assert (rule in judged([an_attempt(1, method=card, before=day)], card, at=day)) is present


ACH = a_method(Network.ACH, rail=Rail.BANK_DEBIT, mandate_id="man")


def ach(*codes: str, every: float = 72) -> list[Attempt]:
    return [an_attempt(every * (len(codes) - i), code, method=ACH) for i, code in enumerate(codes)]


def test_a_returned_debit_is_presented_again_twice_and_no_more() -> None:
    assert judged(ach("R01", "R09"), ACH)["nacha-reinitiation-cap"].allowed
    verdict = judged(ach("R01", "R09", "R01"), ACH)["nacha-reinitiation-cap"]
    assert (verdict.allowed, verdict.used, verdict.frees_at) == (False, 2, None)
    assert "2 used, none left" in verdict.sentence


def test_a_debit_is_not_presented_again_180_days_after_the_first() -> None:
    first = ach("R01")
    closes = first[0].at + timedelta(days=180)
    assert judged(first, ACH, at=closes - TICK)["nacha-reinitiation-cap"].allowed
    verdict = judged(first, ACH, at=closes)["nacha-reinitiation-cap"]
    assert (verdict.allowed, verdict.frees_at) == (False, None)
    assert "within 180 days" in verdict.sentence


def test_another_debit_under_the_same_mandate_has_its_own_count() -> None:
    assert judged(ach("R01", "R01", "R01"), ACH, payment=a_payment("next"))["nacha-reinitiation-cap"].used == 0


@pytest.mark.parametrize("code", ["R02", "R05", "R07", "R10", "R14", "R15", "R16", "R29", "R51"])
def test_an_unauthorized_or_closed_account_blocks_every_debit_of_the_mandate(code: str) -> None:
    renamed = a_method(Network.ACH, "pm-new", rail=Rail.BANK_DEBIT, mandate_id="man")
    attempts = [an_attempt(9, code, method=ACH, payment_id="other")]
    context = a_context(attempts, ACH, renamed)
    found = verdicts(Rulebook.load(), tally_of(context), Proposal(a_payment(), renamed, "north"), NOW)
    verdict = {v.rule_id: v for v in found}["nacha-must-not-reinitiate"]
    assert (verdict.allowed, verdict.frees_at) == (False, None)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("R08", "nacha-r08-stop-payment"),
        ("R03", "nacha-remedied-return"),
        ("R20", "nacha-remedied-return"),
        ("R32", "nacha-other-returns"),
        ("R21", "nacha-other-returns"),
        ("XX", "nacha-other-returns"),
    ],
)
def test_other_returns_wait_for_consent_or_correction_and_say_so(code: str, rule: str) -> None:
    verdict = judged(ach(code), ACH)[rule]
    assert not verdict.allowed
    assert "would lift this" in verdict.sentence


def test_lack_of_funds_in_a_processors_words_may_be_presented_again() -> None:
    attempts = [an_attempt(9, "insufficient_funds", method=ACH, processor="gocardless")]
    assert all(verdict.allowed for verdict in judged(attempts, ACH).values())


SEPA = a_method(Network.SEPA_CORE, rail=Rail.BANK_DEBIT, mandate_id="man")


def test_a_sepa_collection_is_presented_again_twice_and_the_limit_is_said_to_be_ours() -> None:
    attempts = [an_attempt(100 * i, "AM04", method=SEPA) for i in range(3)]
    assert judged(attempts[1:], SEPA)["sepa-core-represent"].allowed
    verdict = judged(attempts, SEPA)["sepa-core-represent"]
    assert not verdict.allowed
    assert "Recoup's own limit" in verdict.sentence
    assert "3 may be allowed" in verdict.sentence


@pytest.mark.parametrize(
    "code", ["AC01", "AC04", "AC06", "AG01", "BE05", "FOCR", "MD01", "MD06", "MD07", "MS02", "RR04", "SL01"]
)
def test_a_sepa_refusal_blocks_the_mandate(code: str) -> None:
    attempts = [an_attempt(1, code, method=SEPA, payment_id="other")]
    assert not judged(attempts, SEPA)["sepa-core-no-retry-codes"].allowed


@pytest.mark.parametrize("network", [n for n in Network if n not in {Network.VISA, Network.MASTERCARD, Network.ELO}])
@pytest.mark.parametrize("rail", Rail)
def test_every_other_network_and_rail_has_a_cap_that_ends(network: Network, rail: Rail) -> None:
    method = a_method(network, rail=rail)
    attempts = [an_attempt(i / 10, None, method=method) for i in range(30)]
    caps = [v for v in judged(attempts, method).values() if v.limit is not None]
    assert any(not cap.allowed for cap in caps)


def test_a_default_of_ours_says_that_it_is_ours() -> None:
    amex = a_method(Network.AMERICAN_EXPRESS)
    verdict = judged([an_attempt(1, "116", method=amex)], amex)["recoup-card-30d"]
    assert "Recoup's own limit" in verdict.sentence
    assert verdict.source.startswith("Recoup's own default")


def test_a_limit_of_none_forbids_the_retry_and_not_the_first_attempt() -> None:
    pix = a_method(Network.PIX_AUTOMATICO, rail=Rail.ACCOUNT_TO_ACCOUNT)
    assert judged([], pix)["pix-automatico-extra-attempts"].allowed
    assert not judged([an_attempt(1, "AB10", method=pix)], pix)["pix-automatico-extra-attempts"].allowed


def test_expired_details_block_a_silent_retry_but_not_one_that_the_customer_makes() -> None:
    attempts = [an_attempt(1, "54")]
    verdict = judged(attempts)["recoup-after-fix"]
    assert not verdict.allowed
    assert "corrected or renewed details" in verdict.sentence
    assert "recoup-after-fix" not in judged(attempts, initiator=Initiator.CUSTOMER)


def test_a_later_decline_of_another_kind_shows_that_the_details_were_put_right() -> None:
    assert "recoup-after-fix" not in judged([an_attempt(2, "54"), an_attempt(1, "51")])


def test_a_pending_attempt_hides_no_reason() -> None:
    bacs = a_method(Network.BACS, rail=Rail.BANK_DEBIT, mandate_id="man")
    stopped = an_attempt(90, "6", method=bacs, payment_id="other")
    pending = an_attempt(5, method=bacs, payment_id="third", outcome=Outcome.UNKNOWN)
    assert not judged([stopped, pending], bacs)["bacs-stop-codes"].allowed


def test_authentication_needs_the_payer() -> None:
    assert not judged([an_attempt(1, "1A")])["recoup-with-authentication"].allowed


def test_a_stolen_card_stays_forbidden_after_a_softer_decline_but_another_card_is_free() -> None:
    attempts = [an_attempt(2, "43"), an_attempt(1, "51")]
    assert not judged(attempts)["recoup-never-again"].allowed
    assert all(v.allowed for v in judged(attempts, a_method(method_id="second")).values())


def test_nothing_is_attempted_while_an_outcome_is_pending() -> None:
    verdict = judged([an_attempt(1, method=SEPA, outcome=Outcome.UNKNOWN)], SEPA)["recoup-outcome-pending"]
    assert not verdict.allowed
    assert "the payer might pay twice" in verdict.sentence


def test_a_day_without_a_time_counts_to_its_last_possible_instant() -> None:
    card = a_method(Network.MASTERCARD)
    attempts = [an_attempt(13, method=card, advice="25", precision=Precision.DAY)]
    expected = attempts[0].at + hours(12 + 24)
    assert judged(attempts, card)["mastercard-mac-wait-times"].frees_at == expected


@pytest.mark.parametrize(
    ("home", "issuer", "day", "fee"),
    [
        ("US", "US", "2026-11-23", Money(10, "USD")),
        ("US", "DE", "2026-04-24", Money(15, "USD")),
        ("US", "DE", "2026-04-25", Money(25, "USD")),
        ("US", None, "2026-11-23", Money(25, "USD")),
        ("BR", "BR", "2026-11-23", Money(10, "USD")),
        ("KE", "DE", "2026-11-23", None),
        (None, "DE", "2026-11-23", None),
    ],
)
def test_a_breach_has_the_price_of_its_day_and_region(
    home: str | None, issuer: str | None, day: str, fee: Money | None
) -> None:
    at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    card = a_method(country=issuer)
    found = judged([an_attempt(1, "41", before=at)], card, at=at, payment=a_payment(merchant_country=home))
    verdict = found["visa-cat1-never-reattempt"]
    assert verdict.fee == fee
    assert (str(fee) in verdict.sentence) if fee else ("cost" not in verdict.sentence)


def test_the_law_comes_before_our_own_rules() -> None:
    names = list(judged([an_attempt(1, "41")]))
    assert names.index("visa-cat1-never-reattempt") < names.index("recoup-never-again")


def test_an_instant_without_a_zone_is_refused() -> None:
    proposal = Proposal(a_payment(amount=AMOUNT), a_method(), "north")
    with pytest.raises(InvalidValueError, match="time zone"):
        verdicts(Rulebook.load(), tally_of(a_context([])), proposal, NOW.replace(tzinfo=None))
