"""How much work a decision is, from what a request lists: what a key is charged for it, and who would wait for it.

A token is what a usual request costs, some 25 ms of a processor. 25 routes (a method through a processor) cost as much,
and so do 100 attempts; the most that a request may list, 400 routes and 2,000 attempts, is 36 tokens.
"""

from features.context import Context
from serving.schemas import DecisionRequest

ATTEMPTS_A_TOKEN = 100
ATTEMPTS_A_ROUTE = 4
LARGEST_USUAL = 4


def tokens(routes: int, attempts: int) -> int:
    """What a decision about so much costs, at least one token.

    >>> [tokens(3, 5), tokens(25, 20), tokens(100, 400), tokens(400, 2_000)]
    [1, 2, 8, 36]
    """
    return max(1, -(-(ATTEMPTS_A_ROUTE * routes + attempts) // ATTEMPTS_A_TOKEN))


def is_large(cost: int) -> bool:
    """Whether others would wait long for it."""
    return cost > LARGEST_USUAL


def cost_of_request(asked: DecisionRequest) -> int:
    """The tokens of a request; a method that lists no processors goes through those that attempted it."""
    listed = sum(len(method.processors or ()) for method in asked.methods)
    unlisted = {method.method_id for method in asked.methods if not method.processors}
    tried = {(one.method_id, one.processor) for one in asked.attempts if one.method_id in unlisted}
    return tokens(listed + len(tried), len(asked.attempts))


def cost_of_context(context: Context) -> int:
    """The same of a context, with what is on record."""
    return tokens(sum(len(method.processors) for method in context.methods), len(context.attempts))
