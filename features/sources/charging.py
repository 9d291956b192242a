"""What adapters have in common: amounts in a provider's own units, networks by any name, an attempt from its parts."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.errors import InvalidValueError
from features.method import Issuer, Method
from features.money import Money, minor_digits
from features.sources.document import Node
from features.sources.statement import AttemptTold
from features.vocabulary import FAILED, Credential, Initiator, Network, Outcome, Rail

PAYMENT_KEY = "recoup_payment_id"
"""Metadata by which a merchant says which of its payments an attempt is for."""

MOST_MINOR = 10**15
"""No debt is larger; what is, is a mistake."""

# Providers' minor units where they are not those of ISO 4217.
_OWN_DIGITS: Mapping[str, Mapping[str, int]] = {
    "stripe": {"ISK": 2, "MGA": 0, "UGX": 2},  # https://docs.stripe.com/currencies#special-cases
    "adyen": {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2},  # https://docs.adyen.com/development-resources/currency-codes
    "checkout": {"CLP": 2},  # https://www.checkout.com/docs/payments/accept-payments/format-the-amount-value
}
_NETWORKS: Mapping[str, Network] = {
    "amex": Network.AMERICAN_EXPRESS,
    "mc": Network.MASTERCARD,
    "mastercard": Network.MASTERCARD,
    "visa": Network.VISA,
    "diners_club": Network.DINERS,
    "diners_club_international": Network.DINERS,
    "union_pay": Network.UNIONPAY,
    "china_union_pay": Network.UNIONPAY,
    "cup": Network.UNIONPAY,
    "cartebancaire": Network.CARTES_BANCAIRES,
    "american_express": Network.AMERICAN_EXPRESS,
}
# Adyen appends products and wallets: visacredit, mcdebit, amex_applepay; Maestro is a brand of Mastercard's.
# https://docs.adyen.com/development-resources/paymentmethodvariant
_BRANDS: Mapping[str, Network] = {
    "visa": Network.VISA,
    "mc": Network.MASTERCARD,
    "maestro": Network.MASTERCARD,
    "amex": Network.AMERICAN_EXPRESS,
    "discover": Network.DISCOVER,
    "diners": Network.DINERS,
    "jcb": Network.JCB,
    "cup": Network.UNIONPAY,
    "cartebancaire": Network.CARTES_BANCAIRES,
}
_CARD_NETWORKS = frozenset(
    {
        *(Network.VISA, Network.MASTERCARD, Network.AMERICAN_EXPRESS, Network.DISCOVER, Network.DINERS, Network.JCB),
        *(Network.UNIONPAY, Network.ELO, Network.HIPERCARD, Network.INTERAC, Network.CARTES_BANCAIRES),
        *(Network.RUPAY, Network.MADA),
    }
)


def amount_of(provider: str, minor: int, currency: str) -> Money:
    """The amount that a provider writes in its own minor units.

    >>> amount_of("stripe", 50000, "isk").amount_minor, amount_of("stripe", 500, "jpy").amount_minor
    (500, 500)

    Raises:
        InvalidValueError: The currency is none, or the amount is below its smallest unit.
    """
    code = currency.upper()
    digits = minor_digits(code)
    own = _OWN_DIGITS.get(provider, {}).get(code, digits)
    scaled = minor * 10 ** max(0, digits - own)
    whole, rest = divmod(scaled, 10 ** max(0, own - digits))
    if rest:
        raise InvalidValueError("amount", minor, f"whole units of {code}, which {provider} writes with {own} digits")
    return Money(whole, code)


def network_of(word: str | None) -> Network:
    """The network by whatever a provider calls it; unknown where nobody does.

    >>> network_of("American Express"), network_of("visacredit"), network_of("paypal")
    (<Network.AMERICAN_EXPRESS: 'american_express'>, <Network.VISA: 'visa'>, <Network.UNKNOWN: 'unknown'>)
    """
    name = (word or "").lower().replace(" ", "_").replace("-", "_")
    if name in _NETWORKS:
        return _NETWORKS[name]
    if name in set(Network):
        return Network(name)
    return next((found for brand, found in _BRANDS.items() if name.startswith(brand)), Network.UNKNOWN)


def is_card(network: Network) -> bool:
    """Whether the network is one of cards."""
    return network in _CARD_NETWORKS


def last_day(year: str | None, month: str | None) -> date | None:
    """The last day of a card's month of expiry; None where it is not a month."""
    if not (
        year and month and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12 and 2000 <= int(year) < 3000
    ):
        return None
    return date(int(year), int(month), monthrange(int(year), int(month))[1])


def optional(metadata: Node) -> str | None:
    """The merchant's own payment id in metadata, where there is one."""
    return metadata.maybe(PAYMENT_KEY) if isinstance(metadata.value, Mapping) else None


@dataclass(frozen=True, slots=True)
class Codes:
    """The raw words of a refusal."""

    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """The instrument that was charged, as far as an event says."""

    method_id: str
    rail: Rail
    network: Network = Network.UNKNOWN
    issuer_country: str | None = None
    credential: Credential = Credential.UNKNOWN
    expires_on: date | None = None
    mandate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One try, as an event says."""

    attempt_id: str
    payment_id: str
    customer_id: str
    processor: str
    amount: Money
    at: datetime
    outcome: Outcome
    initiator: Initiator = Initiator.MERCHANT
    outcome_at: datetime | None = None
    three_d_secure: bool | None = None


def told(charge: Charge, instrument: Instrument, codes: Codes) -> AttemptTold:
    """The attempt in the field's words, its refusal classified by the processor's and the network's tables.

    Raises:
        InvalidValueError: The amount is none that anybody owes.
        CardNumberError: A code looks like a card number.
    """
    if not 0 <= charge.amount.amount_minor <= MOST_MINOR:
        raise InvalidValueError("amount", charge.amount.amount_minor, f"0 to {MOST_MINOR} minor units")
    failed = charge.outcome in FAILED
    decline = None
    if failed:
        decline = classify(
            codes.code,
            processor=charge.processor,
            network=instrument.network,
            subcode=codes.subcode,
            advice_code=codes.advice_code,
            text=codes.text,
            at=charge.at,
            country=instrument.issuer_country,
        )
    attempt = Attempt(
        attempt_id=charge.attempt_id,
        payment_id=charge.payment_id,
        method_id=instrument.method_id,
        processor=charge.processor,
        amount=charge.amount,
        at=charge.at,
        outcome=charge.outcome,
        initiator=charge.initiator,
        decline=decline,
        outcome_at=None if charge.outcome_at is None else max(charge.at, charge.outcome_at),
        three_d_secure=charge.three_d_secure,
        expires_on=instrument.expires_on,
        credential=instrument.credential,
        source="webhook",
    )
    method = Method(
        method_id=instrument.method_id,
        rail=instrument.rail,
        network=instrument.network,
        issuer=Issuer(country=instrument.issuer_country),
        credential=instrument.credential,
        expires_on=instrument.expires_on,
        mandate_id=instrument.mandate_id,
        processors=(charge.processor,),
    )
    return AttemptTold(attempt, method, charge.customer_id)
