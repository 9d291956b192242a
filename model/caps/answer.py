"""A verdict made from a rule and what was found; advice is softened here and nowhere else."""

from features.instants import from_micros
from features.money import Money
from model.caps.proposal import Proposal, fee_of
from model.caps.rule import CapRule
from model.caps.verdict import Verdict

OURS = "Recoup's own default; no public figure is known"


def answer(
    rule: CapRule,
    sentence: str,
    *,
    allowed: bool,
    used: int | None = None,
    frees: int | None = None,
    fee: Money | None = None,
) -> Verdict:
    """What the rule says. Advice warns but allows; it carries no count, so that nobody takes it for a limit."""
    warns = rule.advises and not allowed
    return Verdict(
        rule_id=rule.rule_id,
        allowed=allowed or rule.advises,
        used=None if rule.advises else used,
        limit=None if rule.advises else rule.limit,
        frees_at=None if frees is None or rule.advises else from_micros(frees),
        fee=fee,
        sentence=f"{sentence} This is advice, not a limit." if warns else sentence,
        source=rule.sources[0] if rule.sources else OURS,
        confidence=rule.confidence,
    )


def fee_at(rule: CapRule, proposal: Proposal, at: int) -> Money | None:
    """What an attempt against the rule would cost at the instant (int64 microseconds)."""
    return fee_of(rule, proposal, from_micros(at).date())
