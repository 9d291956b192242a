"""What is known of a raw code, and which entries of which tables say so."""

from dataclasses import dataclass
from datetime import UTC, datetime

from features.countries import is_country
from features.decline import Decline
from features.declines.advice import Advice, advice_of
from features.declines.entry import CodeEntry
from features.declines.index import heads_of
from features.declines.lookup import own_tables, readings
from features.declines.rewritten import hidden_codes
from features.declines.taxonomy import classify, network_code
from features.errors import InvalidValueError
from features.vocabulary import Network

# Names by which networks are called besides our own words.
_CALLED = {
    "amex": Network.AMERICAN_EXPRESS,
    "nacha": Network.ACH,
    "sepa": Network.SEPA_CORE,
    "sepacore": Network.SEPA_CORE,
    "sepab2b": Network.SEPA_B2B,
    "upi": Network.UPI_AUTOPAY,
    "pix": Network.PIX_AUTOMATICO,
    "becs": Network.BECS_AU,
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A raw code as it is read.

    Args:
        own: What the processor's own table says; None where it is silent.
        networks: What the network's table says.
        advice: What the advice code beside it asks for.
        network_code: The network's own code behind it.
        may_hide: Codes of the network that may have been delivered as this one.
        tables_known: Whether there is a table of the processor at all; True where only a network was named.
    """

    decline: Decline
    own: CodeEntry | None
    networks: CodeEntry | None
    advice: Advice | None
    network_code: str | None
    may_hide: tuple[str, ...]
    tables_known: bool


def named(name: str) -> tuple[str | None, Network | None]:
    """Whom a name means: a processor, or a network where there is one of that name.

    >>> named("Stripe"), named("visa"), named("nacha")
    (('Stripe', None), (None, <Network.VISA: 'visa'>), (None, <Network.ACH: 'ach'>))
    """
    word = "".join(heads_of(name)[:1])
    by_word = {network.replace("_", ""): network for network in Network if network is not Network.UNKNOWN}
    network = by_word.get(word) or _CALLED.get(word)
    return (None, network) if network else (name, None)


def explained(
    code: str,
    *,
    processor: str | None,
    network: Network = Network.UNKNOWN,
    subcode: str | None = None,
    advice_code: str | None = None,
    country: str | None = None,
    at: datetime | None = None,
) -> Explained:
    """How the code is read at an instant (today's meanings when None), and why; arguments as for `classify`.

    Raises:
        CardNumberError: A code looks like a card number.
        InvalidValueError: `country` is none, or `at` has no time zone.
    """
    if country is not None and not is_country(country):
        raise InvalidValueError("country", country, "an ISO 3166-1 alpha-2 code in capitals, such as DE or GB")
    decline = classify(
        code,
        processor=processor,
        network=network,
        subcode=subcode,
        advice_code=advice_code,
        text=code,
        at=at,
        country=country,
    )
    day = at.astimezone(UTC).date() if at else None
    found = readings(code, subcode, processor, network, day)
    own_code = network_code(code, processor=processor, network=network, subcode=subcode)
    hidden = hidden_codes(network, own_code, day) if own_code and day else frozenset()
    return Explained(
        decline=decline,
        own=found.own,
        networks=found.network,
        advice=advice_of(code, advice_code, processor, network),
        network_code=own_code,
        may_hide=tuple(sorted(hidden)),
        tables_known=processor is None or bool(own_tables(processor)),
    )
