"""Reads what a provider sent, JSON or XML, by path; what is missing or of another kind is named by its place."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.parsers import expat

import orjson

from features.errors import InputError, InvalidValueError
from features.nesting import DEEPEST, is_too_deep
from features.sources.masking import REMOVED

Tree = Mapping[str, "Tree"] | Sequence["Tree"] | str | int | float | bool | None
"""Objects, lists and values as they stand in a document."""

LONGEST_TEXT = 500
_LATEST_S = 32_503_680_000  # the year 3000


class Node:
    """One place in a document; a place that is not there holds None.

    >>> Node({"data": {"id": "ch_1"}}).text("data", "id")
    'ch_1'
    """

    __slots__ = ("place", "value")

    def __init__(self, value: Tree, place: str = "") -> None:
        self.value = value
        self.place = place

    def at(self, *keys: str) -> "Node":
        """The place below, through objects."""
        value, place = self.value, self.place
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
            place = f"{place}.{key}" if place else key
        return Node(value, place)

    @property
    def present(self) -> bool:
        """Whether anything stands here."""
        return self.value is not None and self.value != ""

    def items(self, *keys: str) -> tuple["Node", ...]:
        """The entries of the list below; none where nothing stands.

        Raises:
            InvalidValueError: Something else than a list stands there.
        """
        found = self.at(*keys)
        if not found.present:
            return ()
        if isinstance(found.value, str) or not isinstance(found.value, Sequence):
            raise found.refused("a list")
        return tuple(Node(value, f"{found.place}[{i}]") for i, value in enumerate(found.value))

    def maybe(self, *keys: str) -> str | None:
        """The text or number below as text, or None where nothing stands.

        Raises:
            InvalidValueError: It is no text, too long, not to be printed, or a card number stood there.
        """
        found = self.at(*keys)
        if not found.present:
            return None
        if isinstance(found.value, bool) or not isinstance(found.value, str | int | float):
            raise found.refused("a text")
        text = str(found.value).strip()
        if REMOVED in text:
            raise found.refused("anything but a card number")
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise found.refused(f"at most {LONGEST_TEXT} printable characters")
        return text or None

    def text(self, *keys: str) -> str:
        """The text below.

        Raises:
            InvalidValueError: Nothing stands there, or as for `maybe`.
        """
        text = self.maybe(*keys)
        if text is None:
            raise self.at(*keys).refused("a text that is not empty")
        return text

    def first(self, *keys: str) -> str | None:
        """The first of several names below that holds something."""
        return next((text for key in keys if (text := self.maybe(key))), None)

    def whole(self, *keys: str) -> int:
        """The whole number below.

        Raises:
            InvalidValueError: It is something else.
        """
        found = self.at(*keys)
        if isinstance(found.value, int) and not isinstance(found.value, bool):
            return found.value
        if isinstance(found.value, str) and found.value.isascii() and found.value.isdigit() and len(found.value) < 19:
            return int(found.value)
        raise found.refused("a whole number")

    def flag(self, *keys: str) -> bool | None:
        """Whether the place below says true or false; None where it says neither."""
        value = self.at(*keys).value
        return {"true": True, "false": False}.get(str(value).lower())

    def instant(self, *keys: str) -> datetime:
        """The instant below (UTC): seconds since 1970, or ISO 8601 with a time zone.

        Raises:
            InvalidValueError: It is neither.
        """
        found = self.at(*keys)
        value = found.value
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LATEST_S:
            return datetime.fromtimestamp(value, UTC)
        try:
            read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
            if read is not None and read.tzinfo is not None and read.year > 1970:
                return read.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise found.refused("an instant with a time zone, such as 2026-11-23T10:15:00Z or seconds since 1970")

    def refused(self, expected: str) -> InvalidValueError:
        """The error that what stands here cannot be used."""
        shown = self.value if isinstance(self.value, str | int | float | None) else type(self.value).__name__
        return InvalidValueError(self.place or "document", shown, expected)


def json_document(body: bytes) -> Node:
    """The document in a JSON body.

    Raises:
        InputError: It is no JSON, not UTF-8, or nested too deep.
    """
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if is_too_deep(tree):
        raise InputError(f"the body is JSON nested deeper than {DEEPEST} levels")
    return Node(tree)


def xml_document(body: bytes) -> Node:
    """The document in an XML body: children by name, `type="array"` and repeated names as lists, `nil` as None.

    A document type is refused, so that no entity is ever expanded.

    Raises:
        InputError: It is no XML, declares a document type, or is nested too deep.
    """
    reader = _XmlReader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise InputError(f"the body is not XML: {error}") from None
    except (LookupError, ValueError) as error:
        raise InputError(f"the body is not XML that can be read: {error}") from None
    return Node(reader.root)


class _Element:
    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[tuple[str, Tree]] = []
        self.text: list[str] = []

    @property
    def value(self) -> Tree:
        if self.attributes.get("type") == "array":
            return [value for _, value in self.children]
        if self.children:
            return _gathered(self.children)
        if self.attributes.get("nil") == "true":
            return None
        return "".join(self.text).strip()


class _XmlReader:
    def __init__(self) -> None:
        self.root: dict[str, Tree] = {}
        self._open: list[_Element] = []
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise InputError("the body is XML with a document type, which is never read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise InputError(f"the body is XML nested deeper than {DEEPEST} elements")
        self._open.append(_Element(name, attributes))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)

    def _end(self, _: str) -> None:
        done = self._open.pop()
        if self._open:
            self._open[-1].children.append((done.name, done.value))
        else:
            self.root[done.name] = done.value


def _gathered(children: list[tuple[str, Tree]]) -> dict[str, Tree]:
    groups: dict[str, list[Tree]] = {}
    for name, value in children:
        groups.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in groups.items()}
