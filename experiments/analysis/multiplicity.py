"""Several claims at once: Holm's p-values for the secondary metrics, so that a wrong one appears in 5 % of experiments.

Holm (1979) rather than a false discovery rate: secondary metrics are few, each is read as a claim of its own, and
metrics of the same payments are correlated in ways nobody can state; Holm holds under any dependence, and for
always-valid p-values at any look. Its intervals are Bonferroni's, which agree with it on the first rejection and are
wider after.
"""

from collections.abc import Mapping


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p-values by name: compare each with alpha."""
    adjusted: dict[str, float] = {}
    so_far = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda one: p_values[one])):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = so_far
    return {name: adjusted[name] for name in p_values}


def shared(alpha: float, claims: int) -> float:
    """Bonferroni's share of alpha for each of so many claims."""
    return alpha / max(claims, 1)
