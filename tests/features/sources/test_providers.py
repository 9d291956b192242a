"""Recorded payloads of each provider, read into what the field calls them."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from features.errors import InputError, InvalidValueError
from features.nesting import DEEPEST
from features.sources.charging import amount_of, last_day, network_of
from features.sources.document import Node, json_document, xml_document
from features.sources.provider import Surroundings
from features.sources.providers import PROVIDERS
from features.sources.statement import (
    AttemptApproved,
    AttemptReturned,
    AttemptTold,
    MoneyWentBack,
    Notice,
    Stands,
    Way,
    Word,
)
from features.vocabulary import Credential, DeclineCategory, Initiator, Network, Outcome, Rail, Retryability
from webhook_builders import names, payload, signed

AROUND = Surroundings(datetime(2026, 11, 26, 12, tzinfo=UTC), currency="USD")


def notices(name: str) -> list[Notice]:
    source = name.partition("/")[0]
    provider = PROVIDERS[source]
    document = provider.document(signed(source, payload(name)).body)
    return [provider.read(event, AROUND) for event in provider.events(document)]


def only(name: str) -> Notice:
    (notice,) = notices(name)
    return notice


def attempt(name: str) -> AttemptTold:
    (told, *_) = only(name).statements
    assert isinstance(told, AttemptTold)
    return told


@pytest.mark.parametrize("source", PROVIDERS)
def test_every_recorded_payload_can_be_read(source: str) -> None:
    assert all(notice.kind and notice.event_id for name in names(source) for notice in notices(name))


def test_a_declined_charge_of_stripe_says_all_that_limits_count_by() -> None:
    told = attempt("stripe/charge_failed.json")
    assert (told.attempt.attempt_id, told.attempt.payment_id) == ("ch_3NfakeFailed00000001", "in_1NfakeInvoice000001")
    assert (told.customer_id, told.method.method_id) == ("cus_Nfake000001", "pm_1NfakeMethod00000001")
    assert (told.attempt.amount.amount_minor, told.attempt.amount.currency) == (2799, "EUR")
    assert (told.method.rail, told.method.network) == (Rail.CARD, Network.VISA)
    assert told.method.credential is Credential.NETWORK_TOKEN
    assert told.attempt.outcome is Outcome.DECLINED
    decline = told.attempt.decline
    assert decline is not None
    assert (decline.code, decline.subcode, decline.category) == (
        "INSUFFICIENT_FUNDS",
        "51",
        DeclineCategory.INSUFFICIENT_FUNDS,
    )


def test_what_stripe_blocks_itself_never_reached_the_issuer() -> None:
    assert attempt("stripe/charge_blocked.json").attempt.outcome is Outcome.ERROR


def test_a_debit_of_stripe_is_pending_then_approved_and_comes_back_as_a_dispute() -> None:
    pending, settled = attempt("stripe/charge_pending_sepa.json"), attempt("stripe/charge_succeeded_sepa.json")
    assert (pending.attempt.outcome, settled.attempt.outcome) == (Outcome.UNKNOWN, Outcome.APPROVED)
    assert pending.attempt.at == settled.attempt.at < settled.attempt.known_at
    assert (settled.method.network, settled.method.mandate_id) == (Network.SEPA_CORE, "mandate_1NfakeMandate0001")
    (back,) = only("stripe/charge_dispute_created_sepa.json").statements
    assert isinstance(back, AttemptReturned)
    assert back.attempt_id == settled.attempt.attempt_id
    assert back.decline.category is DeclineCategory.INSUFFICIENT_FUNDS


def test_a_debit_whose_details_stripe_states_comes_back_whatever_the_reason() -> None:
    event = json.loads(payload("stripe/charge_dispute_created_sepa.json"))
    event["data"]["object"] |= {"payment_method_details": {"type": "sepa_debit"}, "reason": "general"}
    (back,) = PROVIDERS["stripe"].read(Node(event), AROUND).statements
    assert isinstance(back, AttemptReturned)


@pytest.mark.parametrize(
    ("kind", "before", "mended"),
    [
        ("payment_method.updated", {"card": {"exp_year": 2026}}, True),
        ("payment_method.updated", {"metadata": {"a": "b"}}, False),
        ("payment_method.updated", {"billing_details": {"email": None}}, False),
        ("payment_method.updated", None, False),
        ("customer.source.updated", {"exp_month": 1}, True),
        ("customer.source.updated", {"name": "A"}, False),
        ("payment_method.automatically_updated", None, True),
    ],
)
def test_an_edit_mends_a_method_where_it_changed_the_card_itself(kind: str, before: object, mended: bool) -> None:
    event = json.loads(payload("stripe/payment_method_automatically_updated.json"))
    event |= {"type": kind}
    event["data"] |= {"previous_attributes": before}
    notice = PROVIDERS["stripe"].read(Node(event), AROUND)
    assert bool(notice.statements) is mended
    assert bool(notice.why) is not mended


@pytest.mark.parametrize(
    ("name", "changes", "minor"),
    [
        ("stripe/charge_refunded.json", {"currency": "isk", "amount_refunded": 50_000}, 500),
        ("stripe/charge_refunded.json", {"currency": "mga", "amount_refunded": 500}, 50_000),
        ("stripe/charge_dispute_created_card.json", {"currency": "isk", "amount": 50_000}, 500),
    ],
)
def test_what_goes_back_is_in_the_units_of_what_was_taken(name: str, changes: dict[str, object], minor: int) -> None:
    event = json.loads(payload(name))
    event["data"]["object"] |= changes
    event["data"].pop("previous_attributes", None)
    (back,) = PROVIDERS["stripe"].read(Node(event), AROUND).statements
    assert isinstance(back, MoneyWentBack)
    assert back.amount_minor == minor


@pytest.mark.parametrize(
    ("changes", "payment_id"),
    [
        ({}, "in_1NfakeInvoice000001"),
        ({"invoice": None}, "pi_3NfakeIntent00000001"),
        ({"metadata": {"recoup_payment_id": "own_1"}}, "own_1"),
        ({"invoice": None, "payment_intent": None}, "ch_3NfakeFailed00000001"),
    ],
)
def test_a_charge_of_any_version_of_stripes_interface_names_its_payment(
    changes: dict[str, object], payment_id: str
) -> None:
    event = json.loads(payload("stripe/charge_failed.json"))
    event["data"]["object"] |= changes
    (told,) = PROVIDERS["stripe"].read(Node(event), AROUND).statements
    assert isinstance(told, AttemptTold)
    assert told.attempt.payment_id == payment_id


@pytest.mark.parametrize(
    ("name", "word", "subject"),
    [
        ("stripe/invoice_paid.json", Word.PAID, "in_1NfakeInvoice000001"),
        ("stripe/invoice_voided.json", Word.CANCELLED, "in_1NfakeInvoice000002"),
        ("stripe/payment_method_automatically_updated.json", Word.METHOD_FIXED, "pm_1NfakeMethod00000001"),
        ("stripe/mandate_updated.json", Word.CONSENT_WITHDRAWN, "pm_1NfakeSepa000000001"),
        ("adyen/token_disabled.json", Word.CONSENT_WITHDRAWN, "M5N7TQ4TG5PFWR50"),
        ("braintree/payment_method_revoked_by_customer.xml", Word.CONSENT_WITHDRAWN, "fakepaypal1"),
        ("chargebee/payment_source_deleted.json", Word.CONSENT_WITHDRAWN, "pm_fake3Nl7oGgQqGG6Jr42"),
        ("chargebee/invoice_voided.json", Word.CANCELLED, "cb_inv_7"),
        ("recurly/paid_charge_invoice_notification.xml", Word.PAID, "fake3sd7j90s0789dsf099798jkliy65"),
        ("killbill/invoice_payment_success.json", Word.PAID, "8f0a3f0c-4444-4a4b-9c5d-000000000004"),
    ],
)
def test_where_payments_consents_and_methods_stand_is_told(name: str, word: Word, subject: str) -> None:
    (stands,) = only(name).statements
    assert isinstance(stands, Stands)
    assert (stands.word, stands.subject_id) == (word, subject)


def test_adyens_reason_and_the_issuers_raw_code_are_read() -> None:
    told = attempt("adyen/authorisation_refused.json")
    assert told.attempt.decline is not None
    assert told.attempt.decline.category is DeclineCategory.INSUFFICIENT_FUNDS
    assert (told.attempt.decline.subcode, told.attempt.decline.advice_code) == ("51", "02")
    assert (told.method.method_id, told.customer_id) == ("QFQTPCQ8HXSKGK82", "shopper_9")
    assert (told.method.network, told.attempt.initiator) == (Network.MASTERCARD, Initiator.MERCHANT)
    assert attempt("adyen/authorisation.json").attempt.outcome is Outcome.APPROVED


def adyens(changes: dict[str, object], name: str = "adyen/authorisation.json") -> Notice:
    item = json.loads(payload(name))["notificationItems"][0]["NotificationRequestItem"]
    return PROVIDERS["adyen"].read(Node(item | changes), AROUND)


@pytest.mark.parametrize(
    ("brand", "network"), [("directdebit_GB", Network.BACS), ("eft_directdebit_CA", Network.PAD), ("ach", Network.ACH)]
)
def test_a_debit_of_adyen_is_one_however_its_method_is_written(brand: str, network: Network) -> None:
    (told,) = adyens({"paymentMethod": brand}).statements
    assert isinstance(told, AttemptTold)
    assert (told.method.rail, told.method.network) == (Rail.BANK_DEBIT, network)
    (back,) = adyens({"paymentMethod": brand}, "adyen/card_chargeback.json").statements
    assert isinstance(back, AttemptReturned)
    assert back.decline.network is network


@pytest.mark.parametrize(
    ("brand", "network"),
    [
        ("amex_applepay", Network.AMERICAN_EXPRESS),
        ("amex_googlepay", Network.AMERICAN_EXPRESS),
        ("amexcommercial", Network.AMERICAN_EXPRESS),
        ("visa_applepay", Network.VISA),
        ("maestro_googlepay", Network.MASTERCARD),
        ("discover_applepay", Network.DISCOVER),
        ("diners", Network.DINERS),
        ("jcbcredit", Network.JCB),
        ("cupdebit", Network.UNIONPAY),
        ("cartebancaire_applepay", Network.CARTES_BANCAIRES),
        ("girocard", Network.UNKNOWN),
    ],
)
def test_a_card_of_adyen_is_one_whatever_product_or_wallet_it_is_of(brand: str, network: Network) -> None:
    (told,) = adyens({"paymentMethod": brand}).statements
    assert isinstance(told, AttemptTold)
    assert (told.method.rail, told.method.network) == (Rail.CARD, network)


def test_a_batch_of_adyen_is_read_item_by_item_and_a_debits_chargeback_is_a_return() -> None:
    first, second = notices("adyen/sepa_authorisation_and_chargeback.json")
    (told,), (back,) = first.statements, second.statements
    assert isinstance(told, AttemptTold)
    assert isinstance(back, AttemptReturned)
    assert told.method.rail is Rail.BANK_DEBIT
    assert (back.attempt_id, back.decline.category) == (told.attempt.attempt_id, DeclineCategory.INSUFFICIENT_FUNDS)


@pytest.mark.parametrize(
    ("name", "attempt_id", "way"),
    [
        ("adyen/card_chargeback.json", "NC6HT9CRT65ZGN82", Way.CHARGEBACK),
        ("adyen/refund.json", "NC6HT9CRT65ZGN82", Way.REFUND),
        ("stripe/charge_dispute_created_card.json", "ch_3NfakeSucceeded00001", Way.CHARGEBACK),
        ("stripe/charge_refunded.json", "ch_3NfakeSucceeded00001", Way.REFUND),
    ],
)
def test_refunds_and_chargebacks_of_cards_are_money_that_went_back_and_no_decline(
    name: str, attempt_id: str, way: Way
) -> None:
    (back,) = only(name).statements
    assert isinstance(back, MoneyWentBack)
    assert (back.attempt_id, back.way, back.amount_minor) == (attempt_id, way, 2799)


@pytest.mark.parametrize("name", ["checkout/dispute_received.json", "stripe/customer_updated.json"])
def test_what_names_no_attempt_and_no_method_counts_nowhere(name: str) -> None:
    assert only(name).statements == ()


def test_braintrees_subscription_names_its_period_as_the_payment() -> None:
    told = attempt("braintree/subscription_charged_unsuccessfully.xml")
    assert (told.attempt.attempt_id, told.attempt.payment_id) == ("faketxn1", "fakesub1:2026-11-23")
    assert told.attempt.amount.amount_minor == 4999
    assert told.attempt.decline is not None
    assert told.attempt.decline.category is DeclineCategory.INSUFFICIENT_FUNDS
    (back,) = only("braintree/transaction_settlement_declined.xml").statements
    assert isinstance(back, AttemptReturned)


APPLE = """<apple-pay><token>fakeapple1</token><card-type>Apple Pay - Visa</card-type>
<expiration-month>05</expiration-month><expiration-year>2029</expiration-year></apple-pay>"""
GOOGLE = """<android-pay-card><token>fakegoogle1</token><virtual-card-type>Visa</virtual-card-type>
<source-card-type>MasterCard</source-card-type><is-network-tokenized type="boolean">false</is-network-tokenized>
<expiration-month>05</expiration-month><expiration-year>2029</expiration-year></android-pay-card>"""


@pytest.mark.parametrize("beside", ["", "<credit-card/>", "<credit-card><token nil='true'/></credit-card>"])
@pytest.mark.parametrize(
    ("kind", "card", "token", "network", "credential"),
    [
        ("apple_pay_card", APPLE, "fakeapple1", Network.VISA, Credential.UNKNOWN),
        ("android_pay_card", GOOGLE, "fakegoogle1", Network.MASTERCARD, Credential.PAN),
        (
            "android_pay_card",
            GOOGLE.replace("false", "true"),
            "fakegoogle1",
            Network.MASTERCARD,
            Credential.NETWORK_TOKEN,
        ),
    ],
)
def test_a_card_in_a_wallet_of_braintree_is_a_card_of_its_network(
    beside: str, kind: str, card: str, token: str, network: Network, credential: Credential
) -> None:
    body = payload("braintree/subscription_charged_unsuccessfully.xml").decode()
    before, _, rest = body.partition("<credit-card>")
    sent = f"{before}{beside}{card}{rest.partition('</credit-card>')[2]}".replace(">credit_card<", f">{kind}<")
    provider = PROVIDERS["braintree"]
    (event,) = provider.events(provider.document(signed("braintree", sent.encode()).body))
    (told,) = provider.read(event, AROUND).statements
    assert isinstance(told, AttemptTold)
    assert (told.method.method_id, told.method.rail, told.method.network) == (token, Rail.CARD, network)
    assert (told.method.credential, str(told.method.expires_on)) == (credential, "2029-05-31")


def test_gocardless_tells_ends_by_the_payments_id() -> None:
    (back,) = only("gocardless/payment_failed.json").statements
    assert isinstance(back, AttemptReturned)
    assert (back.attempt_id, back.decline.category) == ("PM000000000001", DeclineCategory.INSUFFICIENT_FUNDS)
    kinds = {notice.kind: notice.statements for notice in notices("gocardless/batch.json")}
    assert kinds["payments.submitted"] == kinds["subscriptions.created"] == ()
    (approved,), (withdrawn,) = kinds["payments.confirmed"], kinds["mandates.cancelled"]
    assert isinstance(approved, AttemptApproved)
    assert isinstance(withdrawn, Stands)
    assert (withdrawn.word, withdrawn.subject_id) == (Word.CONSENT_WITHDRAWN, "MD000000000004")


def test_checkouts_action_is_the_attempt_and_its_reference_the_payment() -> None:
    told = attempt("checkout/payment_declined.json")
    assert (told.attempt.attempt_id, told.attempt.payment_id) == ("act_fakepfyq4sdkrvoexn737g2e26", "ORD-5023-4E89")
    assert told.attempt.decline is not None
    assert (told.attempt.decline.category, told.attempt.decline.advice_code) == (
        DeclineCategory.INSUFFICIENT_FUNDS,
        "24",
    )
    assert (told.method.issuer.country, told.method.credential) == ("FR", Credential.PAN)


def test_chargebee_is_read_through_the_gateway_that_it_names() -> None:
    told = attempt("chargebee/payment_failed.json")
    assert (told.attempt.processor, told.attempt.payment_id) == ("stripe", "cb_inv_6")
    assert told.attempt.outcome is Outcome.DECLINED
    told_and_paid = only("chargebee/payment_succeeded.json").statements
    assert Counter(type(one) for one in told_and_paid) == {AttemptTold: 1, Stands: 1}


@pytest.mark.parametrize(
    ("changes", "category", "retryability"),
    [
        ({}, DeclineCategory.INSUFFICIENT_FUNDS, Retryability.LATER),
        ({"error_text": "(card_declined) Your card was declined. fraudulent"}, "suspected_fraud", "never"),
        ({"error_text": "Your card was declined."}, DeclineCategory.UNKNOWN, Retryability.UNKNOWN),
        (
            {
                "error_detail": {
                    "error_code": "card_declined",
                    "decline_code": "stolen_card",
                    "network_error_code": "43",
                }
            },
            DeclineCategory.LOST_OR_STOLEN,
            Retryability.NEVER,
        ),
        (
            {"error_detail": {"decline_code": "generic_decline", "processor_error_code": "43"}},
            DeclineCategory.LOST_OR_STOLEN,
            Retryability.NEVER,
        ),
        ({"gateway": "braintree", "error_code": "2001", "error_text": None}, "insufficient_funds", "later"),
        ({"error_code": None, "error_detail": {"error_code": "expired_card"}}, "expired_card", "after_fix"),
    ],
)
def test_chargebees_gateway_says_why_it_declined(changes: dict[str, object], category: str, retryability: str) -> None:
    event = json.loads(payload("chargebee/payment_failed.json"))
    event["content"]["transaction"] |= changes
    (told,) = PROVIDERS["chargebee"].read(Node(event), AROUND).statements
    assert isinstance(told, AttemptTold)
    assert told.attempt.decline is not None
    assert (told.attempt.decline.category, told.attempt.decline.retryability) == (category, retryability)


def test_of_several_invoices_of_one_transaction_only_the_one_that_is_told_to_be_paid_is() -> None:
    event = json.loads(payload("chargebee/payment_succeeded.json"))
    event["content"]["transaction"]["linked_invoices"].insert(0, {"invoice_id": "cb_inv_5", "applied_amount": 1})
    told, paid = PROVIDERS["chargebee"].read(Node(event), AROUND).statements
    assert isinstance(told, AttemptTold)
    assert isinstance(paid, Stands)
    assert (told.attempt.payment_id, paid.subject_id) == ("cb_inv_5", "cb_inv_6")


def test_a_debit_of_chargebee_that_fails_late_says_why_too() -> None:
    event = json.loads(payload("chargebee/payment_failed.json"))
    event["content"]["transaction"] |= {"status": "late_failure", "payment_method": "direct_debit"}
    (back,) = PROVIDERS["chargebee"].read(Node(event), AROUND).statements
    assert isinstance(back, AttemptReturned)
    assert back.decline.category is DeclineCategory.INSUFFICIENT_FUNDS


def test_recurlys_xml_is_read_with_the_currency_of_the_settings() -> None:
    told = attempt("recurly/failed_payment_notification.xml")
    assert (told.attempt.amount.amount_minor, told.attempt.amount.currency) == (1000, "USD")
    assert (told.attempt.processor, told.method.method_id) == ("cybersource", "fakeaccount1")
    assert told.attempt.decline is not None
    assert told.attempt.decline.category is DeclineCategory.INSUFFICIENT_FUNDS
    provider = PROVIDERS["recurly"]
    (event,) = provider.events(provider.document(payload("recurly/failed_payment_notification.xml")))
    with pytest.raises(InvalidValueError, match=r"currency.*settings"):
        provider.read(event, Surroundings(AROUND.received_at))


@pytest.mark.parametrize("name", ["killbill/invoice_payment_failed.json", "recurly/json_payment_failed.json"])
def test_what_says_too_little_to_count_says_why(name: str) -> None:
    notice = only(name)
    assert notice.statements == ()
    assert "method" in notice.why or "ids only" in notice.why


def test_an_amount_is_read_in_the_providers_own_minor_units() -> None:
    assert amount_of("stripe", 500, "jpy").amount_minor == 500
    assert amount_of("stripe", 50000, "isk").amount_minor == 500
    assert amount_of("adyen", 5, "IDR").amount_minor == 500
    assert amount_of("checkout", 12000, "KWD").amount_minor == 12000
    with pytest.raises(InvalidValueError, match="whole units of ISK"):
        amount_of("stripe", 50050, "isk")


def test_a_month_that_is_none_gives_no_day() -> None:
    assert str(last_day("2028", "2")) == "2028-02-29"
    assert last_day("2028", "13") is last_day(None, "1") is last_day("28", "1") is None


def test_networks_are_known_by_every_name() -> None:
    assert network_of("American Express") is network_of("amex") is Network.AMERICAN_EXPRESS
    assert network_of("mcdebit") is Network.MASTERCARD
    assert network_of("klarna") is network_of(None) is Network.UNKNOWN


def test_a_place_that_cannot_be_used_is_named() -> None:
    document = Node({"data": {"amount": "12.5", "id": ["x"], "at": "2026-11-23 10:15", "long": "x" * 501}})
    with pytest.raises(InvalidValueError, match=r"data\.amount: '12\.5'"):
        document.whole("data", "amount")
    with pytest.raises(InvalidValueError, match=r"data\.id: 'list'"):
        document.text("data", "id")
    with pytest.raises(InvalidValueError, match=r"data\.at.*time zone"):
        document.instant("data", "at")
    with pytest.raises(InvalidValueError, match=r"data\.long"):
        document.maybe("data", "long")
    with pytest.raises(InvalidValueError, match=r"data\.none"):
        document.text("data", "none")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": NaN}',
    ],
)
def test_what_is_no_json_is_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(InputError, match="not JSON"):
        json_document(body)


def test_json_is_read_to_the_depth_that_can_be_written_again() -> None:
    json_document(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(InputError, match="deeper than 100 levels"):
        json_document(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a>" * 10_000 + b"</a>" * 10_000,
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"\xff\xfe<a/>",
    ],
)
def test_what_is_no_plain_xml_is_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(InputError, match="XML"):
        xml_document(body)


def test_xml_gives_lists_for_arrays_and_repeated_names() -> None:
    document = xml_document(b'<a><b type="array"><c>1</c></b><d>2</d><d>3</d><e nil="true"/><f> x </f></a>')
    assert document.value == {"a": {"b": ["1"], "d": ["2", "3"], "e": None, "f": "x"}}
