"""The verdict in plain words, with the sentence that justifies it. The first line that applies is the answer:

    1. unhealthy             the split is not what was planned, or arms with one policy differ: nothing is concluded
    2. guard-rail breached   a guard-rail is lost beyond its margin, at any time
    3. collecting            too few mature units or few that outweigh the rest, or before the minimum run
    4. loses / wins          the interval of the primary metric lies wholly on one side of zero;
       ready to ship         a win with every guard-rail held
    5. collecting            no side yet, and before the planned size (by the fixed method no side is looked at before)
    6. no difference shown   no side at the planned size

A broken split comes before harm, because harm computed on it may be the split's doing. Harm comes before everything
else. A loss by the sequential method may end an experiment after its minimum run; before that the first days speak only
for themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.analysis.effect import Effect, Interval
from experiments.analysis.guard_rails import Guarded, State
from experiments.analysis.split import ALARM, SplitCheck
from experiments.definition import Method
from experiments.metrics.spec import Direction


class Word(StrEnum):
    """The verdict."""

    COLLECTING = "collecting"
    UNHEALTHY = "unhealthy"
    NO_DIFFERENCE = "no difference shown"
    WINS = "wins"
    LOSES = "loses"
    BREACHED = "guard-rail breached"
    READY = "ready to ship"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict on one variant depends on.

    Args:
        effect: On the primary metric, at the alpha of the verdict; None while there are too few mature units.
        days_run: Since the first exposure.
        planned_units: Mature units of control and variant at which the planned power is reached.
        same_policy: An A/A test: a difference is an error of the machinery.
        unreadable: Why there is no effect, where that is not for want of units.
    """

    split: SplitCheck
    effect: Effect | None
    direction: Direction
    guarded: Sequence[Guarded]
    days_run: float
    minimum_days: float
    planned_units: int
    method: Method
    same_policy: bool = False
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word and its reason."""

    word: Word
    sentence: str


def verdict(evidence: Evidence) -> Verdict:
    """Judge one variant against its control."""
    if not evidence.split.healthy:
        return Verdict(Word.UNHEALTHY, _split_sentence(evidence.split))
    breached = [one for one in evidence.guarded if one.state is State.BREACHED]
    if breached and evidence.same_policy:
        return Verdict(Word.UNHEALTHY, f"Both arms run the same policy and yet {_breach_sentence(breached[0])}")
    if breached:
        return Verdict(Word.BREACHED, _breach_sentence(breached[0]))
    if evidence.effect is None:
        few = "Too few units are mature to estimate an uncertainty; nothing is shown yet."
        return Verdict(Word.COLLECTING, evidence.unreadable or few)
    if evidence.days_run < evidence.minimum_days:
        return Verdict(
            Word.COLLECTING,
            f"Day {evidence.days_run:.0f} of a minimum run of {evidence.minimum_days:.0f} days; no verdict before.",
        )
    return _on_effect(evidence, evidence.effect)


def side(effect: Effect, direction: Direction, method: Method) -> int:
    """+1 where the method's interval lies wholly on the better side of zero, -1 on the worse, 0 where it holds zero."""
    interval = interval_of(effect, method)
    if interval.low > 0:
        return direction.sign
    return -direction.sign if interval.high < 0 else 0


def interval_of(effect: Effect, method: Method) -> Interval:
    """The interval that the method judges by."""
    return effect.always if method is Method.SEQUENTIAL else effect.fixed


def _on_effect(evidence: Evidence, effect: Effect) -> Verdict:
    units, planned = sum(effect.units), evidence.planned_units
    early = units < planned
    found = 0 if early and evidence.method is Method.FIXED else side(effect, evidence.direction, evidence.method)
    shown = describe(effect, evidence.method)
    if found and evidence.same_policy:
        return Verdict(Word.UNHEALTHY, f"Both arms run the same policy and yet differ: {shown}.")
    if found > 0:
        return _winning(evidence, shown)
    if found < 0:
        return Verdict(Word.LOSES, f"The variant is worse: {shown}.")
    if early:
        reason = "looked at once, at the planned size" if evidence.method is Method.FIXED else shown
        return Verdict(Word.COLLECTING, f"{units:,} of {planned:,} planned units are mature; {reason}.")
    if evidence.same_policy:
        return Verdict(Word.NO_DIFFERENCE, f"As it should be, both arms running the same policy: {shown}.")
    return Verdict(
        Word.NO_DIFFERENCE, f"At {units:,} mature units, {planned:,} planned, the interval holds zero: {shown}."
    )


def _winning(evidence: Evidence, shown: str) -> Verdict:
    still_open = [one.rail.metric for one in evidence.guarded if one.state is not State.HELD]
    if still_open:
        return Verdict(
            Word.WINS,
            f"The variant is better: {shown}; not yet shown to be within the margin: {', '.join(still_open)}.",
        )
    held = ", ".join(one.rail.metric for one in evidence.guarded)
    rails = f"within the margin: {held}" if held else "no guard-rail is defined"
    return Verdict(Word.READY, f"The variant is better: {shown}; {rails}.")


def describe(effect: Effect, method: Method) -> str:
    """The effect in one phrase."""
    interval = interval_of(effect, method)
    kind = "always-valid" if method is Method.SEQUENTIAL else "fixed-horizon"
    level = f"{100 * (1 - effect.alpha):.4g} %"
    return (
        f"{effect.metric} {effect.treatment:.4g} in {effect.variant} against {effect.control:.4g} in control, "
        f"a difference of {effect.difference:+.4g} ({level} {kind} interval {interval.low:+.4g} to "
        f"{interval.high:+.4g}, {sum(effect.units):,} mature units)"
    )


def _split_sentence(split: SplitCheck) -> str:
    counts = ", ".join(
        f"{name} {split.counted[name]:,} where {split.expected[name]:,.0f} were expected" for name in split.counted
    )
    return (
        f"Units did not arrive as planned: {counts} (always-valid p {split.anytime_p:.2g}, below {ALARM:g}); "
        "outcomes are withheld until the cause is found."
    )


def _breach_sentence(guarded: Guarded) -> str:
    rail, effect = guarded.rail, guarded.effect
    shown = describe(effect, Method.SEQUENTIAL) if effect else rail.metric
    return f"{rail.metric} is worse by more than its margin of {rail.margin:.4g}: {shown}."
