"""The one tree of errors that Recoup raises for input it cannot use.

RecoupError
├── InvalidValueError   a field holds something it may not hold (names field, value and what would be right)
├── CardNumberError     a field holds what looks like a card number; the value is never repeated
└── InputError          a file, folder or artifact cannot be read at all
"""


class RecoupError(Exception):
    """Anything Recoup refuses; its message is one sentence a person can act on."""


class InvalidValueError(RecoupError):
    """A field holds a value it may not hold.

    Args:
        field: The field as the user wrote it.
        value: The offending value; kept and shown shortened.
        expected: What would be right, as a phrase that follows "expected".
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = _cut(value if isinstance(value, str) else repr(value))
        self.expected = expected
        super().__init__(f"{field}: {shorten(value)} is not accepted; expected {expected}")


class CardNumberError(RecoupError):
    """A field holds what looks like a card number. The value is never kept or echoed."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            f"{field}: the value looks like a card number and was refused without being stored; "
            "send the token of the stored method instead"
        )


class InputError(RecoupError):
    """A file, folder or artifact is missing, empty, truncated or not what it should be."""


def shorten(value: object, limit: int = 60) -> str:
    """The value in quotes as a reader should see it, at most `limit` characters long."""
    return _cut(repr(value), limit)


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
