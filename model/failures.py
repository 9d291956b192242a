"""The failures of a payment, as the decision reads them."""

from features.attempt import Attempt
from features.context import Context
from features.vocabulary import FAILED, DeclineCategory, Outcome


def failures(context: Context, method_id: str | None = None) -> tuple[Attempt, ...]:
    """The payment's attempts that failed, oldest first; of one method only if one is named."""
    return tuple(a for a in context.own_attempts if a.outcome in FAILED and method_id in {None, a.method_id})


def category_of(failure: Attempt) -> DeclineCategory:
    """Why it failed; an attempt that never reached the issuer failed for a technical reason."""
    if failure.decline is not None and failure.decline.category is not DeclineCategory.UNKNOWN:
        return failure.decline.category
    return DeclineCategory.PROCESSING_ERROR if failure.outcome is Outcome.ERROR else DeclineCategory.UNKNOWN
