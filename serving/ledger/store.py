"""A database as the ledger sees it: transactions of named statements."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Protocol

from features.errors import InputError

Value = str | int | float | bytes | None
Row = tuple[Value, ...]
Values = Mapping[str, Value]
Question = tuple[str, Values]
Lock = tuple[str, ...]
"""What a transaction locks, by name: whose it is, what sort of thing, which one."""

PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
"""A value's name in a statement."""

_COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)
_NAME = re.compile(r"^-- name: (?P<name>\w+)(?:\.(?P<dialect>\w+))?$", re.MULTILINE)


# Names of constraints and triggers are sentences; SQLite and PostgreSQL wrap them in words of their own.
_SENTENCE = re.compile(r"(?:constraint (?:failed: )?\"?)(?P<name>[a-z]+(?:_[a-z]+)+)\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement with its values by number: finding each by its name is dearer than many a statement.

    Args:
        names: Of the values, in the order of their numbers.
    """

    text: str
    names: tuple[str, ...]

    @staticmethod
    def of(text: str, mark: str) -> "Numbered":
        """The statement with a mark and a number in place of each name.

        >>> Numbered.of("SELECT :a + :b * :a", "$")
        Numbered(text='SELECT $1 + $2 * $1', names=('a', 'b'))
        """
        names = tuple(dict.fromkeys(PARAMETER.findall(text)))
        return Numbered(PARAMETER.sub(lambda match: f"{mark}{names.index(match[1]) + 1}", text), names)

    def bound(self, values: Values) -> tuple[Value, ...]:
        """The values in the order of their numbers."""
        return tuple(map(values.__getitem__, self.names))


class LedgerConflictError(InputError):
    """What was written breaks a rule that the database itself keeps; the rule's name is the sentence."""


class Failure(StrEnum):
    """Why the database did not do what was asked."""

    AWAY = "away"  # it cannot be reached, or went away meanwhile
    BUSY = "busy"  # two transactions waited for each other
    TIMEOUT = "timeout"
    UNWRITABLE = "unwritable"  # its disk is full or broken, or it may only be read
    OTHER = "other"


class LedgerFailedError(InputError):
    """The database did not do what was asked; the message holds nothing that was to be written or found."""

    def __init__(self, message: str, failure: Failure = Failure.OTHER) -> None:
        self.failure = failure
        super().__init__(message)


class LedgerBusyError(LedgerFailedError):
    """Two transactions waited for each other and the database ended one of them; told again, it will pass."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Failure.BUSY)


class LedgerTimeoutError(LedgerFailedError):
    """It took too long. Where that was while it was written, it may be written all the same."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Failure.TIMEOUT)


class LedgerTooLateError(LedgerTimeoutError):
    """The same of who waited so long that whoever asked was answered already."""


def sentence_of(message: str) -> str:
    """The sentence in a database's complaint about a constraint.

    >>> sentence_of("CHECK constraint failed: a_hold_ends_after_it_began")
    'the ledger refuses this: a hold ends after it began'
    """
    found = _SENTENCE.search(message)
    return "the ledger refuses this: " + (found["name"].replace("_", " ") if found else message.splitlines()[0])


class Transaction(Protocol):
    """Statements that happen together or not at all."""

    def ask(self, *questions: Question) -> list[list[Row]]:
        """The rows of each statement, several in one exchange where the database can."""
        ...

    def put(self, name: str, values: Values) -> None:
        """Write."""
        ...

    def change(self, name: str, values: Values) -> int:
        """Write, and say how many rows that changed."""
        ...

    def put_all(self, name: str, rows: Iterable[Values]) -> None:
        """Write many rows."""
        ...

    def script(self, text: str) -> None:
        """Run the statements of a migration."""
        ...


class Store(Protocol):
    """One database."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgres`."""
        ...

    @property
    def where(self) -> str:
        """The database as people name it; no password."""
        ...

    @property
    def patience_s(self) -> float | None:
        """How long anything waits for it; None for as long as it takes."""
        ...

    @property
    def url(self) -> str:
        """The address that opens it again, password included: for another process, never for people."""
        ...

    def writing(
        self, locks: Sequence[Lock] = (), shared: Sequence[Lock] = (), *, flushed: bool = True
    ) -> AbstractContextManager[Transaction]:
        """A transaction that waits for these locks first; committed at the end, undone on any error.

        Args:
            flushed: Whether it is on the disk when it ends. If not, everybody sees it and it outlives this program,
                but a power failure or a crash of the database server may lose it for a moment yet.

        Raises:
            InputError: The database cannot be reached.
            LedgerConflictError: What was written breaks a rule of the ledger.
        """
        ...

    def at_once(self, name: str, values: Values, locks: Sequence[Lock], beside: Question | None = None) -> bool:
        """One statement as a transaction by itself, after these locks; whether it changed or found anything.

        Args:
            beside: Another statement of the same transaction, which sees what the first one did.

        Raises:
            InputError, LedgerConflictError: As for `writing`.
        """
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """Reads of one and the same state."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


def number_of(*parts: str) -> int:
    """A number that stands for the parts (signed, 64 bits); the same on every machine."""
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "big", signed=True)


@cache
def statements(dialect: str) -> Mapping[str, str]:
    """The statements of `queries.sql` for a dialect, by name."""
    text = (files("serving.ledger") / "queries.sql").read_text("utf-8")
    marks = list(_NAME.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return {
        mark["name"]: _COMMENT.sub("", text[mark.end() : end]).strip()
        for mark, end in zip(marks, ends, strict=True)
        if mark["dialect"] in {None, dialect}
    }
