"""What was known of a payment before its variant could do anything, and says how much of it usually comes back.

The expected recovery is the share of the payer's earlier failed payments that was recovered, drawn towards the rate of
the decline category, which is drawn towards the shipped prior:

    rate = (20 p + r) / (20 + n),      expected = (2 rate + recovered) / (2 + failed)

with r of n payments of the category recovered before the experiment began, p the prior's chance of one retry, and the
payer's own payments counted until this one failed. All weights are fixed here, so nothing of it is chosen or fitted
once outcomes are seen; that it is off by a factor or a constant costs nothing, for only how it goes along with the
outcome is used (`experiments.analysis.difference`). Who has no past has the category's rate, so it is missing for none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.metrics.spec import Kind, MetricSpec
from experiments.metrics.unit_rows import Covariate
from features.vocabulary import DeclineCategory, Rail
from model.prior_table import shipped_table

EXPECTED_AMOUNT, FAILED_AMOUNT = "expected_amount", "failed_amount"
EXPECTED_PAYMENTS, FAILED_PAYMENTS = "expected_payments", "failed_payments"

_WORTH_OF_PRIOR = 20.0
_WORTH_OF_RATE = 2.0


@dataclass(frozen=True, slots=True)
class Past:
    """Failed payments of one payer, or of one category, and how many of them were recovered."""

    failed: int = 0
    recovered: int = 0


NO_PAST = Past()


@dataclass(frozen=True, slots=True)
class Expectations:
    """What to expect of a payment, from what was known before the experiment.

    Args:
        by_category: Payments whose window was over when the experiment began.
    """

    by_category: Mapping[DeclineCategory, Past] = field(default_factory=dict)

    def rate(self, category: DeclineCategory, rail: Rail) -> float:
        """Share of the category's payments that comes back."""
        known, prior = self.by_category.get(category, NO_PAST), shipped_table().approval[category].mean(rail)
        return (_WORTH_OF_PRIOR * prior + known.recovered) / (_WORTH_OF_PRIOR + known.failed)

    def of(self, category: DeclineCategory, rail: Rail, past: Past) -> float:
        """Share of a payment that comes back, by its first failure and its payer's past."""
        return (_WORTH_OF_RATE * self.rate(category, rail) + past.recovered) / (_WORTH_OF_RATE + past.failed)


def covariate_for(spec: MetricSpec) -> Covariate | None:
    """The covariate of a metric: weighed by amounts where it is a share of amounts, else by payments.

    Rare events have none: what an arm without any is given in their place knows of no covariate.
    """
    if spec.kind is Kind.EVENT:
        return None
    if spec.of_amounts:
        return Covariate(EXPECTED_AMOUNT, FAILED_AMOUNT)
    return Covariate(EXPECTED_PAYMENTS, FAILED_PAYMENTS)
