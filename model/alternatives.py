"""The next best retries beside the chosen one, distinct in method, processor and day, each with why not."""

from datetime import timedelta

import numpy as np

from features.money import Money
from model.contingent import rounded
from model.decision import Alternative
from model.placed import Placed
from model.planner import Options, Planned
from model.valuation import Value
from model.wording import duration_words, percent

MOST = 5
_TELLING = 0.005  # a smaller difference in probability is not a reason
_TELLING_COST = 0.25  # nor is a cost that is less than this share of what is missing


def alternatives(options: Options, where: Placed, planned: Planned) -> tuple[Alternative, ...]:
    """At most five, best first: the best of every other route, then the best other days.

    Args:
        where: Where the options lie.
    """
    from model.planning.choosing import best_of_each  # loads the compiler, which only deciding needs

    groups, count = where.groups
    first = planned.first
    others = np.ones(groups.size, dtype=np.bool_) if first is None else groups != groups[first]
    best = best_of_each(groups, count, planned.worth, others)
    ranked = best[np.lexsort((best, -planned.worth[best]))].tolist()
    of_route: dict[int, int] = {}
    for i, route in zip(ranked, where.route[ranked].tolist(), strict=True):
        of_route.setdefault(route, i)
    if first is not None:
        of_route.pop(int(where.route[first]), None)
    picked = list(dict.fromkeys([*of_route.values(), *ranked[:MOST]]))[:MOST]
    return tuple([_alternative(options, planned, i) for i in sorted(picked, key=ranked.index)])


def _alternative(options: Options, planned: Planned, index: int) -> Alternative:
    value, worth = planned.values[index], Money(round(float(planned.worth[index])), planned.values.currency)
    why = _why_not(options, planned, index, value)
    return Alternative(options.retries[index], rounded(options.scores[index]), value, worth, why)


def _why_not(options: Options, planned: Planned, index: int, value: Value) -> str:
    if planned.first is None or value.net.amount_minor <= 0:
        return f"not worth it: {value.net} on average after its cost of {value.cost}"
    missing = round(float(planned.worth[planned.first] - planned.worth[index]))
    parts = _differences(options, planned, planned.first, index)
    less = f"worth {Money(missing, value.net.currency)} less" if missing > 0 else "worth the same"
    lead = f"{less} with what may follow" if planned.values.net[index] > planned.values.net[planned.first] else less
    return f"{lead}: {', '.join(parts)}" if parts else lead


def _differences(options: Options, planned: Planned, first: int, index: int) -> list[str]:
    """What speaks against the option compared with the chosen one, else what they have in common."""
    parts = []
    chance, best = options.scores.probability[index], options.scores.probability[first]
    if abs(chance - best) >= _TELLING:
        parts.append(f"{percent(chance)} likely instead of {percent(best)}")
    dearer = round(float(planned.values.cost[index] - planned.values.cost[first]))
    if dearer > 0 and dearer >= _TELLING_COST * (planned.worth[first] - planned.worth[index]):
        parts.append(f"costs {Money(dearer, planned.values.currency)} more")
    later = options.retries[index].slot.start - options.retries[first].slot.start
    if later > timedelta(0):
        parts.append(f"{duration_words(later)} later")
    return parts
