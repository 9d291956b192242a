"""What says never is said of the card or mandate, whoever words it; no approval, code or setting takes it back."""

import pytest

from cap_builders import NOW, a_method, a_payment, an_attempt, hours, judged
from features.attempt import Attempt
from features.method import Method
from features.money import Money
from features.vocabulary import Initiator, Network, Outcome, Rail
from model.caps.rule import Kind
from model.caps.rulebook import Rulebook
from model.caps.settings import parse_settings

BOOK = Rulebook.load()
NEXT = a_payment("next", merchant_country="US")
ONCE_MORE = a_payment("pay", merchant_country="US")
SMALL = Money(900, "EUR")
CAP = "visa-cat2-reattempt-cap"


def debit(network: Network, country: str = "US") -> Method:
    return a_method(network, "account", Rail.BANK_DEBIT, country, mandate_id="mandate")


VISA, MASTERCARD = a_method(country="US"), a_method(Network.MASTERCARD, country="US")
ACH, SEPA, BACS = debit(Network.ACH), debit(Network.SEPA_CORE, "DE"), debit(Network.BACS, "GB")


def approval(method: Method, ago: float, payment_id: str = "other", amount: Money = SMALL) -> Attempt:
    own = Initiator.CUSTOMER if method.rail is Rail.CARD else Initiator.MERCHANT
    return an_attempt(ago, method=method, payment_id=payment_id, amount=amount, outcome=Outcome.APPROVED, initiator=own)


def forbidding(
    attempts: list[Attempt], method: Method, payment_id: str = "next", rulebook: Rulebook | None = None
) -> set[str]:
    payment = NEXT if payment_id == "next" else ONCE_MORE
    return {v.rule_id for v in judged(attempts, method, payment=payment, rulebook=rulebook).values() if not v.allowed}


@pytest.mark.parametrize(
    ("method", "code", "rule"),
    [
        (VISA, "43", "visa-cat1-never-reattempt"),
        (VISA, "R1", "visa-stop-payment-service"),
        (ACH, "R07", "nacha-must-not-reinitiate"),
        (SEPA, "MD06", "sepa-core-no-retry-codes"),
        (BACS, "1", "bacs-stop-codes"),
    ],
)
def test_an_approval_on_another_payment_takes_no_prohibition_back(method: Method, code: str, rule: str) -> None:
    declined = an_attempt(100, code, method=method)
    assert rule in forbidding([declined], method)
    assert rule in forbidding([declined, approval(method, 50)], method)


def test_no_shipped_prohibition_is_cleared_by_an_approval() -> None:
    assert [rule.rule_id for rule in BOOK.rules if rule.kind is Kind.PROHIBITION and rule.resets_on_approval] == []


def test_advice_that_a_card_cannot_recur_outlives_an_approval() -> None:
    declined = an_attempt(100, "51", method=MASTERCARD, advice="41")
    assert "mastercard-mac-40-41-no-recurring" in forbidding([declined, approval(MASTERCARD, 50)], MASTERCARD)


@pytest.mark.parametrize(
    ("method", "processor", "word", "rule"),
    [
        (VISA, "stripe", "stolen_card", "visa-cat1-never-reattempt"),
        (VISA, "stripe", "invalid_account", "visa-cat1-never-reattempt"),
        (VISA, "stripe", "revocation_of_authorization", "visa-stop-payment-service"),
        (ACH, "stripe", "account_closed", "nacha-must-not-reinitiate"),
        (SEPA, "gocardless", "mandate_cancelled", "sepa-core-no-retry-codes"),
        (SEPA, "gocardless", "bank_account_closed", "sepa-core-no-retry-codes"),
    ],
)
def test_a_processors_word_bars_the_next_payment_as_the_code_does(
    method: Method, processor: str, word: str, rule: str
) -> None:
    assert rule in forbidding([an_attempt(100, word, method=method, processor=processor)], method)


def test_a_word_that_also_stands_for_what_may_be_tried_again_bars_this_payment_only() -> None:
    declined = an_attempt(100, "fraudulent", method=VISA, processor="stripe")
    assert forbidding([declined], VISA) == set()
    assert forbidding([declined], VISA, "pay") == {"recoup-never-again"}


def test_a_processors_word_for_advice_bars_as_the_advice_does() -> None:
    declined = an_attempt(100, "generic_decline", method=MASTERCARD, processor="stripe", advice="do_not_try_again")
    assert "mastercard-mac-03-21-no-retry" in forbidding([declined], MASTERCARD)


@pytest.mark.parametrize(
    ("method", "stop", "later", "rule"),
    [(ACH, "R08", "R01", "nacha-r08-stop-payment"), (BACS, "1", "0", "bacs-stop-codes")],
)
def test_a_stop_is_not_forgotten_over_a_later_return(method: Method, stop: str, later: str, rule: str) -> None:
    attempts = [an_attempt(900, stop, method=method), an_attempt(400, later, method=method)]
    assert rule in forbidding(attempts, method, "pay")


