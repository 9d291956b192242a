"""Advice that comes beside a decline code, above all Mastercard's merchant advice code."""

import re
from dataclasses import dataclass, replace

from features.declines.entry import CodeEntry
from features.declines.index import table_index
from features.declines.lookup import find
from features.declines.reading import load_table
from features.declines.spelling import tidy
from features.declines.table import ANY_CODE
from features.vocabulary import Network

_MERCHANT_ADVICE = re.compile(r"^(?:MAC|M)?[\s:=#_-]*0*(\d{1,2})(?!\d)")

# Only Mastercard sends merchant advice codes, so one beside a card of unknown network is Mastercard's.
_MERCHANT_ADVICE_NETWORKS = frozenset({Network.MASTERCARD, Network.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice as its table has it.

    Args:
        code: Two digits, or a processor's word in capitals.
        entry: What the advice means with any code.
        with_code: What it means with this very code, where the table says so.
    """

    code: str
    entry: CodeEntry
    with_code: CodeEntry | None = None

    @property
    def asks(self) -> str:
        """What the advice asks for, as a phrase."""
        return self.entry.advice or self.entry.title

    @property
    def min_wait_hours(self) -> int | None:
        """How long it asks to wait."""
        return self.entry.min_wait_hours

    def over(self, entry: CodeEntry) -> CodeEntry:
        """What the decline means given both; an advice that only says "later" leaves a known reason standing."""
        if self.with_code:
            return self.with_code
        if self.entry.outranks == "both" or not entry.title:
            return self.entry
        return replace(entry, retryability=self.entry.retryability) if self.entry.outranks == "retryability" else entry


def advice_of(code: str | None, advice_code: str | None, processor: str | None, network: Network) -> Advice | None:
    """The advice behind a raw advice code, such as `24`, `MAC 03` or `3`; None when it is no known advice."""
    if not advice_code:
        return None
    return _merchant_advice(code, advice_code, network) or _processor_advice(advice_code, processor)


def _merchant_advice(code: str | None, advice_code: str, network: Network) -> Advice | None:
    match = _MERCHANT_ADVICE.match(tidy(advice_code))
    if match is None or network not in _MERCHANT_ADVICE_NETWORKS:
        return None
    table, number = load_table("mastercard"), match[1].zfill(2)
    entry = table.exact(ANY_CODE, number)
    if entry is None or entry.subcode != number:
        return None
    with_code = find(tidy(code), number, (table,), None, loosely=False) if code else None
    return Advice(number, entry, with_code if with_code and with_code.subcode == number else None)


def _processor_advice(advice_code: str, processor: str | None) -> Advice | None:
    name = table_index().advice_table(processor)
    word = tidy(advice_code)
    entry = find(word, None, (load_table(name),), None, loosely=False) if name else None
    return Advice(word, entry) if entry else None
