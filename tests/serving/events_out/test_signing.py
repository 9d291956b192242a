"""What is signed here is verified by whoever verifies Standard Webhooks, with either secret while they rotate."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InvalidValueError
from serving.events_out.signing import key_of, signed_headers
from serving.webhooks.signatures import GENERIC, Signed, verified

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
OLD, NEW, OTHER = (f"whsec_{b64encode(bytes([i]) * 24).decode()}" for i in range(3))


@given(st.binary(max_size=200))
def test_either_of_two_secrets_verifies_and_no_other(body: bytes) -> None:
    headers = signed_headers((NEW, OLD), "evt_1", int(NOW.timestamp()), body)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verified(GENERIC, [OLD], Signed(headers, {}, body), NOW)
    assert verified(GENERIC, [NEW], Signed(headers, {}, body), NOW)
    assert not verified(GENERIC, [OTHER], Signed(headers, {}, body), NOW)
    assert not verified(GENERIC, [NEW], Signed(headers | {"webhook-id": "evt_2"}, {}, body), NOW)
    assert not verified(GENERIC, [NEW], Signed(headers, {}, body + b" "), NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "hunter2", "whsec_c2hvcnQ=", OLD.removeprefix("whsec_"), OLD + "!"])
def test_a_secret_that_is_too_weak_or_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(InvalidValueError, match="24 to 64 random bytes") as refused:
        key_of(secret)
    assert secret in {"", "whsec_"} or secret not in str(refused.value)
