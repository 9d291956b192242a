"""One row of a code table: what a raw code means and what may be useful after it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from features.vocabulary import DeclineCategory, Retryability

Confidence = Literal["high", "medium", "low"]
Outranks = Literal["both", "retryability", "nothing"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A code that the network delivered as another one from a day to a day (UTC, both inclusive; None is open)."""

    code: str
    effective_from: date
    effective_to: date | None = None

    def on(self, day: date) -> bool:
        """Whether it was rewritten on that day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What one raw code means.

    Args:
        table: Name of the table it stands in, such as `visa` or `stripe`.
        code: As the source writes it; `*` stands for any code, `2109-2999` for a range of numbers.
        subcode: A second code that arrives with the first: advice code, scheme code or brand; else None.
        source: Public address the meaning was read from.
        confidence: How far the table's sources are to be trusted.
        advice: What an advice code asks for, as a phrase.
        min_wait_hours: How long the advice asks to wait.
        outranks: What of the response code an advice replaces.
        insufficient_funds_in: Debtor countries (ISO 3166-1 alpha-2) where the code hides a lack of funds.
        effective_from: First day (UTC) the code has this meaning; None when it always had.
        effective_to: Last day (UTC) of it, inclusive.
        may_hide: Codes of the same network that this one stood for on some days.
        note: What else the source says, such as the network's own category.
    """

    table: str
    code: str
    title: str
    category: DeclineCategory
    retryability: Retryability
    source: str
    confidence: Confidence
    subcode: str | None = None
    advice: str | None = None
    min_wait_hours: int | None = None
    outranks: Outranks = "both"
    insufficient_funds_in: frozenset[str] = frozenset()
    effective_from: date | None = None
    effective_to: date | None = None
    may_hide: tuple[Hidden, ...] = ()
    note: str | None = None

    def means_this_on(self, day: date | None) -> bool:
        """Whether the meaning holds on the day (UTC); today's meanings when no day is given."""
        if day is None:
            return self.effective_to is None
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


UNKNOWN_ENTRY = CodeEntry("", "", "", DeclineCategory.UNKNOWN, Retryability.UNKNOWN, "", "low")
