"""What was told about an attempt, one event each, and how they stand to each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from features.vocabulary import Precision
from serving.ledger.events import EventKind, Return, Source, event_from
from serving.ledger.facts import Facts
from serving.ledger.store import Row


@dataclass(frozen=True, slots=True)
class Statement:
    """One event about the attempt; `body` breaks ties, so that every order of telling ends the same."""

    kind: EventKind
    source: Source
    said_at: int
    body: str
    facts: Facts | None = None
    returned: Return | None = None

    @property
    def standing(self) -> tuple[bool, bool, bool, int, str]:
        """What stands behind what: corrections outrank reports, those what is listed, what is exact what is not."""
        exact = self.facts is None or self.facts.precision != Precision.DAY
        return self.kind is EventKind.CORRECTED, self.source is not Source.LISTED, exact, self.said_at, self.body


def statements_of(merchant_id: str, attempt_id: str, rows: Iterable[Row]) -> Iterator[Statement]:
    """The rows of the question `attempt_events`."""
    for kind, source, said_at, body in rows:
        who, said = Source(str(source)), int(said_at or 0)
        told = event_from(merchant_id, who, "told", str(kind), attempt_id, said, str(body))
        yield Statement(told.kind, who, said, str(body), told.facts, told.returned)
