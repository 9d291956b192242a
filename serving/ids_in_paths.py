"""An id may hold a slash, as invoice numbers do: `INV/2025/001` stands in an address as `INV%2F2025%2F001`.

The server decodes an address before it is routed, so an id is taken to be everything up to what follows it. Only an id
that ends in `/events` cannot be told from the address of another one's events.
"""

from starlette.convertors import Convertor, register_url_convertor


class _Id(Convertor[str]):
    regex = r"(?:[^/]+|.+(?<!/events))"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def register() -> None:
    """Let routes name an id as `{payment_id:id}`."""
    register_url_convertor("id", _Id())
