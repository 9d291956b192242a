"""Events that Recoup signs are verified; anything else is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.client.errors import SignatureError, UnexpectedAnswerError
from serving.client.events import Event, verified_event
from serving.events_out.signing import signed_headers

SECRET, OLD = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "whsec_YWJjZGVmMDEyMzQ1Njc4OTAxMjM0NTY3"
NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
BODY = b'{"type":"retry.scheduled","timestamp":"2026-11-23T10:15:00Z","sandbox":true,"data":{"payment_id":"inv_1"}}'


def headers(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    return signed_headers(secrets, "evt_1", int(NOW.timestamp()), body)


@pytest.mark.parametrize(
    ("signing", "known"), [((SECRET,), (SECRET,)), ((OLD, SECRET), (SECRET,)), ((OLD,), (SECRET, OLD))]
)
def test_a_signed_event_is_read(signing: tuple[str, ...], known: tuple[str, ...]) -> None:
    event = verified_event(known, {k.title(): v for k, v in headers(*signing).items()}, BODY, now=NOW)
    assert event == Event("evt_1", "retry.scheduled", NOW, True, {"payment_id": "inv_1"})


@given(place=st.integers(0, len(BODY) - 1), letter=st.integers(0, 255))
def test_a_body_that_was_changed_anywhere_is_refused(place: int, letter: int) -> None:
    changed = BODY[:place] + bytes([letter]) + BODY[place + 1 :]
    if changed != BODY:
        with pytest.raises(SignatureError):
            verified_event((SECRET,), headers(SECRET), changed, now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_delivery_is_refused(minutes: int) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verified_event((SECRET,), headers(SECRET), BODY, now=NOW + timedelta(minutes=minutes))


def test_what_is_not_signed_or_no_event_is_refused() -> None:
    for given_headers in ({}, headers(OLD), headers(SECRET) | {"webhook-id": "evt_2"}):
        with pytest.raises(SignatureError):
            verified_event((SECRET,), given_headers, BODY, now=NOW)
    with pytest.raises(SignatureError, match="Base64"):
        verified_event(("whsec_?",), headers(SECRET), BODY, now=NOW)
    with pytest.raises(UnexpectedAnswerError):
        verified_event((SECRET,), headers(SECRET, body=b"[]"), b"[]", now=NOW)
