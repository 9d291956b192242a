"""Finds a raw code in the tables of the processor and of the network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from typing import TypeVar

from features.declines.entry import CodeEntry
from features.declines.index import heads_of, table_index
from features.declines.reading import load_table
from features.declines.spelling import spellings, without_prefix
from features.declines.table import CodeTable
from features.vocabulary import Network

Found = TypeVar("Found")

_PROCESSORS = 1_024  # whose tables are remembered; a caller may make up any name


@dataclass(frozen=True, slots=True)
class Readings:
    """What the processor's tables say of a code, and what the network's do; either may be silent."""

    own: CodeEntry | None
    network: CodeEntry | None


@dataclass(frozen=True)
class ExtraCodes:
    """A merchant's own codes, by processor (as in `heads_of`) and by network."""

    processors: Mapping[str, CodeTable] = field(default_factory=dict)
    networks: Mapping[Network, CodeTable] = field(default_factory=dict)


class _Extra:
    """What was added at start; empty unless a merchant adds codes."""

    codes = ExtraCodes()


def use_extra(codes: ExtraCodes) -> None:
    """Ask these before the shipped tables; see features.declines.extra."""
    _Extra.codes = codes
    own_tables.cache_clear()
    network_tables.cache_clear()


@lru_cache(maxsize=_PROCESSORS)
def own_tables(processor: str | None) -> tuple[CodeTable, ...]:
    """The tables of the processor's own words, a merchant's first."""
    added = first(_Extra.codes.processors.get(head) for head in heads_of(processor))
    shipped = tuple(load_table(name) for name in table_index().processor_tables(processor))
    return (added, *shipped) if added else shipped


@cache
def network_tables(network: Network) -> tuple[CodeTable, ...]:
    """A merchant's table of the network, the network's own, then the common tongue where it speaks it."""
    index, added = table_index(), _Extra.codes.networks.get(network)
    fallback = index.fallback if network in index.fallback_networks else ()
    shipped = tuple(load_table(name) for name in (*index.networks.get(network, ()), *fallback))
    return (added, *shipped) if added else shipped


def readings(
    code: str | None, subcode: str | None, processor: str | None, network: Network, on: date | None = None
) -> Readings:
    """Look the code up on both sides.

    The processor's word hides a network code of the same spelling unless both mean the same. Behind a processor's
    word, known or not, the subcode may be the network's code.
    """
    # Mastercard's subcodes are advice codes, which are read apart.
    second = None if network is Network.MASTERCARD else subcode
    for spelling in spellings(code) if code else ():
        for loosely in (False, True):
            own = find(spelling, subcode, own_tables(processor), on, loosely=loosely)
            networks = _of_network(spelling, second, network, on, loosely=loosely)
            if own:
                networks = networks or _of_network(spelling, second, network, on, loosely=True)
                same = networks if networks and networks.category is own.category else None
                return Readings(own, same or _behind(subcode, network, on))
            if networks:
                return Readings(None, networks)
    behind = _behind(subcode, network, on)
    return Readings(titled((code,), processor, network, on) if behind else None, behind)


def find(
    spelling: str, subcode: str | None, tables: tuple[CodeTable, ...], on: date | None, *, loosely: bool
) -> CodeEntry | None:
    """The first entry of that spelling in the tables, in their order."""
    bare = ((table, _bare(spelling, table), _bare(subcode, table) if subcode else None) for table in tables)
    if loosely:
        return first(table.loosely(code, second, on) for table, code, second in bare)
    return first(table.exact(code, second, on) for table, code, second in bare)


def titled(texts: tuple[str | None, ...], processor: str | None, network: Network, on: date | None) -> CodeEntry | None:
    """The entry whose title one of the texts is."""
    tables = (*own_tables(processor), *network_tables(network))
    return first(table.titled(text, on) for text in texts if text for table in tables)


def first(entries: Iterable[Found | None]) -> Found | None:
    """The first that is one."""
    return next((entry for entry in entries if entry is not None), None)


def _of_network(
    spelling: str, subcode: str | None, network: Network, on: date | None, *, loosely: bool
) -> CodeEntry | None:
    # Without a network only a full ISO code is taken: a bare `6` may be a bank's, not the `06` of a card.
    if loosely and network is Network.UNKNOWN:
        return None
    return find(spelling, subcode, network_tables(network), on, loosely=loosely)


def _behind(subcode: str | None, network: Network, on: date | None) -> CodeEntry | None:
    return first(
        _of_network(spelling, None, network, on, loosely=loosely)
        for spelling in (spellings(subcode) if subcode else ())
        for loosely in (False, True)
    )


def _bare(code: str, table: CodeTable) -> str:
    return without_prefix(code, table_index().prefixes.get(table.name, ()))
