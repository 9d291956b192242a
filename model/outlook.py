"""What another policy's next action would come to: its chance, its value, and the limits it would break."""

from collections.abc import Iterator
from dataclasses import dataclass

from features.action import Action, Retry
from features.context import Context
from features.vocabulary import DeclineCategory
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.contingent import rounded
from model.economics import Economics
from model.failures import category_of, failures
from model.issuer_clock import issuer_clock
from model.policies import Policy
from model.scorer import Score, Scorer
from model.screening import verdicts_on
from model.timing import closed_day, from_payday
from model.valuation import Value, values
from model.wording import capitalized, day_words, local_date, method_words


@dataclass(frozen=True, slots=True)
class Outlook:
    """One policy's next action, judged but not taken.

    Args:
        time_zone: The issuer's clock; None for a stop.
        score, value: Of the attempt if it were made; None for a stop.
        broken: The limits it would break.
        remarks: What speaks about it, as sentences.
    """

    policy: str
    action: Action
    time_zone: str | None = None
    score: Score | None = None
    value: Value | None = None
    broken: tuple[Verdict, ...] = ()
    remarks: tuple[str, ...] = ()


def outlook(policy: Policy, context: Context, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Outlook:
    """What the policy would do next in this context, and what would be wrong with it.

    Raises:
        InvalidValueError: The payment has not failed, or a currency has no rate in the economics.
    """
    action = policy.choices([context])[0].action
    if not isinstance(action, Retry):
        return Outlook(policy.name, action)
    scores = scorer.score(context, [action])
    broken = tuple(v for v in verdicts_on(context, action, rulebook) if not v.allowed)
    return Outlook(
        policy=policy.name,
        action=action,
        time_zone=issuer_clock(context, context.method(action.method_id)).zone,
        score=rounded(scores[0]),
        value=values(context, [action], scores.probability, economics)[0],
        broken=broken,
        remarks=(*dict.fromkeys(v.sentence for v in broken), *_remarks(context, action)),
    )


def _remarks(context: Context, retry: Retry) -> Iterator[str]:
    method = context.method(retry.method_id)
    clock = issuer_clock(context, method)
    today, then = local_date(context.as_of, clock.zone), local_date(retry.slot.start, clock.zone)
    name = capitalized(method_words(method))
    if method.expires_on is not None and method.expires_on < then:
        yield f"{name} is no longer valid by then: its last day is {day_words(method.expires_on)}."
    if not method.consented:
        yield f"{name} may not be charged: the customer has not agreed to it."
    if retry.slot.end > context.payment.recover_by:
        yield f"Retries of this payment end on {day_words(context.payment.recover_by)}, before that."
    for reason in closed_day(clock, then):
        yield reason.sentence
    failed = failures(context, retry.method_id)
    if failed and category_of(failed[-1]) is DeclineCategory.INSUFFICIENT_FUNDS:
        for reason in from_payday(clock, today, then):
            yield reason.sentence
