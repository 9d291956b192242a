"""Several payments that share a card's limits, planned together: its attempts go where they add most.

What a limit of the method leaves is divided among the payments before each is planned by itself:

1. Of every method that several payments could use, the rules' engine says how many attempts its limits leave,
   counting the limits that the payments share (a limit keyed by the payment binds each alone).
2. Where the payments' own plans want more than that, each payment's plan is valued with 0, 1, 2 … attempts of the
   method, and the attempts are divided so that the sum is highest: the dynamic program over payments, which for values
   with falling increments is the same as giving each attempt to whom it adds most (van de Geer, Wang & Bhulai 2018).
3. The finished paths are held against the engine together, in order of time and all declined; a payment whose attempt
   would break a limit is cut there.

The division is exact for one shared method. Several are divided one after another, scarcest first. Every planned
attempt counts as made, though a payment that recovers early leaves its rest to others: they get it when they are next
planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.errors import InvalidValueError
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, event_of
from model.economics import Economics
from model.limits import Limits
from model.planner import Case, Draft, Planned, drafts_of
from model.planning.imagined import after_declines
from model.planning.referee import Referee
from model.scorer import Scorer

Floats = NDArray[np.float64]


def allocate(worth: Sequence[Sequence[float]], budget: int) -> tuple[int, ...]:
    """How many of a budget of attempts each payment gets, so that what they are worth together is highest.

    Args:
        worth: For each payment what it is worth with 0, 1, 2 … attempts; at least with none.
        budget: How many attempts there are.

    Ties give fewer attempts, to the payments listed first.

    >>> allocate([[0, 5, 6], [0, 4, 7]], 2)
    (1, 1)
    """
    best = np.zeros(budget + 1)
    given: list[NDArray[np.int64]] = []
    for values in worth:
        own = np.asarray(values, dtype=np.float64)
        table = np.full((budget + 1, len(own)), -np.inf)
        for k in range(min(len(own), budget + 1)):
            table[k:, k] = best[: budget + 1 - k] + own[k]
        given.append(np.argmax(table, axis=1).astype(np.int64))
        best = table.max(axis=1)
    left, shares = budget, []
    for choice in reversed(given):
        shares.append(int(choice[left]))
        left -= shares[-1]
    return tuple(reversed(shares))


def plan_together(
    cases: Sequence[Case], scorer: Scorer, rulebook: Rulebook, economics: Economics
) -> tuple[Planned, ...]:
    """The plans of payments of one merchant, in their order, that keep every limit also together.

    A method is the same for two payments if its id is. Every case must know the attempts of all of them.

    Raises:
        InvalidValueError: The payments belong to several merchants or are in several currencies.
    """
    _require_common(cases)
    drafts = drafts_of(cases, scorer, rulebook, economics)
    quotas: list[dict[str, int]] = [dict(case.quota) for case in cases]
    planned = [draft.planned(quota) for draft, quota in zip(drafts, quotas, strict=True)]
    shared = _shared_left(cases, rulebook)
    for method_id, left in sorted(shared.items(), key=lambda item: (item[1], item[0])):
        wanted = [_uses(draft, plan, method_id) for draft, plan in zip(drafts, planned, strict=True)]
        if sum(wanted) <= left:
            continue
        worth = [_worths(draft, quota, method_id, left) for draft, quota in zip(drafts, quotas, strict=True)]
        for place, share in enumerate(allocate(worth, left)):
            quotas[place][method_id] = share
        planned = [draft.planned(quota) for draft, quota in zip(drafts, quotas, strict=True)]
    return _cut(cases, planned, rulebook)


def _require_common(cases: Sequence[Case]) -> None:
    merchants = {case.context.payment.merchant_id for case in cases}
    currencies = {case.context.payment.amount.currency for case in cases}
    if len(merchants) > 1:
        raise InvalidValueError("merchant_id", ", ".join(sorted(merchants)), "payments of one merchant")
    if len(currencies) > 1:
        raise InvalidValueError("currency", ", ".join(sorted(currencies)), "payments in one currency")


def _shared_left(cases: Sequence[Case], rulebook: Rulebook) -> Mapping[str, int]:
    """Of every method that several payments could use, how many attempts the limits they share leave."""
    amounts = {case.context.payment.amount for case in cases}
    own = {KeyPart.PAYMENT} if len(amounts) == 1 else {KeyPart.PAYMENT, KeyPart.AMOUNT}
    shared = {rule.rule_id for rule in rulebook.rules if own.isdisjoint(rule.key)}
    left: dict[str, list[int]] = {}
    for case in cases:
        of_case: dict[str, int] = {}
        for retry, verdicts in zip(case.options.retries, case.options.verdicts, strict=True):
            counted = [
                v.limit - v.used for v in verdicts if v.rule_id in shared and v.limit is not None and v.used is not None
            ]
            for most in counted:
                of_case[retry.method_id] = min(of_case.get(retry.method_id, most), most)
        for method_id, most in of_case.items():
            left.setdefault(method_id, []).append(most)
    return {method_id: min(found) for method_id, found in left.items() if len(found) > 1}


def _uses(draft: Draft, planned: Planned, method_id: str) -> int:
    return sum(draft.case.options.retries[i].method_id == method_id for i in planned.path)


def _worths(draft: Draft, quota: Mapping[str, int], method_id: str, most: int) -> list[float]:
    """What the payment's plan is worth with 0, 1, 2 … attempts of the method."""
    found = [draft.planned({**quota, method_id: k}) for k in range(most + 1)]
    return [float(plan.worth[plan.path[0]]) if plan.path else 0.0 for plan in found]


def _cut(cases: Sequence[Case], planned: Sequence[Planned], rulebook: Rulebook) -> tuple[Planned, ...]:
    """The plans, each ended before its first attempt that the declines of all before it forbid."""
    steps = sorted(
        (case.options.retries[i].slot.start_micros, place, step)
        for place, (case, plan) in enumerate(zip(cases, planned, strict=True))
        for step, i in enumerate(plan.path)
    )
    ends = [len(plan.path) for plan in planned]
    made: list[Event] = []
    for _, place, step in steps:
        if step >= ends[place]:
            continue
        case = cases[place]
        path = [case.options.retries[i] for i in planned[place].path[: step + 1]]
        others = tuple(event for event in made if event.payment_id != case.context.payment.payment_id)
        limits = Limits(case.context, rulebook, replace(case.record, events=(*case.record.events, *others)))
        if not Referee(limits).after(path[:-1]).allows(path[-1]):
            ends[place] = step
            continue
        made.append(_declined(case, path))
    return tuple(replace(plan, path=plan.path[:end]) for plan, end in zip(planned, ends, strict=True))


def _declined(case: Case, path: Sequence[Retry]) -> Event:
    """The last retry of a path as a decline that counters see, at any instant of its slot."""
    payment = case.context.payment
    attempt = after_declines(case.context, path).attempts[-1]
    event = event_of(attempt, case.context.method(path[-1].method_id), payment.merchant_id)
    name = f"{payment.payment_id} {attempt.attempt_id}"
    return replace(event, attempt_id=name, latest=max(event.latest, path[-1].slot.end_micros - 1))
