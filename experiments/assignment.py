"""Who gets which variant: salted SHA-256 buckets, the same on every machine and in every language.

    bucket = (first 6 bytes of SHA-256(salt + U+001F + merchant_id + U+001F + unit_id, UTF-8), big-endian) mod 10000

48 bits are a whole number that every language holds exactly; the mod favours no bucket by more than 10000 / 2^48. The
place in a namespace is drawn by the same recipe with "namespace " and its name as the salt, which no salt can be, for
salts have no spaces. Nothing is stored and nothing is drawn: the same unit always gets the same answer, and its bucket
under one salt says nothing about its bucket under another.

Where a bandit changes the weights, new units are drawn by those in force at their first failure. Whoever was exposed
before keeps his variant; only the ledger knows, and the caller hands that in.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from experiments.allocation import allocation, propensities
from experiments.definition import ANSWERING, BUCKETS, Change, Definition, Namespace, Target, Unit
from experiments.weights import current_weights, weights_at
from features.context import Context
from features.errors import InvalidValueError
from features.money import Money
from features.vocabulary import DeclineCategory, Rail
from model.decision import Assignment
from model.failures import category_of, failures

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class FirstFailure:
    """What an assignment looks at: the first failure of a payment, whatever came later."""

    merchant_id: str
    customer_id: str
    payment_id: str
    failed_at: datetime
    amount: Money
    rail: Rail
    category: DeclineCategory
    market: str | None

    @staticmethod
    def of(context: Context) -> "FirstFailure | None":
        """The first failure of a context's payment; None where it has none, or its method is not listed.

        The market is the payment's own, else the country of the issuer.
        """
        failed, payment = failures(context), context.payment
        if not failed:
            return None
        try:
            method = context.method(failed[0].method_id)
        except InvalidValueError:
            return None
        return FirstFailure(
            merchant_id=payment.merchant_id,
            customer_id=payment.customer_id,
            payment_id=payment.payment_id,
            failed_at=failed[0].at,
            amount=payment.amount,
            rail=method.rail,
            category=category_of(failed[0]),
            market=payment.market or method.issuer.country,
        )


def bucket(salt: str, merchant_id: str, unit_id: str) -> int:
    """The bucket of a unit under a salt, 0 to 9999.

    >>> bucket("plan-against-fixed-1", "acme", "cus_1")
    9103
    """
    digest = hashlib.sha256(SEPARATOR.join((salt, merchant_id, unit_id)).encode()).digest()
    return int.from_bytes(digest[:6], "big") % BUCKETS


def place_in(namespace: Namespace, merchant_id: str, unit_id: str) -> int:
    """The bucket of a unit in a namespace."""
    return bucket(f"namespace {namespace.name}", merchant_id, unit_id)


def unit_of(definition: Definition, failure: FirstFailure) -> str:
    """The id of the unit that is assigned."""
    return failure.customer_id if definition.unit is Unit.CUSTOMER else failure.payment_id


def assigned(definition: Definition, failure: FirstFailure, earlier: Assignment | None = None) -> Assignment | None:
    """The variant of a payment under a definition, or None where it takes no part.

    It is settled by the first failure: by its facts, and by the coverage and weights that were in force at its instant.
    A tester gets the variant that is named for it, whatever the target.

    Args:
        earlier: How the unit was exposed before, for another payment; it keeps its variant, and the propensity with
            which it got it.
    """
    if definition.status not in ANSWERING:
        return None
    merchant_id, unit_id = failure.merchant_id, unit_of(definition, failure)
    named = definition.overrides.get(merchant_id, {}).get(unit_id)
    if named is not None:
        return Assignment(definition.key, named, unit_id, propensity=1.0, tester=True)
    namespace = definition.namespace
    if not targets(definition.target, failure):
        return None
    if not namespace.first <= place_in(namespace, merchant_id, unit_id) < namespace.end:
        return None
    coverage = coverage_at(definition, failure.failed_at)
    if earlier is not None and not earlier.tester and coverage:
        return earlier
    return _variant(definition, merchant_id, unit_id, coverage, weights_at(definition, failure.failed_at))


def variant_of(definition: Definition, merchant_id: str, unit_id: str) -> Assignment | None:
    """The variant of a new unit at the coverage and weights of today, leaving target and namespace aside."""
    return _variant(definition, merchant_id, unit_id, definition.coverage, current_weights(definition))


def coverage_at(definition: Definition, at: datetime) -> float:
    """The coverage in force for whoever first fails at an instant: none before the start and from a stop on."""
    coverage = 0.0
    for entry in definition.history:
        if entry.at > at:
            break
        if entry.what in {Change.STOPPED, Change.CONCLUDED}:
            return 0.0
        coverage = coverage if entry.coverage is None else entry.coverage
    return coverage


def targets(target: Target, failure: FirstFailure) -> bool:
    """Whether a first failure is one that a target is about."""
    lists = (
        (target.merchants, failure.merchant_id),
        (target.markets, failure.market),
        (target.rails, failure.rail),
        (target.decline_categories, failure.category),
        ((target.currency,) if target.currency else (), failure.amount.currency),
    )
    if any(wanted and value not in wanted for wanted, value in lists):
        return False
    amount = failure.amount.amount_minor
    least = 0 if target.min_minor is None else target.min_minor
    return least <= amount and (target.max_minor is None or amount <= target.max_minor)


def _variant(
    definition: Definition,
    merchant_id: str,
    unit_id: str,
    coverage: float,
    weights: Mapping[str, float],
) -> Assignment | None:
    shares = allocation(definition, coverage, weights)
    drawn = bucket(definition.salt, merchant_id, unit_id)
    for share in shares:
        if share.holds(drawn):
            return Assignment(definition.key, share.variant, unit_id, propensities(shares)[share.variant])
    return None
