"""Raw codes as they really arrive, read without guessing."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decline import Decline
from features.declines.reading import load_table
from features.declines.spelling import loose, spellings, tidy
from features.declines.taxonomy import classify, network_code
from features.errors import CardNumberError, InvalidValueError
from features.vocabulary import DeclineCategory, Network, Retryability

CATEGORY = DeclineCategory
VISA, MASTERCARD = Network.VISA, Network.MASTERCARD


def visa(code: str | None, **more: str) -> Decline:
    return classify(code, processor=more.get("processor"), network=VISA, text=more.get("text"))


def mastercard(code: str | None, advice_code: str | None) -> Decline:
    return classify(code, processor=None, network=MASTERCARD, advice_code=advice_code)


@pytest.mark.parametrize(
    "messy", ["05", "5", "5.0", " 05 ", "05: Do not honor", "5 - Do Not Honour", "05 Do not honour", "Do not honour"]
)
def test_one_code_is_understood_however_it_is_written(messy: str) -> None:
    assert visa(messy).category is CATEGORY.DO_NOT_HONOR
    assert visa(messy).code == tidy(messy)


@pytest.mark.parametrize(
    "messy",
    ["43-Stolen card", "(43) Stolen card", "[43]", "43/stolen", "43, stolen", "Code 43", "RC=43", "Response code: 43"],
)
def test_a_code_is_found_in_what_people_write_around_it(messy: str) -> None:
    assert visa(messy).category is CATEGORY.LOST_OR_STOLEN
    assert network_code(messy, processor=None, network=VISA) == "43"


@pytest.mark.parametrize(
    "messy", ["insufficient_funds", "INSUFFICIENT_FUNDS", "insufficient funds", "Insufficient-Funds"]
)
@pytest.mark.parametrize("processor", ["stripe", "Stripe", "stripe_us", "STRIPE-EU"])
def test_a_processors_word_is_understood_in_any_case_from_any_of_its_accounts(messy: str, processor: str) -> None:
    assert visa(messy, processor=processor).category is CATEGORY.INSUFFICIENT_FUNDS


def test_a_processors_number_is_not_mistaken_for_the_networks() -> None:
    assert visa("12", processor="adyen").category is CATEGORY.INSUFFICIENT_FUNDS
    assert visa("12").category is CATEGORY.NOT_PERMITTED
    assert network_code("12", processor="adyen", network=VISA) is None
    assert network_code("12", processor=None, network=VISA) == "12"


@pytest.mark.parametrize(
    ("word", "subcode", "processor", "network"),
    [
        ("Refused", "41", "adyen", VISA),
        ("Revocation Of Auth", "R1", "adyen", VISA),
        ("Refused", "46 : Closed account", "adyen", VISA),
        ("a word of its own", "43", "northgate", VISA),
        (None, "41", "northgate", VISA),
        ("debit_not_authorized", "R10", "stripe", Network.ACH),
        ("debit_not_authorized", "MD01", "stripe", Network.SEPA_CORE),
    ],
)
def test_the_networks_code_counts_behind_a_word_that_no_table_knows(
    word: str | None, subcode: str, processor: str, network: Network
) -> None:
    assert classify(word, processor=processor, network=network, subcode=subcode).retryability is Retryability.NEVER
    code = network_code(word, processor=processor, network=network, subcode=subcode)
    assert code == subcode.partition(" ")[0]


def test_a_telling_word_stands_before_a_network_code_that_says_little() -> None:
    short = classify("Not enough balance", processor="adyen", network=VISA, subcode="05")
    assert short.category is CATEGORY.INSUFFICIENT_FUNDS


@pytest.mark.parametrize("word", ["Revocation Of Auth", "Issuer Suspected Fraud", "FRAUD", "FRAUD-CANCELLED"])
def test_adyens_reasons_are_read_as_its_webhooks_word_them(word: str) -> None:
    assert visa(word, processor="adyen").retryability is Retryability.NEVER


@pytest.mark.parametrize("network", [Network.ACH, Network.SEPA_CORE, Network.BACS])
@pytest.mark.parametrize("word", ["debit_not_authorized", "recipient_deceased", "account_frozen"])
def test_stripes_words_for_debits_are_known(word: str, network: Network) -> None:
    assert classify(word, processor="stripe", network=network).retryability is Retryability.NEVER


def test_a_network_code_in_full_behind_a_processor_of_short_numbers_is_the_networks() -> None:
    assert visa("05", processor="adyen").category is CATEGORY.DO_NOT_HONOR
    assert visa("5", processor="adyen").category is CATEGORY.RESTRICTED_CARD


def test_what_the_network_never_retries_stays_so_whatever_the_processor_calls_it() -> None:
    own = load_table("worldpay").exact("14")
    assert own is not None
    assert own.retryability is Retryability.AFTER_FIX
    assert visa("14", processor="worldpay").retryability is Retryability.NEVER
    stolen = classify("generic_decline", processor="stripe", network=VISA, subcode="43")
    assert (stolen.category, stolen.retryability) == (CATEGORY.LOST_OR_STOLEN, Retryability.NEVER)


def test_a_refusal_without_a_reason_takes_the_networks_reason_and_a_stated_reason_stands() -> None:
    silent = classify("generic_decline", processor="stripe", network=VISA, subcode="51")
    assert silent.category is CATEGORY.INSUFFICIENT_FUNDS
    stated = classify("expired_card", processor="stripe", network=VISA, subcode="51")
    assert stated.category is CATEGORY.EXPIRED_CARD


def test_a_range_catches_what_stands_in_it_and_nothing_beyond() -> None:
    assert visa("2500", processor="braintree").category is CATEGORY.DO_NOT_HONOR
    assert visa("2109", processor="braintree").title == visa("2999", processor="braintree").title
    assert visa("2108", processor="braintree").title != visa("2109", processor="braintree").title
    assert visa("3001", processor="braintree").category is CATEGORY.UNKNOWN


def test_card_networks_without_a_table_fall_back_to_the_common_tongue() -> None:
    assert classify("51", processor=None, network=Network.RUPAY).category is CATEGORY.INSUFFICIENT_FUNDS
    assert classify("33", processor=None, network=VISA).category is CATEGORY.EXPIRED_CARD


def test_an_unstated_network_is_read_only_where_the_code_is_complete() -> None:
    assert classify("51", processor=None, network=Network.UNKNOWN).category is CATEGORY.INSUFFICIENT_FUNDS
    assert classify("6", processor=None, network=Network.UNKNOWN).category is CATEGORY.UNKNOWN


@pytest.mark.parametrize(
    ("network", "code", "category"),
    [
        (Network.ACH, "R01", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.ACH, "R1", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.ACH, "ACH_RETURN-R10", CATEGORY.MANDATE_MISSING),
        (Network.SEPA_CORE, "am04", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.SEPA_B2B, "SEPA MD01", CATEGORY.MANDATE_MISSING),
        (Network.BACS, "0", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.BACS, "ARUDD 0", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.BACS, "ADDACS 0", CATEGORY.REVOKED_AUTHORIZATION),
        (Network.PAD, "PAD 901", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.AUTOGIRO, "TK82-1", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.AUTOGIRO, "2", CATEGORY.MANDATE_MISSING),
        (Network.BECS_NZ, "AM04", CATEGORY.INSUFFICIENT_FUNDS),
        (Network.PIX_AUTOMATICO, "AC05", CATEGORY.CLOSED_ACCOUNT),
        (VISA, "R1", CATEGORY.REVOKED_AUTHORIZATION),
    ],
)
def test_each_rail_reads_its_own_codes(network: Network, code: str, category: DeclineCategory) -> None:
    assert classify(code, processor=None, network=network).category is category


def test_a_scheme_code_behind_a_carriers_word_is_found() -> None:
    decline = classify("refer_to_payer", processor="gocardless", network=Network.ACH, subcode="ACH_RETURN-R16")
    assert (decline.category, decline.retryability) == (CATEGORY.RESTRICTED_CARD, Retryability.NEVER)
    code = network_code("refer_to_payer", processor="gocardless", network=Network.ACH, subcode="ACH_RETURN-R16")
    assert code == "R16"


@pytest.mark.parametrize(
    ("code", "own"),
    [
        ("0", "0"), ("ARUDD-0", "0"), ("BACS ARUDD 3", "3"), ("ADDACS-0", "ADDACS 0"), ("bacs addacs 3", "ADDACS 3"),
        ("C", "ADDACS C"), ("AUDDIS C", "AUDDIS C"), ("ADDACS-9", None),
    ],
)  # fmt: skip
def test_a_letter_that_several_reports_of_a_scheme_use_names_its_report(code: str, own: str | None) -> None:
    assert network_code(code, processor=None, network=Network.BACS) == own
    behind = network_code("other", processor="gocardless", network=Network.BACS, subcode=code)
    assert behind == own


@pytest.mark.parametrize("country", ["AT", "BE", "DE", "LU", "SK", "de"])
def test_reason_withheld_is_lack_of_funds_where_banks_hide_it_so(country: str) -> None:
    decline = classify("MS03", processor=None, network=Network.SEPA_CORE, country=country)
    assert decline.category is CATEGORY.INSUFFICIENT_FUNDS


@pytest.mark.parametrize("country", ["FR", "NL", None])
def test_reason_withheld_stays_unknown_elsewhere(country: str | None) -> None:
    decline = classify("MS03", processor=None, network=Network.SEPA_CORE, country=country)
    assert decline.category is CATEGORY.UNKNOWN


def test_in_brazil_an_irreversible_code_is_never_retried() -> None:
    at_home = classify("54", processor=None, network=VISA, country="BR")
    abroad = classify("54", processor=None, network=VISA, country="US")
    assert (at_home.retryability, abroad.retryability) == (Retryability.NEVER, Retryability.AFTER_FIX)
    assert at_home.category is abroad.category is CATEGORY.EXPIRED_CARD
    reversible = classify("51", processor=None, network=VISA, country="BR")
    assert reversible.retryability is Retryability.LATER


@pytest.mark.parametrize(
    ("advice", "hours"),
    [("24", 1), ("25", 24), ("26", 48), ("27", 96), ("28", 144), ("29", 192), ("30", 240), ("02", 72), ("2", 72)],
)
def test_mastercard_advice_says_how_long_to_wait(advice: str, hours: int) -> None:
    decline = mastercard("51", advice)
    assert decline.min_wait_hours == hours
    assert decline.category is CATEGORY.INSUFFICIENT_FUNDS
    assert decline.advice_code == advice.zfill(2)
    assert decline.advice


@pytest.mark.parametrize(
    "advice",
    ["03", "3", "003", "MAC 03", "MAC-03", "MAC:03", "M03", "03: Do not try again", "21", "mac_21", "40", "41", "42"],
)
def test_mastercard_advice_outranks_the_response_code(advice: str) -> None:
    assert mastercard("51", None).retryability is Retryability.LATER
    assert mastercard("51", advice).retryability is Retryability.NEVER
    assert mastercard(None, advice).retryability is Retryability.NEVER


def test_advice_that_only_says_later_leaves_the_reason_standing() -> None:
    assert mastercard("54", "02").category is CATEGORY.EXPIRED_CARD
    assert mastercard("54", "02").retryability is Retryability.LATER
    assert mastercard("79", "01").category is CATEGORY.ACCOUNT_CHANGED
    assert mastercard("83", "01").retryability is Retryability.WITH_AUTHENTICATION


def test_advice_that_only_informs_does_not_make_a_lost_card_usable() -> None:
    assert mastercard("41", "43").retryability is Retryability.NEVER


def test_advice_of_another_network_is_kept_but_not_read_as_mastercards() -> None:
    decline = classify("51", processor=None, network=VISA, advice_code="03")
    assert (decline.advice_code, decline.advice, decline.retryability) == ("03", None, Retryability.LATER)


def test_a_processors_own_advice_is_followed() -> None:
    decline = classify("generic_decline", processor="stripe", network=VISA, advice_code="do_not_try_again")
    assert decline.retryability is Retryability.NEVER


def test_the_message_is_read_only_when_the_code_says_nothing() -> None:
    assert visa(None, text="Insufficient funds").category is CATEGORY.INSUFFICIENT_FUNDS
    assert visa("41", text="Insufficient funds").category is CATEGORY.LOST_OR_STOLEN
    assert visa("ZZ9", text="the customer was rather poor").category is CATEGORY.UNKNOWN


@pytest.mark.parametrize("code", ["ZZ", "999999", "?", "none of these", "5151", "0", "  "])
def test_what_is_in_no_table_is_unknown_with_the_raw_code_kept(code: str) -> None:
    decline = visa(code)
    assert (decline.category, decline.retryability) == (CATEGORY.UNKNOWN, Retryability.UNKNOWN)
    assert decline.code == tidy(code)


def test_a_code_of_nothing_but_punctuation_is_not_another_such_code() -> None:
    assert visa("?", processor="migs").title
    assert visa("!", processor="migs") == Decline(VISA, "!")


@pytest.mark.parametrize("code", [None, ""])
def test_no_code_is_unknown(code: str | None) -> None:
    assert visa(code) == Decline(VISA, None)


@pytest.mark.parametrize("field", ["code", "subcode", "text"])
def test_a_card_number_is_refused_and_not_repeated(field: str) -> None:
    number = "4242 4242 4242 4242"
    code = number if field == "code" else "51"
    subcode, text = number if field == "subcode" else None, number if field == "text" else None
    with pytest.raises(CardNumberError) as caught:
        classify(code, processor=None, network=VISA, subcode=subcode, text=text)
    assert "4242" not in str(caught.value)
    assert field in str(caught.value)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="time zone"):
        classify("51", processor=None, network=VISA, at=datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


@given(st.text(max_size=30), st.sampled_from(Network), st.sampled_from([None, "stripe", "adyen", "cielo", "nobody"]))
def test_any_text_at_all_is_read_or_kept_as_unknown(code: str, network: Network, processor: str | None) -> None:
    try:
        decline = classify(code, processor=processor, network=network)
    except CardNumberError:
        return
    assert decline.code == (tidy(code) if code else None)
    assert (decline.category is CATEGORY.UNKNOWN) or decline.title


@given(st.from_regex(r"[A-Z0-9_ .\-]{1,12}", fullmatch=True))
def test_loosening_twice_changes_nothing_more(code: str) -> None:
    assert loose(loose(code)) == loose(code)
    assert next(iter(spellings(code))) == tidy(code)
