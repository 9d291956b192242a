"""HEAD is answered as GET, without a body."""

import pytest

from api_builders import Api, past

_LEFT = {"x-request-id", "date"}


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/v1/models", "/nowhere", "/v1/payments/unknown?merchant_id=acme"]
)
def test_head_is_get_without_a_body(api: Api, path: str) -> None:
    whole, head = api.send("GET", path), api.send("HEAD", path)
    assert whole.content
    assert head.content == b""
    assert head.status_code == whole.status_code
    assert {name: value for name, value in head.headers.items() if name not in _LEFT} == {
        name: value for name, value in whole.headers.items() if name not in _LEFT
    }


def test_head_does_nothing_where_there_is_nothing_to_get(api: Api) -> None:
    assert api.send("HEAD", "/v1/attempts", past(1)).status_code == 405
