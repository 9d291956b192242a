"""What a raw decline code means: codes of networks, processors and rails in one set of words, never guessed."""

from bisect import bisect_right
from datetime import UTC, date, datetime
from functools import lru_cache

from features.card_number import refuse_card_number
from features.decline import Decline
from features.declines.advice import Advice, advice_of
from features.declines.country import read_in_country
from features.declines.entry import UNKNOWN_ENTRY, CodeEntry
from features.declines.index import table_index
from features.declines.lookup import network_tables, own_tables, readings, titled
from features.declines.spelling import tidy
from features.instants import require_aware
from features.vocabulary import DeclineCategory, Network, Retryability

_DISTINCT_DECLINES = 8_192

# A refusal that gives no reason: a second code that does give one says more.
_SILENT = frozenset({DeclineCategory.UNKNOWN, DeclineCategory.DO_NOT_HONOR})


def classify(
    code: str | None,
    *,
    processor: str | None,
    network: Network,
    subcode: str | None = None,
    advice_code: str | None = None,
    text: str | None = None,
    at: datetime | None = None,
    country: str | None = None,
) -> Decline:
    """Read a raw code into a decline; remembered, so that a million rows cost their distinct codes only.

    A processor's own words come first, then the network's code, then ISO 8583 for cards; first as written, then
    without punctuation and lost leading zeros, then by title. What the network never retries stays so whatever
    the processor calls it. Mastercard's advice code outranks the response code. What stands in no table is
    `unknown` in category and retryability, with the raw code kept.

    Args:
        code: As it came; `51`, `5` for `05`, `51: Insufficient funds` and `insufficient_funds` are understood.
        subcode: A second code: a scheme's or network's code behind a processor's word.
        text: The sender's message, read only when the code says nothing.
        at: When the decline happened, for codes whose meaning has changed; today's meanings when None.
        country: ISO 3166-1 alpha-2 of the issuer or debtor bank; SEPA MS03 and Brazilian cards depend on it.

    Raises:
        CardNumberError: A code or the text holds what looks like a card number.
        InvalidValueError: `at` has no time zone.
    """
    on = _epoch(network, processor, at) if at is not None else None
    return _classified(
        code or None, subcode or None, advice_code or None, text or None, processor, network, country, on
    )


@lru_cache(maxsize=_DISTINCT_DECLINES)
def network_code(
    code: str | None, *, processor: str | None, network: Network, subcode: str | None = None
) -> str | None:
    """The network's own code behind a raw one, as the network's table writes it; None where there is none.

    A processor's word that merely looks like a network code is not one (Adyen's `12` is lack of balance, Visa's
    an invalid transaction); a code that both tables give the same meaning is the network's handed through. Where
    several reports of a scheme use one letter, the code names the report: Bacs' `0` leaves a debit unpaid, its
    `ADDACS 0` ends the instruction.
    """
    entry = readings(code, subcode, processor, network).network
    if entry is None:
        return None
    report = table_index().reports.get(entry.table)
    return f"{report} {entry.code}" if report else entry.code


@lru_cache(maxsize=_DISTINCT_DECLINES)
def _classified(
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    text: str | None,
    processor: str | None,
    network: Network,
    country: str | None,
    on: date | None,
) -> Decline:
    for name, value in (("code", code), ("subcode", subcode), ("advice_code", advice_code), ("text", text)):
        refuse_card_number(name, value or "")
    entry = _meaning(code, subcode, text, processor, network, on)
    if country:
        entry = read_in_country(entry, code, network, country.upper())
    advice = advice_of(code, advice_code, processor, network)
    return _decline(network, code, subcode, advice_code, advice.over(entry) if advice else entry, advice)


def _meaning(
    code: str | None, subcode: str | None, text: str | None, processor: str | None, network: Network, on: date | None
) -> CodeEntry:
    found = readings(code, subcode, processor, network, on)
    own, networks = found.own, found.network
    if networks and (own is None or own.category in _SILENT or networks.retryability is Retryability.NEVER):
        return networks
    return own or titled((text, code), processor, network, on) or UNKNOWN_ENTRY


def _decline(
    network: Network,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    entry: CodeEntry,
    advice: Advice | None,
) -> Decline:
    return Decline(
        network=network,
        code=tidy(code) if code else None,
        subcode=tidy(subcode) if subcode else None,
        category=entry.category,
        retryability=entry.retryability,
        advice_code=advice.code if advice else tidy(advice_code) if advice_code else None,
        advice=advice.asks if advice else None,
        min_wait_hours=advice.min_wait_hours if advice else None,
        title=entry.title,
    )


def forget() -> None:
    """Forget every answer, because the tables have changed."""
    for remembered in (_classified, network_code, change_days):
        remembered.cache_clear()


def _epoch(network: Network, processor: str | None, at: datetime) -> date | None:
    """The last day at or before `at` on which a meaning changed, so that remembered answers are few."""
    days = change_days(network, processor)
    if not days:
        return None
    return (date.min, *days)[bisect_right(days, require_aware("at", at).astimezone(UTC).date())]


@lru_cache(maxsize=_DISTINCT_DECLINES)
def change_days(network: Network, processor: str | None) -> tuple[date, ...]:
    """The days on which the meaning of some code changes, in the tables read for these two; rising, UTC."""
    tables = (*own_tables(processor), *network_tables(network))
    return tuple(sorted({day for table in tables for day in table.change_days}))
