"""Pages of long lists: a bounded size, an opaque place to go on from, and whether there is more."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from features.card_number import refuse_card_number
from serving.errors import FieldError, invalid_request

Item = TypeVar("Item")
Place = tuple[str | int, ...]

DEFAULT_LIMIT = 50
MOST = 200
_LONGEST_CURSOR = 1_500
_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list, and where the next ones begin; None at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether the list goes on."""
        return self.next_cursor is not None


def page_of(found: Sequence[Item], limit: int, place: Callable[[Item], Place]) -> Page[Item]:
    """The page of what was found when one more than `limit` was asked for.

    Args:
        place: Where an item stands in the order of the list; the next page begins after it.
    """
    items = tuple(found[:limit])
    return Page(items, cursor_at(place(items[-1])) if len(found) > limit else None)


def limit_in(text: str | None) -> int:
    """How many items are asked for.

    Raises:
        RequestError: Not a whole number within the bounds.
    """
    if text is None:
        return DEFAULT_LIMIT
    refuse_card_number("limit", text)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) else 0
    if not 1 <= number <= MOST:
        raise invalid_request((FieldError("limit", text[:MOST], f"a whole number from 1 to {MOST}"),))
    return number


def cursor_at(place: Place) -> str:
    """A place as callers carry it.

    >>> place_in(cursor_at(("inv_1", 7)), (str, int))
    ('inv_1', 7)
    """
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_in(cursor: str | None, kinds: tuple[type[str] | type[int], ...]) -> Place | None:
    """The place in a cursor; None without one.

    Raises:
        RequestError: It was not made for such a list.
    """
    if cursor is None:
        return None
    try:
        place = orjson.loads(urlsafe_b64decode(cursor[:_LONGEST_CURSOR] + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    fits = isinstance(place, list) and len(place) == len(kinds)
    if not fits or not all(_is(part, kind) for part, kind in zip(place, kinds, strict=True)):
        refuse_card_number("cursor", cursor)
        raise invalid_request((FieldError("cursor", cursor[:60], "the next_cursor of the page before"),))
    return tuple(place)


def _is(part: object, kind: type[str] | type[int]) -> bool:
    """Whether a part of a place is one that a database can be asked about."""
    if type(part) is not kind:
        return False
    return abs(part) < _LARGEST if isinstance(part, int) else str(part).isprintable()
