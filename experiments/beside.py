"""What is wrong between definitions: keys and salts used twice, overlapping buckets, two that would both decide."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from experiments.definition import BUCKETS, Definition, Status, Target
from experiments.definition_file import Read
from experiments.fault import Fault

Pair = tuple[str, Definition]


def clashes(reads: Sequence[Read]) -> tuple[Fault, ...]:
    """Every clash between two files, told of the later one."""
    pairs = [(one, one.definition) for one in reads if one.definition is not None]
    return tuple(
        fault
        for (first, a), (second, b) in combinations(pairs, 2)
        for fault in _between((first.file, a), (second.file, b))
        if not second.spoilt(fault.key) and not first.spoilt(fault.key)
    )


def may_meet(a: Target, b: Target) -> bool:
    """Whether a payment may be the target of both."""
    lists = (
        (a.merchants, b.merchants),
        (a.markets, b.markets),
        (a.rails, b.rails),
        (a.decline_categories, b.decline_categories),
        (((a.currency,) if a.currency else ()), ((b.currency,) if b.currency else ())),
    )
    if any(one and other and not set(one) & set(other) for one, other in lists):
        return False
    # Amounts are compared where both are of one currency; without one there are no bounds.
    least = max(a.min_minor or 0, b.min_minor or 0)
    return all(most is None or least <= most for most in (a.max_minor, b.max_minor))


def _between(first: Pair, second: Pair) -> Iterator[Fault]:
    (file, a), (other, b) = first, second
    if a.key == b.key:
        yield Fault(other, "key", b.key, f"expected a key of its own, for {file} has the same")
        return
    if a.salt == b.salt:
        yield Fault(other, "salt", b.salt, f"expected a salt of its own, or both divide alike; {file} has the same")
    if Status.CONCLUDED in {a.status, b.status} or not may_meet(a.target, b.target):
        return
    one, two = a.namespace, b.namespace
    if one.name != two.name:
        remedy = f"expected {one.name}, that of {file}, with other buckets: both would decide the same payments"
        yield Fault(other, "namespace.name", two.name, remedy)
    elif max(one.first, two.first) < min(one.end, two.end):
        span = f"{two.first} to {two.end}"
        yield Fault(other, "namespace", span, f"expected buckets that {file} does not use: {_free(one.first, one.end)}")


def _free(first: int, end: int) -> str:
    parts = [f"first = {a}, end = {b}" for a, b in ((0, first), (end, BUCKETS)) if b > a]
    return " or ".join(parts) or f"it uses all {BUCKETS}, so leave some of them"
