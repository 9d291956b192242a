"""A request is read strictly, and a refusal names each field as the caller wrote it."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.card_number import holds_card_number
from serving.errors import Kind, RequestError
from serving.requests import Json, nearest, parse_request, path_of, refuse_card_numbers

Document = dict[str, Any]  # a JSON document that tests take apart
Change = Callable[[Document], object]
ZONE = "methods[0].issuer.time_zone"
CARD = "4242 4242 4242 4242"
NEAR_A_CARD_NUMBER: list[Json] = [
    *("4242424242424242", CARD, "4242", "42424242", ".", "-", "a" * 13, "1700000000000", "4242.4242424242424"),
    *(4242424242424242, 4.2e15, True, None),
]


def refused(document: Document) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_request(orjson.dumps(document))
    return caught.value


def test_a_valid_request_is_read(document: Document) -> None:
    request = parse_request(orjson.dumps(document))
    assert request.payment.amount_minor == 2799
    assert [method.method_id for method in request.methods] == ["pm_1", "pm_2"]


def test_null_is_the_same_as_absent_where_a_field_may_be_absent(document: Document) -> None:
    absent = parse_request(orjson.dumps(document))
    document["methods"][0] |= {"funding": None, "expires_on": None, "consented": None}
    document["attempts"][0] |= {"initiator": None, "subcode": None}
    assert parse_request(orjson.dumps(document)) == absent


WRONG: list[tuple[str, Change, str, str]] = [
    ("unknown currency", lambda d: d["payment"].update(currency="EURO"), "payment.currency", "ISO 4217"),
    ("small letters", lambda d: d["payment"].update(currency="eur"), "payment.currency", "capitals"),
    ("a time without zone", lambda d: d["payment"].update(due_at="2026-11-23T09:00:00"), "payment.due_at", "time zone"),
    ("a day for an instant", lambda d: d["payment"].update(due_at="2026-11-23"), "payment.due_at", "an instant such"),
    ("seconds for an instant", lambda d: d["payment"].update(due_at=1763888400), "payment.due_at", "an instant such"),
    ("digits for an instant", lambda d: d["payment"].update(due_at="1763888400"), "payment.due_at", "an instant such"),
    ("a year for an instant", lambda d: d["payment"].update(due_at="2026"), "payment.due_at", "an instant such"),
    ("a time out of reach", lambda d: d["payment"].update(due_at="9999-12-31T00:00:00Z"), "payment.due_at", "1990"),
    ("a negative amount", lambda d: d["payment"].update(amount_minor=-1), "payment.amount_minor", "above 0"),
    ("a zero amount", lambda d: d["payment"].update(amount_minor=0), "payment.amount_minor", "above 0"),
    ("a huge amount", lambda d: d["payment"].update(amount_minor=10**18), "payment.amount_minor", "at most"),
    ("a decimal amount", lambda d: d["payment"].update(amount_minor=27.99), "payment.amount_minor", "a whole number"),
    ("an amount as text", lambda d: d["payment"].update(amount_minor="2799"), "payment.amount_minor", "a whole number"),
    ("true for an amount", lambda d: d["payment"].update(amount_minor=True), "payment.amount_minor", "a whole number"),
    ("an unknown network", lambda d: d["methods"][1].update(network="visaa"), "methods[1].network", 'mean "visa"?'),
    ("an unknown rail", lambda d: d["methods"][0].update(rail="Bank Debit"), "methods[0].rail", 'mean "bank_debit"?'),
    ("a misspelt field", lambda d: d["methods"][0].update(netwrok="visa"), "methods[0].netwrok", 'mean "network"?'),
    ("a field in the wrong place", lambda d: d.update(zzz=1), "zzz", "known here are payment, methods"),
    ("a wrong zone", lambda d: d["methods"][0]["issuer"].update(time_zone="Berlin"), ZONE, "IANA"),
    ("a path for a zone", lambda d: d["methods"][0]["issuer"].update(time_zone="../x"), ZONE, "IANA"),
    ("UK for GB", lambda d: d["methods"][0]["issuer"].update(country="UK"), "methods[0].issuer.country", "GB"),
    ("a list for an object", lambda d: d["methods"][0].update(issuer=[]), "methods[0].issuer", "an object"),
    ("text for a list", lambda d: d["methods"][0].update(processors="stripe"), "methods[0].processors", "a list"),
    ("text for a flag", lambda d: d["methods"][0].update(consented="yes"), "methods[0].consented", "true or false"),
    ("a wrong date", lambda d: d["methods"][0].update(expires_on="31.05.2027"), "methods[0].expires_on", "a date such"),
    ("an empty id", lambda d: d["payment"].update(payment_id=""), "payment.payment_id", "not empty"),
    ("a long id", lambda d: d["payment"].update(payment_id="x" * 201), "payment.payment_id", "at most 200"),
    ("no methods", lambda d: d.update(methods=[]), "methods", "a list of at least 1"),
    ("no attempts", lambda d: d.update(attempts=[]), "attempts", "a list of at least 1"),
    ("too many methods", lambda d: d.update(methods=d["methods"] * 20), "methods", "a list of at most 20"),
    ("a missing field", lambda d: d["attempts"][0].pop("outcome"), "attempts[0].outcome", "what came of it"),
    ("a missing part", lambda d: d.pop("payment"), "payment", "a value"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "expected"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_field_is_named_with_what_would_be_right(
    document: Document, change: Change, field: str, expected: str
) -> None:
    change(document)
    refusal = refused(document)
    assert refusal.kind is Kind.INVALID_REQUEST
    assert [error.field for error in refusal.errors] == [field]
    assert expected in refusal.errors[0].expected
    assert field in str(refusal)
    assert "\n" not in str(refusal)


def test_all_faults_are_told_at_once(document: Document) -> None:
    document["payment"]["currency"] = "EURO"
    document["attempts"][0]["outcome"] = "failed"
    refusal = refused(document)
    assert [error.field for error in refusal.errors] == ["payment.currency", "attempts[0].outcome"]
    assert "1 more field is at fault" in str(refusal)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b'{"payment": ', "line 1 column"),
        (b'{"a": 1,}', "line 1 column"),
        (b"\xff\xfe", "line 1 column 1"),
        (b"[" * 5_000, "at most 100 levels deep"),
        (b"[" * 900 + b"]" * 900, "at most 100 levels deep"),
        (b'{"a": NaN}', "line 1 column"),
        (b'{"a": 1e400}', "line 1 column"),
    ],
)
def test_what_is_not_json_is_refused_with_the_place(text: bytes, place: str) -> None:
    with pytest.raises(RequestError, match=place) as caught:
        parse_request(text)
    assert caught.value.kind in (Kind.MALFORMED_JSON, Kind.INVALID_REQUEST)


@pytest.mark.parametrize("text", [b"[]", b"null", b'"text"', b"1"])
def test_json_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(RequestError, match="expected an object"):
        parse_request(text)


HIDING_PLACES: list[tuple[Change, str]] = [
    (lambda d: d["methods"][0].update(method_id=CARD), "methods[0].method_id"),
    (lambda d: d["attempts"][0].update(code=f"card {CARD} declined"), "attempts[0].code"),
    (lambda d: d["payment"].update(amount_minor=4242424242424242), "payment.amount_minor"),
    (lambda d: d["payment"].update(amount_minor=4242424242424242.0), "payment.amount_minor"),
    (lambda d: d.update({CARD: 1}), "a key of body"),
    (lambda d: d["payment"].update(extra={"deep": [{"er": CARD}]}), "payment.extra.deep[0].er"),
]


@pytest.mark.parametrize(("change", "field"), HIDING_PLACES)
def test_a_card_number_is_refused_wherever_it_hides_and_never_repeated(
    document: Document, change: Change, field: str
) -> None:
    change(document)
    refusal = refused(document)
    assert refusal.kind is Kind.CARD_NUMBER
    assert [(error.field, error.value) for error in refusal.errors] == [(field, None)]
    assert "4242" not in str(refusal)


def test_a_card_number_in_escapes_is_found_too(document: Document) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in CARD)
    text = orjson.dumps(document).replace(b'"51"', f'"{escaped}"'.encode())
    with pytest.raises(RequestError, match=r"attempts\[0\].code") as caught:
        parse_request(text)
    assert caught.value.kind is Kind.CARD_NUMBER


numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_any_json_is_either_read_or_refused_in_one_sentence(value: Any) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(orjson.dumps(value))
    assert str(caught.value)


@given(json_values, st.sampled_from(["payment", "methods", "attempts", "as_of", "customer_since", "history_known"]))
def test_any_value_in_any_part_is_either_read_or_refused(value: Any, part: str) -> None:
    document = {
        "payment": {"amount_minor": value, "currency": value},
        "methods": [value],
        "attempts": [{"code": value}],
    }
    with pytest.raises(RequestError):
        parse_request(orjson.dumps(document | {part: value}))


@given(st.lists(st.sampled_from(NEAR_A_CARD_NUMBER), max_size=6))
def test_a_card_number_is_refused_exactly_where_one_of_the_values_is_one(values: list[Json]) -> None:
    texts = [str(int(v)) if isinstance(v, int | float) else v for v in values if isinstance(v, str | int | float)]
    tree: Json = {"a": values, "b": [{"c": values}]}
    if any(map(holds_card_number, texts)):
        with pytest.raises(RequestError, match="card number"):
            refuse_card_numbers(tree)
    else:
        refuse_card_numbers(tree)


def test_paths_are_written_as_people_write_them() -> None:
    assert path_of(("attempts", 0, "amount_minor")) == "attempts[0].amount_minor"
    assert path_of(()) == "body"


def test_the_nearest_word_is_suggested_only_when_it_is_near() -> None:
    assert nearest("Mastercard", ("visa", "mastercard")) == '; did you mean "mastercard"?'
    assert nearest("zzz", ("visa", "mastercard")) == ""
