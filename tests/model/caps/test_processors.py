"""Limits of single processors: they bind what goes through that processor and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from cap_builders import NOW, a_method, an_attempt, judged
from features.attempt import Attempt
from features.vocabulary import Network, Outcome, Rail
from model.caps.tally import carrier

TICK = timedelta(microseconds=1)
VISA = a_method()
NACH = a_method(Network.NACH, rail=Rail.BANK_DEBIT, country="IN", mandate_id="man")


def through(processor: str, *ages: float, code: str = "51") -> list[Attempt]:
    return [an_attempt(age, code, processor=processor) for age in ages]


def test_a_processor_is_meant_whatever_its_account_is_called() -> None:
    for name in ("paddle", "Paddle", "paddle_eu", "PADDLE-2"):
        assert "paddle-spacing" in judged([], processor=name)
    for name in ("paddleboard", "north", "my_paddle"):
        assert "paddle-spacing" not in judged([], processor=name)
    assert carrier("_Stripe-us") == "stripe"


def test_paddle_takes_one_attempt_a_day_and_ten_retries() -> None:
    made = through("paddle", 0)
    assert judged(made, processor="paddle")["paddle-spacing"].frees_at == NOW + timedelta(hours=24)
    assert judged(made, processor="paddle", at=NOW + timedelta(hours=24))["paddle-spacing"].allowed
    many = through("paddle", *(25 * i for i in range(11)))
    assert judged(many[1:], processor="paddle")["paddle-caps"].allowed
    verdict = judged(many, processor="paddle")["paddle-caps"]
    assert (verdict.allowed, verdict.used, verdict.frees_at) == (False, 10, None)


def test_what_another_processor_carried_does_not_count() -> None:
    assert judged(through("north", 0), processor="paddle")["paddle-spacing"].used == 0


def test_recurly_ends_a_cycle_at_seven_declines_twenty_attempts_or_sixty_days() -> None:
    seven = through("recurly", *(30 * i for i in range(7)))
    assert judged(seven[1:], processor="recurly")["recurly-declines"].allowed
    assert not judged(seven, processor="recurly")["recurly-declines"].allowed
    first = through("recurly", 0)
    closes = NOW + timedelta(days=60)
    assert judged(first, processor="recurly", at=closes - TICK)["recurly-caps"].allowed
    assert not judged(first, processor="recurly", at=closes)["recurly-caps"].allowed


def test_razorpay_takes_one_attempt_a_day_of_india_on_the_three_days_after() -> None:
    late = an_attempt(0, processor="razorpay", before=datetime(2026, 11, 23, 18, 29, tzinfo=UTC))  # 23:59 in India
    midnight = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    verdict = judged([late], processor="razorpay", at=midnight - TICK)["razorpay-subscription-one-a-day"]
    assert (verdict.allowed, verdict.frees_at) == (False, midnight)
    assert judged([late], processor="razorpay", at=midnight)["razorpay-subscription-one-a-day"].allowed
    ends = midnight + timedelta(days=3)
    assert judged([late], processor="razorpay", at=ends - TICK)["razorpay-subscription-retries"].allowed
    assert not judged([late], processor="razorpay", at=ends)["razorpay-subscription-retries"].allowed


def test_razorpay_waits_three_days_after_a_rejected_debit_of_a_mandate() -> None:
    made = [an_attempt(0, "ZZ", method=NACH, processor="razorpay", payment_id="other")]
    verdict = judged(made, NACH, processor="razorpay")["razorpay-enach-spacing"]
    assert verdict.frees_at == NOW + timedelta(hours=72)
    assert "razorpay-enach-spacing" not in judged(made, NACH, processor="north")


def test_gocardless_takes_three_retries_of_a_debit() -> None:
    debit = a_method(Network.BECS_AU, rail=Rail.BANK_DEBIT, country="AU")
    made = [an_attempt(30 * i, "6", method=debit, processor="gocardless") for i in range(4)]
    assert judged(made[1:], debit, processor="gocardless")["gocardless-manual-retry"].allowed
    assert not judged(made, debit, processor="gocardless")["gocardless-manual-retry"].allowed


def test_stripe_only_recommends() -> None:
    many = through("stripe", *(20 * i for i in range(10)))
    verdict = judged(many, processor="stripe")["stripe-recommended-max"]
    assert (verdict.allowed, verdict.used, verdict.limit) == (True, None, None)
    assert verdict.sentence.startswith("Stripe advises at most 8 retries")
    assert verdict.sentence.endswith("This is advice, not a limit.")


@pytest.mark.parametrize(("code", "hours"), [("BP171", 1), ("BP900", 1), ("RP", 72), ("NR", 720)])
def test_cielo_asks_to_wait_by_its_own_codes(code: str, hours: int) -> None:
    made = [an_attempt(0, code, processor="cielo")]
    waits = {v.frees_at for name, v in judged(made, processor="cielo").items() if name.startswith("brazil-cielo-wait")}
    assert waits == {NOW + timedelta(hours=hours)}


def test_cielo_takes_some_codes_again_from_the_following_day_of_brazil_only() -> None:
    made = [an_attempt(0, "67", processor="cielo")]
    verdict = judged(made, processor="cielo")["brazil-cielo-next-day"]
    assert verdict.frees_at == datetime(2026, 11, 24, 3, tzinfo=UTC)


def test_cielo_takes_four_retries_in_sixteen_days_after_its_listed_codes() -> None:
    made = [an_attempt(25 * i, "60", processor="cielo") for i in range(5)]
    assert judged(made[1:], processor="cielo")["brazil-cielo-4-in-16-days"].allowed
    verdict = judged(made, processor="cielo")["brazil-cielo-4-in-16-days"]
    assert (verdict.allowed, verdict.used) == (False, 4)
    other = [an_attempt(25 * i, "51", processor="cielo") for i in range(5)]
    assert "brazil-cielo-4-in-16-days" not in judged(other, processor="cielo")


def test_tabapay_counts_declines_of_the_amount() -> None:
    home = [an_attempt(30 * i, processor="tabapay") for i in range(20)]
    found = judged(home, processor="tabapay", payment=None)
    assert "tabapay-block-rules" not in found, "the merchant is in Germany"
    from cap_builders import a_payment

    at_home = a_payment(merchant_country="US")
    assert judged(home[1:], processor="tabapay", payment=at_home)["tabapay-block-rules"].allowed
    assert not judged(home, processor="tabapay", payment=at_home)["tabapay-block-rules"].allowed


BACS = a_method(Network.BACS, rail=Rail.BANK_DEBIT, country="GB", mandate_id="man")


def test_bacs_represents_within_a_calendar_month_of_the_first_day() -> None:
    first = [an_attempt(0, "0", method=BACS, before=datetime(2027, 1, 31, 9, tzinfo=UTC))]
    closes = datetime(2027, 2, 28, tzinfo=UTC)
    assert judged(first, BACS, at=closes - TICK)["bacs-represent"].allowed
    verdict = judged(first, BACS, at=closes)["bacs-represent"]
    assert not verdict.allowed
    assert "within 1 month of the first attempt" in verdict.sentence


def test_autogiro_checks_on_the_three_bank_days_after_and_never_before_the_banks_own_check() -> None:
    giro = a_method(Network.AUTOGIRO, rail=Rail.BANK_DEBIT, country="SE", mandate_id="man")
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    final = [an_attempt(0, "1", method=giro, before=monday)]
    closes = datetime(2026, 11, 26, 23, tzinfo=UTC)
    assert judged(final, giro, at=closes - TICK)["autogiro-renewed-coverage-check"].allowed
    assert not judged(final, giro, at=closes)["autogiro-renewed-coverage-check"].allowed
    again = [an_attempt(0, "9", method=giro, before=monday)]
    assert judged(again, giro, at=monday)["autogiro-bank-checks-again"].frees_at == datetime(
        2026, 11, 24, 23, tzinfo=UTC
    )


def test_two_returns_in_thirty_days_block_a_canadian_account_until_the_first_is_thirty_days_old() -> None:
    pad = a_method(Network.PAD, rail=Rail.BANK_DEBIT, country="CA", mandate_id="man")
    made = [an_attempt(days * 24, "901", method=pad, payment_id="other") for days in (20, 5)]
    verdict = judged(made, pad)["canada-pad-processor-block"]
    assert (verdict.allowed, verdict.used, verdict.frees_at) == (False, 2, NOW + timedelta(days=10))
    another_reason = [made[0], an_attempt(1, "905", method=pad, payment_id="other")]
    assert judged(another_reason, pad)["canada-pad-processor-block"].used == 1


def test_dutch_banks_try_themselves_first_which_is_only_advice() -> None:
    dutch = a_method(Network.SEPA_CORE, rail=Rail.BANK_DEBIT, country="NL", mandate_id="man")
    german = a_method(Network.SEPA_CORE, rail=Rail.BANK_DEBIT, country="DE", mandate_id="man")
    verdict = judged([an_attempt(1, "AM04", method=dutch)], dutch)["sepa-nl-bank-own-retry"]
    assert verdict.allowed
    assert "competes" in verdict.sentence
    assert "sepa-nl-bank-own-retry" not in judged([an_attempt(1, "AM04", method=german)], german)


def test_what_is_irreversible_in_brazil_is_not_tried_again_there() -> None:
    elo = a_method(Network.ELO, country="BR")
    from cap_builders import a_payment

    made = [an_attempt(1, "41", method=elo, payment_id="other")]
    at_home = judged(made, elo, payment=a_payment(merchant_country="BR"))
    assert not at_home["brazil-abecs-irreversible"].allowed
    assert "brazil-abecs-irreversible" not in judged(made, elo, payment=a_payment(merchant_country="DE"))


@pytest.mark.parametrize(
    ("day", "binds"), [("2014-10-16", False), ("2014-10-17", True), ("2021-10-31", True), ("2021-11-01", False)]
)
def test_the_american_rule_of_2014_held_until_the_advice_codes_came(day: str, binds: bool) -> None:
    from cap_builders import a_payment

    card, at = a_method(Network.MASTERCARD, country="US"), datetime.fromisoformat(f"{day}T00:00:00+00:00")
    made = [an_attempt(1, "14", method=card, before=at)]
    found = judged(made, card, at=at, payment=a_payment(merchant_country="US"))
    assert ("mastercard-us-2014-hard-decline-rule" in found) is binds


def test_a_stopped_visa_payment_costs_a_fee_of_its_own_beside() -> None:
    verdict = judged([an_attempt(1, "R1")])["visa-stop-payment-service"]
    assert not verdict.allowed
    assert str(verdict.fee) == "1.00 EUR"
    assert "a new consent of the cardholder would lift this" in verdict.sentence


def test_only_refer_to_customer_is_tried_again_in_australia() -> None:
    becs = a_method(Network.BECS_AU, rail=Rail.BANK_DEBIT, country="AU", mandate_id="man")
    assert "australia-becs-retry" not in judged([an_attempt(1, "6", method=becs)], becs)
    assert not judged([an_attempt(1, "2", method=becs)], becs)["australia-becs-retry"].allowed


def test_immediate_retries_of_open_banking_are_advised_against_after_two() -> None:
    consent = a_method(Network.OPEN_BANKING, rail=Rail.ACCOUNT_TO_ACCOUNT, country="GB")
    made = [an_attempt(i, None, method=consent, outcome=Outcome.DECLINED) for i in (1, 2, 3)]
    assert judged(made, consent)["uk-vrp-open-banking"].sentence.endswith("This is advice, not a limit.")
    assert not judged(made, consent)["recoup-account-to-account"].allowed
