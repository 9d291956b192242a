"""The report of an experiment in a world held against what is true there: did it say what it had to say?

A verdict agrees where the interval that it judges by holds the true effect, where a win is better and a loss worse in
truth, and where "no difference shown" hides nothing as large as the smallest effect that was worth finding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.analysis.analysis import VariantAnalysis, metric
from experiments.analysis.effect import Effect, Interval
from experiments.analysis.verdict import Word, interval_of
from experiments.definition import HOLD_OUT, Method
from experiments.potential_outcomes import Truth
from experiments.report import Report

_SAYS: Mapping[Word, int] = {Word.WINS: 1, Word.READY: 1, Word.LOSES: -1}
_UNREAD = "the report reads no effect of it; simulate more customers"


@dataclass(frozen=True, slots=True)
class Comparison:
    """An effect as the report estimates it, beside the true one.

    Args:
        control, variant: The true values of the metric.
        estimate, interval: The report's.
    """

    metric: str
    name: str
    control: float
    variant: float
    estimate: float
    interval: Interval

    @property
    def truth(self) -> float:
        """The true effect."""
        return self.variant - self.control

    @property
    def inside(self) -> bool:
        """Whether the interval holds it."""
        return self.interval.low <= self.truth <= self.interval.high


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether what the report says of a variant, or of all of them against the hold-out, agrees with the truth."""

    name: str
    agrees: bool
    sentence: str


def judgements(report: Report, truth: Truth) -> tuple[Judgement, ...]:
    """One a variant, and one of the hold-out where there is one."""
    found = [_judged(report, truth, one) for one in report.analysis.variants]
    if report.plan.hold_out is not None:
        found.append(_lifted(report, truth))
    return tuple(found)


def comparisons(report: Report, truth: Truth) -> tuple[Comparison, ...]:
    """Every effect that the report reads and the world knows; only the primary metric's is part of a judgement."""
    found = [one for variant in report.analysis.variants for one in _of_variant(report, truth, variant)]
    lift = _lift(report, truth)
    return (*found, lift) if lift else tuple(found)


def _of_variant(report: Report, truth: Truth, one: VariantAnalysis) -> Iterator[Comparison]:
    method = report.plan.method
    primary = report.primary(one)
    read = [(primary, method)] if primary else []
    read += [(claim.effect, method) for claim in report.secondary(one)]
    read += [(rail.effect, Method.SEQUENTIAL) for rail in one.guarded if rail.effect]
    for effect, how in read:
        found = _compared(report, truth, effect, interval_of(effect, how))
        if found:
            yield found


def _compared(report: Report, truth: Truth, effect: Effect, interval: Interval) -> Comparison | None:
    control = truth.value(effect.metric, report.plan.control)
    variant = truth.value(effect.metric, effect.variant)
    if control is None or variant is None:
        return None
    return Comparison(effect.metric, effect.variant, control, variant, effect.difference, interval)


def _lift(report: Report, truth: Truth) -> Comparison | None:
    lift, name = report.analysis.lift, report.plan.primary
    if report.plan.hold_out is None or lift is None:
        return None
    added, alone = truth.lift(name), truth.value(name, HOLD_OUT)
    if added is None or alone is None:
        return None
    return Comparison(name, "treated", alone, alone + added, lift.effect.difference, lift.effect.always)


def _judged(report: Report, truth: Truth, one: VariantAnalysis) -> Judgement:
    word, effect = one.verdict.word, report.primary(one)
    found = _compared(report, truth, effect, interval_of(effect, report.plan.method)) if effect else None
    if word is Word.UNHEALTHY:
        return Judgement(one.variant, agrees=False, sentence=f"{word}, though units were drawn as planned")
    if found is None:
        return Judgement(one.variant, agrees=False, sentence=_UNREAD)
    says = _SAYS.get(word, 0)
    true_side = metric(found.metric).direction.sign * ((found.truth > 0) - (found.truth < 0))
    share = found.truth / found.control if found.control else None
    worth_finding = share is None or abs(share) >= report.definition.smallest_effect
    missed = word is Word.NO_DIFFERENCE and worth_finding
    agrees = found.inside and says in {0, true_side} and not missed
    return Judgement(
        one.variant, agrees, f"{_interval(found)}; {_word(word, true_side)}{_size(report, share, missed=missed)}"
    )


def _lifted(report: Report, truth: Truth) -> Judgement:
    name, found = "against the hold-out", _lift(report, truth)
    if found is None:
        return Judgement(name, agrees=False, sentence=_UNREAD)
    return Judgement(name, found.inside, _interval(found))


def _interval(found: Comparison) -> str:
    low, high = found.interval.low, found.interval.high
    return (
        f"the interval {low:+.4g} to {high:+.4g} {'holds' if found.inside else 'misses'} the truth {found.truth:+.4g}"
    )


def _word(word: Word, true_side: int) -> str:
    truth = {1: "the variant is better", 0: "there is no difference", -1: "the variant is worse"}[true_side]
    return f"the verdict is {word}, in truth {truth}"


def _size(report: Report, share: float | None, *, missed: bool) -> str:
    if share is None:
        return ""
    smallest = report.definition.smallest_effect
    below = abs(share) < smallest
    size = f" by {abs(share):.1%} of the control's value, {'below' if below else 'not below'} the smallest effect"
    why = ", which it was not made to find" if below else ", which it missed" if missed else ""
    return f"{size} of {smallest:.1%}{why}"
