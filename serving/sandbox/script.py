"""What processors answer in a sandbox: rules in order, the first that fits an attempt answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.vocabulary import Outcome


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """One answer of a processor.

    Args:
        code: Raw decline code as the processor would send it.
    """

    outcome: Outcome
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Answers for the attempts that fit; what is None fits all.

    Args:
        answers: To the payment's attempts in the sandbox in their order, the last one from there on.
        not_before: Fits attempts from this instant on.
        before: Fits attempts before this instant.
    """

    answers: tuple[ToldAnswer, ...]
    payment_id: str | None = None
    method_id: str | None = None
    processor: str | None = None
    not_before: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that a processor is to answer.

    Args:
        earlier: How often the payment was attempted in the sandbox before.
    """

    payment_id: str
    method_id: str
    processor: str
    at: datetime
    earlier: int


APPROVED = ToldAnswer(Outcome.APPROVED)


def answer_to(rules: Sequence[Rule], tried: Tried) -> ToldAnswer:
    """What the processor answers; approved where no rule fits.

    >>> rules = [Rule((ToldAnswer(Outcome.DECLINED, "51"), APPROVED), processor="stripe")]
    >>> at = datetime(2026, 11, 23)
    >>> [answer_to(rules, Tried("inv_1", "pm_1", "stripe", at, earlier)).outcome.value for earlier in range(3)]
    ['declined', 'approved', 'approved']
    """
    for rule in rules:
        if _fits(rule, tried):
            return rule.answers[min(tried.earlier, len(rule.answers) - 1)]
    return APPROVED


def _fits(rule: Rule, tried: Tried) -> bool:
    named = (
        (rule.payment_id, tried.payment_id),
        (rule.method_id, tried.method_id),
        (rule.processor, tried.processor),
    )
    if any(wanted is not None and wanted != given for wanted, given in named):
        return False
    return (rule.not_before is None or rule.not_before <= tried.at) and (rule.before is None or tried.at < rule.before)
