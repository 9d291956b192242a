"""An attempt that might be made, and which rules bind it."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache

from features.method import Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Initiator
from model.caps.fees import dearest
from model.caps.rule import CapRule
from model.caps.tally import Counter, carrier

# A market may be any label of the merchant's; only two letters are taken for a country.
_COUNTRY = re.compile(r"^[A-Za-z]{2}$")
_HINTS = 4_096


@dataclass(frozen=True)
class Proposal:
    """One attempt on a payment with a method through a processor.

    Args:
        decided_at: When the attempt is decided on (UTC), from which notices and submissions take their time; None
            when they have been given already, or it is not known.
    """

    payment: Payment
    method: Method
    processor: str
    initiator: Initiator = Initiator.MERCHANT
    decided_at: datetime | None = None

    @cached_property
    def counter(self) -> Counter:
        """The values by which rules may count this attempt."""
        return Counter(
            merchant_id=self.payment.merchant_id,
            payment_id=self.payment.payment_id,
            method_id=self.method.method_id,
            mandate_id=self.method.mandate_id,
            amount=self.payment.amount,
            initiator=self.initiator,
            processor=self.processor,
        )

    @cached_property
    def countries(self) -> frozenset[str]:
        """Where the merchant may be: its country, else what market and issuer suggest, else nothing is known."""
        if self.payment.merchant_country:
            return frozenset({self.payment.merchant_country.upper()})
        return _countries(self.payment.market, self.method.issuer.country)

    @cached_property
    def issuers(self) -> frozenset[str]:
        """Where the issuer may be: its country, else what market and merchant suggest, else nothing is known."""
        return _countries(self.method.issuer.country) or _countries(self.payment.market, self.payment.merchant_country)


def binds(rule: CapRule, proposal: Proposal) -> bool:
    """Whether the rule is about such an attempt, whenever it is made.

    A rule for a region binds unless the merchant is known to be elsewhere; a rule for issuers of a country binds
    where the issuer is known, or by market and merchant believed, to be there.
    """
    method, countries = proposal.method, proposal.countries
    return (
        rule.concerns(method.rail, method.network)
        and (not rule.processors or carrier(proposal.processor) in map(carrier, rule.processors))
        and (not rule.initiators or proposal.initiator in rule.initiators)
        and (not rule.regions or not countries or bool(countries & set(rule.regions)))
        and not (countries and countries <= set(rule.not_regions))
        and (not rule.issuers or not proposal.issuers.isdisjoint(rule.issuers))
    )


def fee_of(rule: CapRule, proposal: Proposal, day: date) -> Money | None:
    """What an excess attempt costs on that day (UTC); the dearest of what may apply.

    None where no price is known, or where the merchant's country, which prices go by, is not.
    """
    home = proposal.payment.merchant_country
    return dearest(rule.fees, home, proposal.method.issuer.country, day) if home else None


@lru_cache(maxsize=_HINTS)
def _countries(*hints: str | None) -> frozenset[str]:
    return frozenset(hint.upper() for hint in hints if hint and _COUNTRY.match(hint))
