"""Where the country of the bank changes what a code means."""

from dataclasses import replace

from features.declines.entry import UNKNOWN_ENTRY, CodeEntry
from features.declines.index import table_index
from features.declines.lookup import find, first
from features.declines.reading import load_table
from features.declines.spelling import spellings
from features.vocabulary import DeclineCategory, Network, Retryability


def read_in_country(entry: CodeEntry, code: str | None, network: Network, country: str) -> CodeEntry:
    """The entry as it is to be read in that country.

    Some banks hide a lack of funds behind "reason withheld" (SEPA MS03). In Brazil one table covers all brands,
    and what it calls irreversible must not be retried whatever the brand's own table says.
    """
    if country in entry.insufficient_funds_in:
        return replace(entry, category=DeclineCategory.INSUFFICIENT_FUNDS)
    unified = _unified(entry.code or code, network) if country == table_index().brazil_country else None
    if unified is None:
        return entry
    if entry is UNKNOWN_ENTRY:
        return unified
    return replace(entry, retryability=Retryability.NEVER) if unified.retryability is Retryability.NEVER else entry


def _unified(code: str | None, network: Network) -> CodeEntry | None:
    index = table_index()
    brand = index.brazil_brands.get(network)
    if brand is None or not code:
        return None
    tables = (load_table(index.brazil_table),)
    return first(
        find(spelling, brand, tables, None, loosely=loosely)
        for spelling in spellings(code)
        for loosely in (False, True)
    )
