"""Reads codes as people, exports and spreadsheets write them."""

import re
from collections.abc import Iterator

# "51: Insufficient funds", "R01 - no funds", "05 Do not honour", "(43) stolen", "43/stolen": a short code, then words.
_CODE_THEN_TEXT = re.compile(
    r"^[(\[]?([A-Z0-9_.]{1,24})(?:\s*[:|–—,/)\]]|\s+-|-\s|-(?=[A-Z]{2})|\s(?=[A-Z]{2}))\s*(.+)$"
)
# "Code 43", "RC=43", "response code: 51".
_SAID_TO_BE_A_CODE = re.compile(
    r"^(?:(?:RESPONSE|DECLINE|REASON|RETURN)[ _])?(?:CODE|RC)(?:\s*[:=#]\s*|\s+)(?=[A-Z0-9])"
)
_DECIMAL_ZERO = re.compile(r"^(\d+)\.0$")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_NOT_WORD = re.compile(r"[^A-Z0-9*]+")


def tidy(raw: str) -> str:
    """Trimmed, in capitals, inner white space single; a spreadsheet's `51.0` is `51`.

    >>> tidy(" insufficient  funds "), tidy("51.0")
    ('INSUFFICIENT FUNDS', '51')
    """
    text = " ".join(raw.upper().split())
    return _DECIMAL_ZERO.sub(r"\1", text)


def loose(code: str) -> str:
    """The code without punctuation and leading zeros, for comparison only.

    >>> loose("05") == loose("5"), loose("insufficient funds") == loose("INSUFFICIENT_FUNDS"), loose("BP 171")
    (True, True, 'BP171')
    """
    return _LEADING_ZEROS.sub("", _NOT_WORD.sub("", code.upper()))


def spellings(raw: str) -> Iterator[str]:
    """The code as it came, then without the word for one, then the short code at the head of a longer text.

    >>> list(spellings("51: Insufficient funds")), list(spellings("Code 43"))
    (['51: INSUFFICIENT FUNDS', '51'], ['CODE 43', '43'])
    """
    whole = tidy(raw)
    yield whole
    bare = _SAID_TO_BE_A_CODE.sub("", whole)
    if bare != whole:
        yield bare
    if match := _CODE_THEN_TEXT.match(bare):
        yield match.group(1)


def words(text: str) -> str:
    """A title reduced to its words, American spelling, for comparison only.

    >>> words("Do not honour.") == words("DO NOT HONOR")
    True
    """
    joined = " ".join(_NOT_WORD.sub(" ", text.upper()).split())
    return joined.replace("HONOUR", "HONOR").replace("AUTHORIS", "AUTHORIZ").replace("CANCELLED", "CANCELED")


def without_prefix(code: str, prefixes: tuple[str, ...]) -> str:
    """The code without a carrier's prefix, longest first.

    >>> without_prefix("ACH_RETURN-R01", ("ACH_RETURN", "ACH"))
    'R01'
    """
    for prefix in sorted(prefixes, key=len, reverse=True):
        if code.startswith(prefix) and len(code) > len(prefix) and not code[len(prefix)].isalnum():
            return code[len(prefix) :].lstrip(" -_:/")
    return code
