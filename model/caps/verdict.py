"""What one rule says about one proposed attempt at one instant."""

from dataclasses import dataclass
from datetime import datetime

from features.money import Money
from model.caps.fees import Confidence


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's answer.

    Args:
        used, limit: For a cap, how much of it is used before the proposed attempt; None for other rules.
        frees_at: When the rule would allow it (UTC), if nothing else happens; None when it is allowed already,
            or will not be for this payment and method unless what the sentence names happens.
        fee: What making it all the same would cost, where the rule has a price and the region is known.
        sentence: The answer as a person reads it.
        source: Public address of the rule, or that it is our own.
    """

    rule_id: str
    allowed: bool
    used: int | None
    limit: int | None
    frees_at: datetime | None
    fee: Money | None
    sentence: str
    source: str
    confidence: Confidence
