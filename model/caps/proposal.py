"""An attempt that might be made, and which rules bind it."""

import re
from dataclasses import dataclass
from datetime import date

from features.method import Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Initiator
from model.caps.rule import CapRule, Fee
from model.caps.tally import Counter

# A market may be any label of the merchant's; only two letters are taken for a country.
_COUNTRY = re.compile(r"^[A-Za-z]{2}$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One attempt on a payment with a method through a processor."""

    payment: Payment
    method: Method
    processor: str
    initiator: Initiator = Initiator.MERCHANT

    @property
    def counter(self) -> Counter:
        """The values by which rules may count this attempt."""
        return Counter(
            merchant_id=self.payment.merchant_id,
            payment_id=self.payment.payment_id,
            method_id=self.method.method_id,
            mandate_id=self.method.mandate_id,
            amount=self.payment.amount,
            initiator=self.initiator,
        )

    @property
    def countries(self) -> frozenset[str]:
        """Where the merchant may be: its country, else what market and issuer suggest, else nothing is known."""
        if self.payment.merchant_country:
            return frozenset({self.payment.merchant_country.upper()})
        hints = (self.payment.market, self.method.issuer.country)
        return frozenset(hint.upper() for hint in hints if hint and _COUNTRY.match(hint))


def binds(rule: CapRule, proposal: Proposal) -> bool:
    """Whether the rule is about such an attempt, whenever it is made.

    A regional rule binds unless the merchant is known to be elsewhere.
    """
    method, countries = proposal.method, proposal.countries
    return (
        (not rule.rails or method.rail in rule.rails)
        and (not rule.networks or method.network in rule.networks)
        and method.network not in rule.not_networks
        and (not rule.processors or proposal.processor in rule.processors)
        and (not rule.initiators or proposal.initiator in rule.initiators)
        and (not rule.regions or not countries or bool(countries & set(rule.regions)))
        and not (countries and countries <= set(rule.not_regions))
    )


def fee_of(rule: CapRule, proposal: Proposal, day: date) -> Money | None:
    """What an excess attempt costs on that day (UTC); the dearest of what may apply.

    None where no price is known, or where the merchant's country, which prices go by, is not.
    """
    if proposal.payment.merchant_country is None:
        return None
    fees = [fee.amount for fee in rule.fees if _applies(fee, proposal, day)]
    return max(fees, key=lambda money: money.amount_minor, default=None)


def _applies(fee: Fee, proposal: Proposal, day: date) -> bool:
    home, issuer = proposal.payment.merchant_country, proposal.method.issuer.country
    if fee.regions and home not in fee.regions:
        return False
    if fee.cross_border is not None and home and issuer and fee.cross_border is not (home != issuer):
        return False
    return (fee.effective_from is None or fee.effective_from <= day) and (
        fee.effective_to is None or day <= fee.effective_to
    )
