"""Takes card numbers out of what a provider sent before it is kept, and leaves the rest readable."""

import html
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus, urlencode

import orjson

from features.card_number import holds_card_number, mask_card_numbers

REMOVED = "[card number removed]"
_STRING_OR_REST = re.compile(r'"(?:[^"\\]|\\.)*"?|[^"]+', re.DOTALL)
_NUMBER = re.compile(r"(?<![0-9A-Za-z.+\-])-?[0-9]{13,19}(?:\.0*)?(?![0-9A-Za-z.])")
# Times since 1970 in milliseconds and microseconds; no card network issues such numbers (decision 0023).
_TIME = re.compile(r"1[0-9]{12}(?:[0-9]{3})?")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_REFERENCE = re.compile(r"&(?:amp;)*#(?:x0*([0-9a-f]{1,6})|0*([0-9]{1,7}));?", re.IGNORECASE)
_ASCII = 128
_MOST_ESCAPED = 8  # times over
_PAYLOAD = "bt_payload"


@dataclass(frozen=True, slots=True)
class Kept:
    """A body that may be kept.

    Args:
        body: As it came, or with every card number taken out.
        marked: Whether anything was taken out.
    """

    body: bytes
    marked: bool


def without_card_numbers(body: bytes) -> Kept:
    """What may be kept of a body; nothing that looks like a card number is in it, in whatever way it was written.

    >>> without_card_numbers(b'{"pan": 4242424242424242, "text": "4242 4242 4242 4242 declined"}').body
    b'{"pan": null, "text": "[card number removed] declined"}'
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        # No provider sends this; what cannot be read is kept only where no digits hide in it.
        hides = holds_card_number(body.decode("latin-1").replace("\0", ""))
        return Kept(b"" if hides else body, hides)
    masked = _masked(text)
    return Kept(body, marked=False) if masked == text else Kept(masked.encode(), marked=True)


def _masked(text: str) -> str:
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        return _json(text)
    return _markup(text) if start == "<" else _form(_markup(text))


def _markup(text: str) -> str:
    """Numbers are masked as they are written; references are undone only where they hide one, and of digits only."""
    masked = mask_card_numbers(text) if holds_card_number(text) else text
    undone = _REFERENCE.sub(_referred, masked)
    if holds_card_number(undone):
        masked = mask_card_numbers(undone)
    return REMOVED if holds_card_number(html.unescape(masked)) else masked


def _referred(reference: re.Match[str]) -> str:
    """A digit or what may stand between digits in its own place; everything else stays written as it is."""
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if code < _ASCII and chr(code) in "0123456789 .-" else reference.group()


def _json(text: str) -> str:
    masked = "".join(_piece(match.group()) for match in _STRING_OR_REST.finditer(text))
    return _quoted(REMOVED) if _hides_number(masked) and not _is_json(masked) else masked


def _piece(piece: str) -> str:
    if not piece.startswith('"'):
        return _NUMBER.sub(_number, piece)
    if _TIME.fullmatch(piece.strip('"')):
        return piece
    masked = mask_card_numbers(piece) if holds_card_number(piece) else piece
    return _quoted(_unescaped(masked.strip('"'))) if _hides_number(masked) else masked


def _number(match: re.Match[str]) -> str:
    digits = match.group().lstrip("-").partition(".")[0]
    return "null" if holds_card_number(digits) and not _TIME.fullmatch(digits) else match.group()


def _hides_number(text: str) -> bool:
    return any(map(holds_card_number, _readings(text)))


def _readings(text: str) -> Iterator[str]:
    """The text as it is written, and as it reads however often its escapes are undone: it may hold JSON itself.

    >>> [reading.strip() for reading in _readings(r"4242\\u00204242\\\\n")][1:]
    ['4242 4242\\\\n', '4242 4242']
    """
    yield text
    for _ in range(_MOST_ESCAPED):
        if "\\" not in text:
            return
        text = _ESCAPE.sub(_character, text)
        yield text


def _unescaped(text: str) -> str:
    """The text with its escapes undone, and no card number in any of its readings."""
    for _ in range(_MOST_ESCAPED):
        text = mask_card_numbers(_ESCAPE.sub(_character, text))
    return text


def _character(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    if code is not None:
        character = chr(int(code, 16))
        return character if character.isprintable() else "\n"
    return "\n" if letter.isalpha() else letter


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _form(text: str) -> str:
    """A form is looked into as it is decoded; a payload in it is coded anew, without its signature."""
    plain = unquote_plus(text)
    if holds_card_number(plain):
        return mask_card_numbers(plain)
    try:
        inner = b64decode(dict(parse_qsl(text)).get(_PAYLOAD, "")).decode("latin-1")
    except NotBase64:
        return text
    masked = _markup(inner)
    return text if masked == inner else urlencode({_PAYLOAD: b64encode(masked.encode("latin-1")).decode()})
