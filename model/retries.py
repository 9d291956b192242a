"""How many retries a payment has had and may still have."""

from features.context import Context
from model.economics import Economics
from model.failures import failures


def retries_made(context: Context) -> int:
    """Attempts of the payment after its first failure, whatever came of them."""
    failed = failures(context)
    return sum(attempt.at > failed[0].at for attempt in context.own_attempts) if failed else 0


def most_attempts(context: Context, economics: Economics, max_retries: int | None = None) -> int:
    """How many retries of the payment are left by the economics and, where stated, by a policy's own limit."""
    most = economics.max_retries if max_retries is None else min(max_retries, economics.max_retries)
    return max(most - retries_made(context), 0)
