"""Refuses card numbers at every door: 13 to 19 digits that pass the Luhn check (ISO/IEC 7812-1)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from features.errors import CardNumberError

FEWEST_DIGITS = 13
"""A shorter text holds no card number."""

# Digits may be grouped by single spaces, dots or dashes, as people and exports write card numbers. A run that
# is part of a longer run of digits or of a word is an identifier, not a card number.
# A run right after a digit and a dot is the fraction of a number. What may not stand before the first digit is asked
# where a digit was found: that is much faster than asking at every place.
# A well-formed UUID (RFC 9562) is an identifier too: of those made at random one in ten thousand holds such a run.
_UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_CANDIDATE = re.compile(r"[0-9](?<![0-9A-Za-z].)(?<![0-9]\.[0-9])(?:[ .\-]?[0-9]){12,18}(?![0-9A-Za-z])")
# The letters of an escape are part of no word: \n in what JSON or Python wrote is a new line.
_ESCAPE = re.compile(r"\\(?:[abfnrtv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")
# Within a longer run too, a number that is written as cards are: in one piece, in fours, or four, six and the rest, as
# where a security code or a date of expiry follows it.
_WRITTEN = tuple(
    re.compile(rf"(?<![0-9A-Za-z])(?<![0-9]\.)(?=({shape})(?![0-9A-Za-z]))")
    for shape in (
        "[0-9]{13,19}",
        r"[0-9]{4}(?:[ .\-][0-9]{4}){3}",
        r"[0-9]{4}(?:[ .\-][0-9]{4}){3}[ .\-][0-9]{3}",
        r"[0-9]{4}[ .\-][0-9]{6}[ .\-][0-9]{4,5}",
    )
)
# No text without so many digits in a row, separators left out, need be searched: nearly none.
_DIGITS_IN_A_ROW = b"0" * FEWEST_DIGITS
_AS_DIGITS = bytes(ord("0" if chr(byte) in "0123456789" else "x") for byte in range(256))
_DASHES_OF_A_UUID = 4
_REMOVED = "[card number removed]"


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others.

    >>> passes_luhn("4242424242424242"), passes_luhn("4242424242424241")
    (True, False)
    """
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def holds_card_number(text: str) -> bool:
    """Whether any part of the text looks like a card number.

    >>> holds_card_number("card 4242 4242 4242 4242 declined")
    True
    >>> holds_card_number("card_4242424242424242"), holds_card_number("tok4242424242424242x")
    (True, False)
    >>> holds_card_number("0.004242424242424242"), holds_card_number("4242.4242.4242.4242")
    (False, True)
    >>> holds_card_number("4242424242424242 123"), holds_card_number("4242 4242 4242 4242 12/29")
    (True, True)
    >>> holds_card_number(r"refused\\n4242424242424242"), holds_card_number(r"refused\\u00204242424242424242")
    (True, True)
    >>> holds_card_number("4a120b7a-0570-4687-8629-276653494039"), holds_card_number("0570-4687-8629-276653494039")
    (False, True)
    """
    if len(text) < FEWEST_DIGITS or _DIGITS_IN_A_ROW not in text.encode("ascii", "replace").translate(
        _AS_DIGITS, b" .-"
    ):
        return False
    apart = _apart_from_escapes(text)
    apart = _UUID.sub("uuid", apart) if apart.count("-") >= _DASHES_OF_A_UUID else apart
    return (
        any(_is_card_number(m.group()) for m in _CANDIDATE.finditer(apart)) or next(_written(apart), None) is not None
    )


def refuse_card_number(field: str, text: str) -> None:
    """Raise `CardNumberError` naming the field if the text holds what looks like a card number."""
    if holds_card_number(text):
        raise CardNumberError(field)


def refuse_card_numbers(fields: Mapping[str, str | None]) -> None:
    """Raise `CardNumberError` naming the first field that holds what looks like a card number; one look for nearly all.

    >>> refuse_card_numbers({"payment_id": "pay_1", "mandate_id": None})
    """
    if holds_card_number("\n".join(filter(None, fields.values()))):
        for field, text in fields.items():
            refuse_card_number(field, text or "")


def mask_card_numbers(text: str) -> str:
    """The text with every card number replaced, for logs and messages from elsewhere.

    >>> mask_card_numbers("4242-4242-4242-4242 refused")
    '[card number removed] refused'
    """
    masked: list[str] = []
    done = 0
    for uuid in _UUID.finditer(_apart_from_escapes(text)):
        masked += (_masked(text[done : uuid.start()]), uuid.group())
        done = uuid.end()
    return "".join((*masked, _masked(text[done:])))


def _masked(text: str) -> str:
    candidates = _CANDIDATE.finditer(_apart_from_escapes(text))
    text = _without(text, (m.span() for m in candidates if _is_card_number(m.group())))
    return _without(text, sorted(_written(_apart_from_escapes(text))))


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts: list[str] = []
    done = 0
    for begin, end in spans:
        if begin >= done:
            parts += (text[done:begin], _REMOVED)
        done = max(done, end)
    return "".join((*parts, text[done:]))


def _apart_from_escapes(text: str) -> str:
    """The text with the letters of escapes taken out; everything else stands where it stood."""
    return _ESCAPE.sub(lambda m: "\n" * len(m.group()), text) if "\\" in text else text


def _written(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers begin and end that are written as cards are."""
    return (found.span(1) for shape in _WRITTEN for found in shape.finditer(text) if _is_card_number(found[1]))


def _is_card_number(candidate: str) -> bool:
    if re.fullmatch(r"[0-9]+\.[0-9]+", candidate):
        return False  # a decimal number: groups of a card number are parted more than once
    digits = re.sub(r"\D", "", candidate)
    # All-zero and other single-digit runs pass Luhn but are fillers, never issued numbers.
    return len(set(digits)) > 1 and passes_luhn(digits)


def is_bin(text: str) -> bool:
    """Whether it is a card's issuer identification number: its first six to eight digits (ISO/IEC 7812)."""
    return 6 <= len(text) <= 8 and text.isascii() and text.isdigit()
