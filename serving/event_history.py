"""Turns an export of a provider's events into attempts, by the same adapters and the same ledger as webhooks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from features.card_number import mask_card_numbers
from features.errors import InputError, RecoupError
from features.instants import from_micros
from features.sources.provider import Provider, Surroundings
from features.sources.providers import PROVIDERS
from features.sources.statement import Notice
from serving.ledger.facts import Facts
from serving.ledger.ledger import Ledger
from serving.webhooks.telling import facts_from, tell

_PAGE = 5_000
_NOT_LINES = frozenset({"braintree"})
_COPIED = (
    *("attempt_id", "payment_id", "customer_id", "method_id", "mandate_id", "rail", "network", "credential"),
    *("issuer_country", "market", "processor", "initiator", "amount_minor", "currency", "precision", "outcome"),
    *("code", "subcode", "advice_code"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export."""

    file: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that holds an event which cannot be used."""

    line: Line
    reason: str


@dataclass(slots=True)
class Events:
    """What an export came to.

    Args:
        silent: Events that say nothing to be counted.
    """

    lines: int = 0
    events: int = 0
    silent: int = 0
    refused: list[Refused] = field(default_factory=list)


def provider_named(source: str) -> Provider:
    """The provider whose events can be read line by line.

    Raises:
        InputError: There is none by that name.
    """
    known = [name for name in PROVIDERS if name not in _NOT_LINES]
    if source not in known:
        raise InputError(f"--source {source}: is not known; expected one of {', '.join(known)}, or use --mapping")
    return PROVIDERS[source]


def take_in(
    ledger: Ledger, merchant_id: str, provider: Provider, lines: Iterable[Line], around: Surroundings
) -> Events:
    """Tell a ledger of every event in some lines, each a JSON document as the provider delivers or lists it.

    An end whose attempt stands further down is told once all lines were read.

    Raises:
        InputError: The ledger cannot be used.
    """
    done, waiting = Events(), list[tuple[Line, Notice]]()
    for line in lines:
        if not line.text.strip():
            continue
        done.lines += 1
        try:
            _take_line(ledger, merchant_id, provider, line, around, done, waiting)
        except RecoupError as error:
            done.refused.append(Refused(line, mask_card_numbers(str(error))))
    for line, notice in waiting:
        if missing := tell(ledger, merchant_id, provider.name, notice, around.received_at).missing:
            reason = f"no attempt {missing[0]} is in the export, whose end it tells"
            done.refused.append(Refused(line, mask_card_numbers(reason)))
    return done


def _take_line(
    ledger: Ledger,
    merchant_id: str,
    provider: Provider,
    line: Line,
    around: Surroundings,
    done: Events,
    waiting: list[tuple[Line, Notice]],
) -> None:
    for event in provider.events(provider.document(line.text.encode())):
        done.events += 1
        notice = provider.read(event, around)
        done.silent += not notice.statements
        if tell(ledger, merchant_id, provider.name, notice, around.received_at).missing:
            waiting.append((line, notice))


def history_lines(ledger: Ledger, merchant_id: str) -> Iterator[bytes]:
    """Every attempt of a merchant as a JSON line in the history format, page by page."""
    last = ""
    while True:
        with ledger.store.reading() as transaction:
            (rows,) = transaction.ask(
                ("attempts_after", {"merchant_id": merchant_id, "attempt_id": last, "most": _PAGE})
            )
        for row in rows:
            yield orjson.dumps(_history_row(merchant_id, facts_from(row)), option=orjson.OPT_APPEND_NEWLINE)
        if len(rows) < _PAGE:
            return
        last = str(rows[-1][0])


def _history_row(merchant_id: str, facts: Facts) -> dict[str, str | int | None]:
    row: dict[str, str | int | None] = {name: getattr(facts, name) for name in _COPIED}
    return row | {
        "merchant_id": merchant_id,
        "attempted_at": _iso(from_micros(facts.at)),
        "outcome_at": _iso(from_micros(facts.known_at)),
    }


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
