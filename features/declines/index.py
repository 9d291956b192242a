"""Which tables answer for a network, a processor and its advice; from index.toml."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from features.vocabulary import Network


@dataclass(frozen=True)
class TableIndex:
    """Names of tables by who uses them.

    Args:
        networks: A network's own tables, in the order they are asked.
        fallback: Tables asked last, for `fallback_networks`.
        processors: Tables of a processor's own words, by name without case and punctuation.
        advice: Table of a processor's own advice words.
        prefixes: What carriers put before a scheme's code, by table.
        reports: Before a code of these tables, so that it is not another report's of the same letter.
        brazil_table: The table that a country unifies by brand, its country and its names of the brands.
    """

    networks: dict[Network, tuple[str, ...]]
    fallback: tuple[str, ...]
    fallback_networks: frozenset[Network]
    processors: dict[str, tuple[str, ...]]
    advice: dict[str, str]
    prefixes: dict[str, tuple[str, ...]]
    reports: dict[str, str]
    brazil_table: str
    brazil_country: str
    brazil_brands: dict[Network, str]

    def processor_tables(self, processor: str | None) -> tuple[str, ...]:
        """The tables of a processor's own words; none when we have no list of it."""
        name = self.known_processor(processor)
        return self.processors[name] if name else ()

    def advice_table(self, processor: str | None) -> str | None:
        """The table of a processor's own advice words, if it has one."""
        return self.advice.get(self.known_processor(processor) or "")

    def known_processor(self, processor: str | None) -> str | None:
        """The listed name of a processor: `Checkout.com` is `checkoutcom`, `stripe_us` is `stripe`."""
        return next((head for head in heads_of(processor) if head in self.processors), None)

    @property
    def tables(self) -> frozenset[str]:
        """Every table that some lookup can reach."""
        groups = (*self.networks.values(), *self.processors.values(), self.fallback, tuple(self.advice.values()))
        return frozenset(name for group in groups for name in group) | {self.brazil_table}


def heads_of(processor: str | None) -> tuple[str, ...]:
    """The names under which a processor may be listed, longest first, without case and punctuation.

    >>> heads_of("Stripe-US"), heads_of(None)
    (('stripeus', 'stripe'), ())
    """
    parts = [part for part in re.split(r"[^a-z0-9]+", (processor or "").lower()) if part]
    return tuple("".join(parts[:length]) for length in range(len(parts), 0, -1))


@cache
def table_index() -> TableIndex:
    """The shipped index, read once."""
    raw = tomllib.loads((files("features.declines") / "index.toml").read_text(encoding="utf-8"))
    return TableIndex(
        networks={Network(name): tuple(tables) for name, tables in raw["networks"].items()},
        fallback=tuple(raw["fallback"]["tables"]),
        fallback_networks=frozenset(Network(name) for name in raw["fallback"]["networks"]),
        processors={_plain(name): tuple(tables) for name, tables in raw["processors"].items()},
        advice={_plain(name): table for name, table in raw["advice"].items()},
        prefixes={table: tuple(prefixes) for table, prefixes in raw["prefixes"].items()},
        reports=dict(raw["reports"]),
        brazil_table=raw["brazil"]["table"],
        brazil_country=raw["brazil"]["country"],
        brazil_brands={Network(name): brand for name, brand in raw["brazil"]["brands"].items()},
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
