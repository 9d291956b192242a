"""One sender of webhooks: how its bodies are read, taken apart into events, and what each event says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from features.sources.document import Node
from features.sources.statement import Notice


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an event does not say itself.

    Args:
        received_at: Stands in where the sender tells no instant.
        currency: ISO 4217 of amounts that come without one; None where the settings name none.
        test_events: Whether what a provider calls a test is to be counted too.
    """

    received_at: datetime
    currency: str | None = None
    test_events: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """One sender.

    Args:
        name: As in `/webhooks/{name}` and in the settings.
        document: From the body to a document; raises InputError where it is none.
        events: The events of a document, in its order.
        kind: Where an event says what it is, so that one that cannot be read is still counted by its kind.
        read: What one event says; raises InvalidValueError naming the place that cannot be used.
        undated: Kinds that say neither when nor which: on another day the same body tells of something new.
    """

    name: str
    document: Callable[[bytes], Node]
    events: Callable[[Node], Iterable[Node]]
    kind: tuple[str, ...]
    read: Callable[[Node, Surroundings], Notice]
    undated: frozenset[str] = frozenset()


def kind_of(provider: Provider, event: Node) -> str:
    """What an event calls itself; empty where it says nothing that can be used."""
    parts = (event.at(key).value for key in provider.kind)
    return ".".join(part for part in parts if isinstance(part, str) and len(part) < 100 and part.isprintable())


def is_undated(provider: Provider, body: bytes) -> bool:
    """Whether a body holds an event that says neither when nor which."""
    return any(kind.encode() in body for kind in provider.undated)


def single(document: Node) -> Iterable[Node]:
    """The one event that a document is."""
    return (document,)
