"""How the simulated merchant retries: a fixed schedule for some payments, a known randomisation for the others.

Both are distributions over the same grid of actions: method × processor × day × three-hour slot on the clock of the
method's issuer. The recorded propensity is the probability of the chosen cell under the policy that chose it, given
what was allowed, so that off-policy estimates need no assumption.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.draws import pick

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIXED, RANDOMISED = 0, 1
POLICIES = ("fixed-1-3-5-7", "randomised")
MOST_RETRIES = np.array([4, 6])
FIXED_DAYS = np.array([1, 3, 5, 7])

DAYS = 14
DAY_SLOTS = 8
SLOT_HOURS = 3
DEBIT_SLOT = 2  # debits are submitted once a day, 06:00 to 09:00

_STAY = 0.62  # randomised: stay with the method last tried
_STAY_ROUTE = 0.60  # and with the processor last used
_DAY_WEIGHTS = np.array([6, 14, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 3, 2], dtype=np.float64)
_FIXED_SLOTS = np.array([0, 15, 70, 15, 0, 0, 0, 0], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a policy may do next, one position a payment.

    Args:
        policy: FIXED or RANDOMISED, shape (n,).
        retries: Retries made so far, shape (n,).
        fixed_day: Days from today to the fixed schedule's next day, shape (n,).
        last_slot: Method last tried, shape (n,).
        last_processor: Processor last used, shape (n,).
        fallback: Method the merchant charges by default, or -1, shape (n,).
        allowed: Whether each cell may be used, shape (n, methods, days, slots).
        carries: Whether each processor carries each method, shape (n, methods, processors).
    """

    policy: Int64s
    retries: Int64s
    fixed_day: Int64s
    last_slot: Int64s
    last_processor: Int64s
    fallback: Int64s
    allowed: Flags
    carries: Flags

    def take(self, chosen: Int64s | slice) -> "Situation":
        """The payments at those positions."""
        return Situation(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Move:
    """The chosen cells, shape (n,); propensity 0 means that the policy makes no further attempt."""

    slot: Int64s
    processor: Int64s
    day: Int64s
    day_slot: Int64s
    propensity: Float64s


def distribution(situation: Situation) -> Float64s:
    """P(cell), shape (n, methods, processors, days, slots); sums to 1, or to 0 where the policy stops."""
    weights = np.where(
        (situation.policy == FIXED)[:, None, None, None, None], _fixed(situation), _randomised(situation)
    )
    weights *= situation.allowed[:, :, None, :, :]
    weights *= (situation.retries < MOST_RETRIES[situation.policy])[:, None, None, None, None]
    total = weights.sum(axis=(1, 2, 3, 4), keepdims=True)
    result: Float64s = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return result


def choose(situation: Situation, draws: Float64s) -> Move:
    """Choose one cell a payment with the given uniforms."""
    cells = distribution(situation)
    flat = cells.reshape(cells.shape[0], -1)
    chosen = pick(draws, flat)
    slot, processor, day, day_slot = np.unravel_index(chosen, cells.shape[1:])
    return Move(slot, processor, day, day_slot, np.take_along_axis(flat, chosen[:, None], axis=1)[:, 0])


def _randomised(situation: Situation) -> Float64s:
    """Mostly the method and processor last used, otherwise another; any day, soon rather than late; any hour."""
    methods = np.where(_one_hot(situation.last_slot, situation.allowed.shape[1]), _STAY, 1 - _STAY)
    routes = np.where(_one_hot(situation.last_processor, situation.carries.shape[2]), _STAY_ROUTE, 1 - _STAY_ROUTE)
    routes = routes[:, None, :] * situation.carries
    routes = np.divide(routes, routes.sum(axis=2, keepdims=True), out=routes, where=routes.any(axis=2, keepdims=True))
    timing = np.broadcast_to(_DAY_WEIGHTS[:, None], (DAYS, DAY_SLOTS)) * situation.allowed
    timing = _normalised(timing.reshape(*timing.shape[:2], -1)).reshape(timing.shape)
    result: Float64s = methods[:, :, None, None, None] * routes[:, :, :, None, None] * timing[:, :, None, :, :]
    return result


def _fixed(situation: Situation) -> Float64s:
    """The default method and processor on the schedule's next day, or the first allowed day after it, near 07:30."""
    methods = _one_hot(situation.fallback, situation.allowed.shape[1])
    first_route = np.argmax(situation.carries, axis=2)
    routes = _one_hot(first_route, situation.carries.shape[2]) & situation.carries
    usual = situation.allowed & (_FIXED_SLOTS > 0)
    open_days = usual.any(axis=3) & (np.arange(DAYS) >= situation.fixed_day[:, None])[:, None, :]
    days = _one_hot(np.argmax(open_days, axis=2), DAYS) & open_days
    return (
        methods[:, :, None, None, None]
        * routes[:, :, :, None, None]
        * days[:, :, None, :, None]
        * _FIXED_SLOTS[None, None, None, None, :]
    )


def _one_hot(index: Int64s, size: int) -> Flags:
    hot: Flags = index[..., None] == np.arange(size)
    return hot


def _normalised(weights: Float64s) -> Float64s:
    total = weights.sum(axis=-1, keepdims=True)
    result: Float64s = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return result
