"""Codes that a network rewrote on the wire for a time: what a decline of those days may really have been."""

from datetime import date
from functools import lru_cache

from features.declines.lookup import network_tables
from features.vocabulary import Network

_REMEMBERED = 8_192


@lru_cache(maxsize=_REMEMBERED)
def hidden_codes(network: Network, code: str, day: date) -> frozenset[str]:
    """The network's own codes that may stand behind this one when it came on that day (UTC); usually none.

    >>> sorted(hidden_codes(Network.VISA, "05", date(2026, 10, 24)))
    ['12', '15', '57']
    >>> sorted(hidden_codes(Network.VISA, "05", date(2026, 10, 25)))
    ['12', '15']
    """
    for table in network_tables(network):
        entry = table.exact(code, on=day)
        if entry is not None:
            return frozenset(hidden.code for hidden in entry.may_hide if hidden.on(day))
    return frozenset()
