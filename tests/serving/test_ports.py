"""A port belongs to whoever listens on it first, and the other hears of it at once."""

import pytest

from features.errors import InputError
from serving.ports import bound_socket, listen, port_of


def test_of_two_that_were_bound_before_anybody_listened_the_second_is_refused() -> None:
    with bound_socket("127.0.0.1", 0) as first, bound_socket("127.0.0.1", port_of(first)) as second:
        listen(first)
        with pytest.raises(InputError, match=rf"cannot listen on 127.0.0.1:{port_of(first)}: address already in use"):
            listen(second)
