"""Codes that stand in no table: how often each comes, and the line that would add it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from features.card_number import holds_card_number
from features.decline import Decline
from features.declines.index import heads_of
from features.declines.spelling import tidy
from features.declines.taxonomy import classify
from features.vocabulary import DeclineCategory, Network


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """One code nobody knows.

    Args:
        count: Failed attempts that carry it.
        share: Of the processor's failed attempts with a code, in (0, 1].
    """

    processor: str
    code: str
    count: int
    share: float

    @property
    def line(self) -> str:
        """The line of TOML that adds it, once its meaning is filled in."""
        owner = "_".join(heads_of(self.processor)[:1]) or "processor"
        code = self.code.replace("\\", "\\\\").replace('"', '\\"')
        meaning = 'title = "?", category = "unknown", retryability = "later"'
        return f'processors.{owner}."{code}" = {{ {meaning} }}'


def is_unknown(decline: Decline | None) -> bool:
    """Whether a decline carries a code that no table knows; one that is known to mean little has a title."""
    return (
        decline is not None
        and decline.code is not None
        and decline.category is DeclineCategory.UNKNOWN
        and not decline.title
    )


def unknown_codes(
    failures: Iterable[tuple[str, Network, str, str | None, str | None, int]],
) -> tuple[UnknownCode, ...]:
    """The codes that no table knows, most frequent first.

    Args:
        failures: Processor, network, code, subcode, advice code and how many attempts carried just these.
    """
    counts, totals = Counter[tuple[str, str]](), Counter[str]()
    for processor, network, code, subcode, advice_code, count in failures:
        totals[processor] += count
        if holds_card_number(code):
            continue
        decline = classify(
            code, processor=processor, network=network, subcode=subcode, advice_code=advice_code, text=code
        )
        if is_unknown(decline):
            counts[processor, tidy(code)] += count
    found = (UnknownCode(p, code, count, count / totals[p]) for (p, code), count in counts.items())
    return tuple(sorted(found, key=lambda each: (-each.count, each.processor, each.code)))
