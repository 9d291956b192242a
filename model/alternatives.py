"""The next best retries beside the chosen one, distinct in method, processor and day, each with why not."""

from datetime import timedelta

import numpy as np

from features.context import Context
from features.money import Money
from model.contingent import planned_attempt
from model.decision import Alternative
from model.issuer_clock import issuer_days
from model.planner import Options, Planned
from model.wording import duration_words, percent

MOST = 5
_TELLING = 0.005  # a smaller difference in probability is not a reason
_TELLING_COST = 0.25  # nor is a cost that is less than this share of what is missing

Kind = tuple[str, str, int]


def alternatives(context: Context, options: Options, planned: Planned) -> tuple[Alternative, ...]:
    """At most five, best first: the best of every other route, then the best other days."""
    kinds = _kinds(context, options)
    taken = None if planned.first is None else kinds[planned.first]
    best: dict[Kind, int] = {}
    for i in np.argsort(-planned.worth, kind="stable").tolist():
        if kinds[i] != taken:
            best.setdefault(kinds[i], i)
    routes: dict[tuple[str, str], int] = {}
    for (method_id, processor, _), i in best.items():
        if taken is None or (method_id, processor) != taken[:2]:
            routes.setdefault((method_id, processor), i)
    picked = list(dict.fromkeys([*routes.values(), *best.values()]))[:MOST]
    return tuple(_alternative(options, planned, i) for i in sorted(picked, key=lambda i: (-planned.worth[i], i)))


def _kinds(context: Context, options: Options) -> list[Kind]:
    """(method, processor, issuer's local day) of each option: what makes two different enough to be shown apart."""
    days = issuer_days(context, options.retries)
    return [(retry.method_id, retry.processor, day) for retry, day in zip(options.retries, days, strict=True)]


def _alternative(options: Options, planned: Planned, index: int) -> Alternative:
    attempt = planned_attempt(options, planned.values, index)
    why = _why_not(options, planned, index)
    plan_value = Money(round(float(planned.worth[index])), planned.values.currency)
    return Alternative(attempt.retry, attempt.score, attempt.value, plan_value, why)


def _why_not(options: Options, planned: Planned, index: int) -> str:
    value = planned.values[index]
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
