"""What a call is sent with."""

from serving.client.calls import call


def test_a_key_that_the_client_makes_is_one_word_which_is_never_taken_for_a_card_number() -> None:
    keys = [call("POST", "/v1/decisions", str).idempotency_key or "" for _ in range(3)]
    assert [len(key) for key in keys] == [32] * 3
    assert all(key.isalnum() for key in keys)
    assert len(set(keys)) == 3
    assert call("POST", "/v1/decisions", str, idempotency_key="my-own").idempotency_key == "my-own"
