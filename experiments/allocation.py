"""Which buckets are whose: the hold-out first, then the variants in the order of their names, each from its own start.

All in whole buckets, so that every language divides alike. Coverage cuts every range at its end and never moves its
start: a higher coverage only adds buckets, and whoever was in stays in the same variant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.definition import BUCKETS, HOLD_OUT, Definition
from experiments.weights import current_weights


@dataclass(frozen=True, slots=True)
class Share:
    """The buckets of one variant, `first` to before `end`."""

    variant: str
    first: int
    end: int

    @property
    def buckets(self) -> int:
        """How many there are."""
        return self.end - self.first

    def holds(self, bucket: int) -> bool:
        """Whether a bucket is one of them."""
        return self.first <= bucket < self.end


def allocation(
    definition: Definition, coverage: float | None = None, weights: Mapping[str, float] | None = None
) -> tuple[Share, ...]:
    """The ranges of the hold-out and of the variants.

    Args:
        coverage: In place of the definition's own.
        weights: In place of the current ones.
    """
    taken = current_weights(definition) if weights is None else weights
    return divided(taken, definition.hold_out, definition.coverage if coverage is None else coverage)


def divided(weights: Mapping[str, float], hold_out: float, coverage: float) -> tuple[Share, ...]:
    """The ranges for weights that add up to 1.

    >>> divided({"plan": 0.5, "fixed": 0.5}, 0.1, 0.5)
    (Share(variant='hold-out', first=0, end=500), Share(variant='fixed', first=1000, end=3250), \
Share(variant='plan', first=5500, end=7750))
    """
    covered = in_buckets(coverage)
    return tuple(
        Share(name, first, first + (end - first) * covered // BUCKETS)
        for name, first, end in _whole(weights, in_buckets(hold_out))
    )


def propensities(shares: tuple[Share, ...]) -> Mapping[str, float]:
    """P(variant) of a unit that takes part; empty where none does."""
    taken = sum(share.buckets for share in shares)
    return {share.variant: share.buckets / taken for share in shares} if taken else {}


def in_buckets(share: float) -> int:
    """A share of all buckets, to the nearest."""
    return round(share * BUCKETS)


def _whole(weights: Mapping[str, float], held_out: int) -> Iterator[tuple[str, int, int]]:
    """Name, first bucket and end of every range at full coverage."""
    if held_out:
        yield HOLD_OUT, 0, held_out
    before, left = 0, BUCKETS - held_out
    for name, weight in sorted(weights.items()):
        after = before + in_buckets(weight)
        yield name, held_out + left * before // BUCKETS, held_out + left * after // BUCKETS
        before = after
