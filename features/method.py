"""A stored payment instrument, known by its token only."""

from dataclasses import dataclass
from datetime import date

from features.vocabulary import Credential, Funding, Network, Rail


@dataclass(frozen=True, slots=True)
class Issuer:
    """The bank that answers.

    Args:
        issuer_id: The issuer as the merchant's data names it (a BIN, a bank code, a name), or None.
        country: ISO 3166-1 alpha-2 in capitals, or None.
        time_zone: IANA zone of the issuer; None means the country's main zone.
        bin: First six to eight digits of the card, never more; or None.
    """

    issuer_id: str | None = None
    country: str | None = None
    time_zone: str | None = None
    bin: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One stored instrument of a customer.

    Args:
        mandate_id: The mandate of a debit or e-mandate, where there is one; mandates count attempts too.
        consented: Whether the customer allows this method for this payment (cycling needs consent).
        processors: Names of the processors that can charge this method, in order of preference.
    """

    method_id: str
    rail: Rail
    network: Network = Network.UNKNOWN
    issuer: Issuer = Issuer()
    funding: Funding = Funding.UNKNOWN
    credential: Credential = Credential.UNKNOWN
    expires_on: date | None = None
    mandate_id: str | None = None
    consented: bool = True
    processors: tuple[str, ...] = ()