def test_what_was_corrected_once_and_came_back_is_not_corrected_twice() -> None:
    first, second = an_attempt(900, "R03", method=ACH), an_attempt(400, "R04", method=ACH)
    assert "nacha-remedied-return-once" not in forbidding([first], ACH, "pay")
    assert "nacha-remedied-return-once" in forbidding([first, second], ACH, "pay")


def test_a_debit_that_was_approved_and_then_returned_keeps_its_count() -> None:
    attempts = [an_attempt(900 - 200 * i, "R01", method=ACH) for i in range(3)]
    assert "nacha-reinitiation-cap" in forbidding([*attempts, approval(ACH, 100, "pay")], ACH, "pay")


def test_upi_is_indian_whatever_is_known_of_a_country() -> None:
    upi = a_method(Network.UPI_AUTOPAY, "vpa", Rail.ACCOUNT_TO_ACCOUNT, country=None, mandate_id="mandate")
    for minor, allowed in ((1_500_000, True), (1_500_100, False)):
        owed = a_payment(amount=Money(minor, "INR"), merchant_country=None)
        assert judged([], upi, payment=owed)["india-afa-threshold-upi"].allowed is allowed


def test_a_wider_key_forgets_nothing_that_the_shipped_one_remembers() -> None:
    widened = "".join(f'[tighten.visa-cat{n}-reattempt-cap]\nkey = ["method", "merchant"]\n' for n in (2, 3, 4))
    book = parse_settings(widened, "mine.toml").applied(BOOK)
    declines = [an_attempt(12 + 12 * i, "51", method=VISA) for i in range(16)]
    elsewhere = an_attempt(1, "54", method=VISA, payment_id="other", amount=SMALL)
    for attempts in (declines, [*declines, elsewhere], [*declines, approval(VISA, 1)]):
        assert CAP in forbidding(attempts, VISA, "pay")
        assert CAP in forbidding(attempts, VISA, "pay", book)
    assert book.version != BOOK.version


def test_a_key_that_stays_as_it_is_changes_nothing() -> None:
    own = next(rule for rule in BOOK.rules if rule.rule_id == "visa-stop-payment-service")
    text = f"[tighten.{own.rule_id}]\nkey = [{', '.join(repr(str(part)) for part in own.key)}]\n"
    assert parse_settings(text, "mine.toml").applied(BOOK).rules == BOOK.rules


def test_pix_may_be_tried_again_on_the_seventh_day_after_it_was_due() -> None:
    pix = a_method(Network.PIX_AUTOMATICO, "pix", Rail.ACCOUNT_TO_ACCOUNT, "BR", mandate_id="mandate")
    rule, book = "pix-automatico-extra-attempts", BOOK.published(["pix-automatico-extra-attempts"])
    due = an_attempt(0, "insufficient_funds", method=pix, before=NOW - hours(24 * 9))
    owed = a_payment(merchant_country="BR")
    for days, allowed in ((7, True), (8, False)):
        at = due.at + hours(24 * days)
        assert judged([due], pix, at=at, payment=owed, rulebook=book)[rule].allowed is allowed


BACS_STOPS = (
    *(f"ARUDD-{code}" for code in "123456789AB"),
    *(f"ADDACS-{code}" for code in "012BD"),
    *(f"AUDDIS-{code}" for code in "12356B"),
)


@pytest.mark.parametrize("code", BACS_STOPS)
@pytest.mark.parametrize("later", [[approval(BACS, 50)], [an_attempt(50, "ARUDD-0", method=BACS, payment_id="third")]])
def test_a_stop_of_bacs_outlives_whatever_comes_after_it(code: str, later: list[Attempt]) -> None:
    stopped = an_attempt(100, code, method=BACS, payment_id="other")
    assert "bacs-stop-codes" in forbidding([stopped, *later], BACS)


@pytest.mark.parametrize("code", ["ADDACS-3", "ADDACS-C", "ADDACS-E"])
def test_news_of_an_instruction_that_goes_on_is_no_stop(code: str) -> None:
    changed = [an_attempt(100, code, method=BACS, payment_id="other"), an_attempt(50, "ARUDD-0", method=BACS)]
    assert "bacs-changed-details" in forbidding(changed, BACS)
    assert not {"bacs-stop-codes", "bacs-other-returns"} & forbidding(changed, BACS)


def test_an_unpaid_debit_of_bacs_is_referred_to_the_payer_and_an_instruction_so_ended_is_not() -> None:
    unpaid, ended = (an_attempt(100, f"{table}-0", method=BACS, payment_id="other") for table in ("ARUDD", "ADDACS"))
    assert forbidding([unpaid], BACS) == set()
    assert "bacs-stop-codes" in forbidding([ended], BACS)
