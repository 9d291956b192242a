"""Why a policy did not answer and the next one down did: the words for it, and the sentence a person reads."""

from dataclasses import dataclass
from enum import StrEnum

from model.scorer import ScoreSource


class Distrust(StrEnum):
    """Why a policy was not relied upon."""

    MISSING = "missing"  # no model is loaded
    STALE = "stale"  # it has learnt from nothing for longer than it may
    OUTSIDE_CALIBRATION = "outside_calibration"  # its own test window speaks against it here, or says nothing
    SLOW = "slow"  # it did not answer within its share of the time
    BUSY = "busy"  # its turn did not come within its share of the time
    FAILING = "failing"  # it ended in an error


@dataclass(frozen=True, slots=True)
class StepDown:
    """One policy that did not answer.

    Args:
        policy_source: Whose answer it would have been: `model` or `prior`.
        sentence: Why, in words that hold for every decision with the same cause.
    """

    policy_source: ScoreSource
    why: Distrust
    sentence: str
