"""No card number survives in what is kept, however it was written; all else is kept as it came."""

import base64
import json
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.card_number import holds_card_number
from features.sources.masking import REMOVED, without_card_numbers

PAN = "4242424242424242"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def test_a_card_number_is_taken_out_wherever_it_stands_and_the_rest_can_still_be_read() -> None:
    document = {"id": "evt_1", "pan": int(PAN), "note": "card 4242-4242-4242-4242", PAN: 1, "list": [f" {PAN} "]}
    kept = without_card_numbers(json.dumps(document).encode())
    assert kept.marked
    assert json.loads(kept.body) == {
        "id": "evt_1",
        "pan": None,
        "note": f"card {REMOVED}",
        REMOVED: 1,
        "list": [f" {REMOVED} "],
    }


def test_escapes_hide_no_card_number() -> None:
    hidden = '{"id": "evt_1", "pan": "\\u0034242424242424242", "more": [["4242\\u00204242 4242 4242"]]}'
    kept = without_card_numbers(hidden.encode())
    assert kept.marked
    assert json.loads(kept.body) == {"id": "evt_1", "pan": REMOVED, "more": [[REMOVED]]}
    broken = without_card_numbers(hidden.encode()[:-3])
    assert broken.marked
    assert b"242424242424" not in broken.body


@pytest.mark.parametrize(
    "body",
    [
        *(rf'{{"id": "evt_1", "a": "x{escape}{PAN}"}}' for escape in (r"\n", r"\t", r"\r\n", r"\b", r"\f", r"\u0020")),
        rf'{{"id": "evt_1", "a": "\u0034{PAN[1:]}", "a": "y"}}',
        json.dumps({"id": "evt_1", "a": json.dumps({"said": json.dumps(f"line\n{PAN}")})}),
        json.dumps({"id": "evt_1", "a": json.dumps({"said": PAN}).replace("4", "\\u0034", 1)}),
        f'{{"id": "evt_1", "a": {PAN}.0}}',
    ],
)
@pytest.mark.parametrize("broken", [False, True])
def test_no_way_to_write_json_hides_one(body: str, broken: bool) -> None:
    kept = without_card_numbers(body[:-1].encode() if broken else body.encode())
    assert kept.marked
    assert PAN[1:].encode() not in kept.body
    assert broken or json.loads(kept.body)["id"] == "evt_1"


def test_what_only_begins_like_json_hides_none_either() -> None:
    for body in (b"{pan: 4242 4242 4242 4242}", rb'{"a": "x"4242 4242 4242 4242\u0034}'):
        assert without_card_numbers(body).body == json.dumps(REMOVED).encode()


@pytest.mark.parametrize(
    "body",
    [
        f"<a><b>{PAN}</b></a>".encode(),
        f"<a><b>&#52;{PAN[1:]}</b></a>".encode(),
        f"<a><b>&#x34;{PAN[1:]}</b></a>".encode(),
        f"<a><b>&amp;#52;{PAN[1:]}</b></a>".encode(),
        f"<a><b>{'&period;'.join(PAN[i : i + 4] for i in range(0, 16, 4))}</b></a>".encode(),
        urlencode({"bt_payload": base64.encodebytes(f"<a>{PAN}</a>".encode()).decode()}).encode(),
        urlencode({"bt_payload": base64.b64encode(f"<a>&#52;{PAN[1:]}</a>".encode()).decode()}).encode(),
        f"bt_payload=x&other=%34{PAN[1:]}".encode(),
        f"bt_payload=x&other=%0A{PAN}".encode(),
        f"other=line%20{PAN}".encode(),
        f"note {PAN}".encode("utf-16"),
        f"\xff {PAN}".encode("latin-1"),
    ],
)
def test_no_other_form_hides_one(body: bytes) -> None:
    kept = without_card_numbers(body)
    assert kept.marked
    assert PAN.encode() not in kept.body.replace(b"\0", b"")
    coded = parse_qs(kept.body.decode("latin-1")).get("bt_payload", [""])[0]
    assert coded in {"", "x"} or PAN[1:].encode() not in base64.b64decode(coded)


@pytest.mark.parametrize("number", ["020190722160533", f"&#52;{PAN[1:]}"])
def test_all_else_in_markup_is_kept_as_it_came(number: str) -> None:
    company = "<c>Smith &amp; S&#246;ns &lt;UK&gt; &#38; \u20ac</c>"
    sent = f"<n>{company}<t>{number}</t></n>".encode()
    kept = without_card_numbers(sent)
    assert kept.marked
    assert kept.body == f"<n>{company}<t>{REMOVED}</t></n>".encode()
    form = without_card_numbers(urlencode({"bt_payload": base64.encodebytes(sent).decode()}).encode())
    assert base64.b64decode(parse_qs(form.body.decode())["bt_payload"][0]) == kept.body


@pytest.mark.parametrize(
    "body",
    [
        b'{"resource_version": 1795428905000, "at": "1795428905000"}',
        b'{"amount": 0.4242424242424242, "id": "ch4242424242424242x"}',
        b"",
        b"\xff\xfe\x00",
        b"<a>x</a>",
    ],
)
def test_times_and_identifiers_are_kept_as_they_came(body: bytes) -> None:
    kept = without_card_numbers(body)
    assert (kept.body, kept.marked) == (body, False)


@settings(max_examples=30, deadline=None)
@given(JSON)
def test_any_document_without_one_is_kept_byte_for_byte(document: object) -> None:
    body = json.dumps(document).encode()
    kept = without_card_numbers(body)
    if not kept.marked:
        assert kept.body == body
    json.loads(kept.body)


@settings(max_examples=30, deadline=None)
@given(JSON, st.sampled_from([PAN, "5555 5555 5555 4444", "378282246310005"]), st.booleans())
def test_no_document_keeps_one(document: object, number: str, ascii_only: bool) -> None:
    body = json.dumps([document, number, {"x": {"y": number}}], ensure_ascii=ascii_only).encode("utf-8", "replace")
    kept = without_card_numbers(body)
    assert kept.marked
    assert number.encode() not in kept.body
    assert not holds_card_number(number) or number not in json.dumps(json.loads(kept.body))
