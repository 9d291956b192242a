"""Random draws that depend only on what they are about: a seed, a purpose and keys, never on the order of asking.

The same question gets the same answer whoever asks it and whatever was asked before (common random numbers), and
a population is the same whether it is drawn at once or in blocks. The mixer is SplitMix64's finaliser (Steele, Lea
and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), applied once a key.
"""

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


class Stream(IntEnum):
    """What a draw is for. Add at the end: a new order would be a new world for every seed."""

    ISSUER = auto()
    PROCESSOR = auto()
    AFFINITY = auto()
    OUTAGE = auto()
    OUTAGE_REACH = auto()
    CUSTOMER = auto()
    METHOD = auto()
    AMOUNT = auto()
    MONEY_CYCLE = auto()
    MONEY_DAY = auto()
    MONEY_HOUR = auto()
    MOOD_PAYMENT = auto()
    MOOD_ROUTE = auto()
    MOOD_HOUR = auto()
    HOLD = auto()
    LIMIT = auto()
    STEP_UP = auto()
    TECHNICAL = auto()
    REPORTED = auto()
    CODE = auto()
    ADVICE = auto()
    MINUTE = auto()
    POLICY = auto()
    CHOICE = auto()
    CURE = auto()
    LEAVING = auto()
    ENDING = auto()


def uniform(seed: int, stream: Stream, *keys: Int64s | int) -> Float64s:
    """Independent uniforms in (0, 1), one for each row of the keys (which broadcast against each other)."""
    start = _mix_scalar(_mix_scalar(seed & _MASK) ^ (int(stream) * _GOLDEN & _MASK))
    shape = np.broadcast_shapes(*(np.shape(key) for key in keys))
    state = np.full(shape, start, dtype=np.uint64)
    for key in keys:
        state = _mix(state ^ _spread(key))
    uniforms: Float64s = ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return uniforms


def normal(seed: int, stream: Stream, *keys: Int64s | int) -> Float64s:
    """Independent standard normals, one for each row of the keys."""
    draws: Float64s = ndtri(uniform(seed, stream, *keys))
    return draws


def exponential(seed: int, stream: Stream, *keys: Int64s | int) -> Float64s:
    """Independent exponentials of mean 1, one for each row of the keys."""
    draws: Float64s = -np.log(uniform(seed, stream, *keys))
    return draws


def pick(uniforms: Float64s, weights: Float64s) -> Int64s:
    """The index that each uniform falls on when weights, (n,) or (rows, n), are laid end to end; they need no scale."""
    cumulative = np.cumsum(weights, axis=-1)
    target = uniforms * cumulative[..., -1]
    if cumulative.ndim == 1:
        chosen = np.searchsorted(cumulative, target, side="right")
    else:
        chosen = (cumulative <= target[:, None]).sum(axis=1)
    result: Int64s = np.minimum(chosen, cumulative.shape[-1] - 1).astype(np.int64)
    return result


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(_GOLDEN)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_MIX_1)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_MIX_2)
    return state ^ (state >> np.uint64(31))


def _spread(key: Int64s | int) -> NDArray[np.uint64]:
    return np.asarray(key, dtype=np.int64).astype(np.uint64) * np.uint64(_MIX_2)


def _mix_scalar(state: int) -> int:
    state = (state + _GOLDEN) & _MASK
    state = ((state ^ (state >> 30)) * _MIX_1) & _MASK
    state = ((state ^ (state >> 27)) * _MIX_2) & _MASK
    return state ^ (state >> 31)
