"""Guard-rails: what the policy may not spoil by more than a margin agreed beforehand (non-inferiority).

Three answers. HELD: the interval excludes harm beyond the margin; needed before shipping, for each guard-rail by
itself, so alpha is not shared (all must hold: an intersection-union test). BREACHED: the interval lies wholly beyond
the margin; judged at any time by the always-valid interval, alpha shared among the guard-rails, since one false breach
stops the experiment. OPEN: neither yet. (Schultzberg, Ankargren & Frånberg 2024 on which errors to share.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.analysis.effect import Effect
from experiments.analysis.intervals import Tuning, always_valid_multiplier, fixed_multiplier
from experiments.analysis.multiplicity import shared
from experiments.metrics.spec import Direction
from features.errors import InvalidValueError


class State(StrEnum):
    """What is known of a guard-rail."""

    HELD = "held"
    OPEN = "open"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class GuardRail:
    """What may be lost.

    Args:
        margin: Above zero, in the metric's unit.

    Raises:
        InvalidValueError: The margin is not above zero.
    """

    metric: str
    margin: float

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise InvalidValueError(f"guard_rails[{self.metric}].margin", self.margin, "a tolerated loss above zero")


@dataclass(frozen=True, slots=True)
class Watched:
    """One guard-rail with what is known of it; an effect is None while there are too few mature units.

    Args:
        now: Of all mature units.
        planned: Of those at which the experiment is read: the same where it may be read at any time, and None before
            there are so many where it is read once.
    """

    rail: GuardRail
    direction: Direction
    now: Effect | None
    planned: Effect | None


@dataclass(frozen=True, slots=True)
class Guarded:
    """One guard-rail judged, with the effect among all mature units."""

    rail: GuardRail
    direction: Direction
    effect: Effect | None
    state: State


def judge(rails: Sequence[Watched], tuning: Tuning, alpha: float, *, sequential: bool) -> tuple[Guarded, ...]:
    """Judge all guard-rails of one variant.

    Args:
        sequential: Whether "held" is judged by the always-valid interval too (looks at any time) or by the fixed one.
    """
    share = shared(alpha, len(rails))
    return tuple(
        Guarded(one.rail, one.direction, one.now, _state(one, tuning, alpha, share, sequential)) for one in rails
    )


def _state(one: Watched, tuning: Tuning, alpha: float, share: float, sequential: bool) -> State:
    if one.now is not None:
        room, error = room_left(one.rail, one.direction, one.now)
        if room + _always(one.now, tuning, share) * error < 0:
            return State.BREACHED
    if one.planned is not None:
        room, error = room_left(one.rail, one.direction, one.planned)
        reach = _always(one.planned, tuning, alpha) if sequential else fixed_multiplier(alpha)
        if room - reach * error > 0:
            return State.HELD
    return State.OPEN


def _always(effect: Effect, tuning: Tuning, alpha: float) -> float:
    return float(always_valid_multiplier(float(sum(effect.units)), tuning, alpha))


def room_left(rail: GuardRail, direction: Direction, effect: Effect) -> tuple[float, float]:
    """How far the variant is from the margin, negative beyond it, and the standard error of that."""
    room = direction.sign * (effect.treatment - effect.control) + rail.margin
    return room, math.hypot(effect.treatment_error, effect.control_error)
