"""Whether a policy that keeps being slow or failing is asked at all: not for a while, then once, to see."""

import threading
from dataclasses import dataclass

from model.step_down import Distrust

IN_A_ROW = 3
FIRST_REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class State:
    """Where a breaker stands.

    Args:
        troubles: In a row, since the last answer in time.
        why: What the last of them was; None without any.
        rests_until: Not asked before; None while it is asked as usual.
        rest_seconds: How long the last rest was; 0 while it is asked as usual.
    """

    troubles: int = 0
    why: Distrust | None = None
    rests_until: float | None = None
    rest_seconds: float = 0.0


def after_trouble(state: State, why: Distrust, now: float) -> State:
    """One trouble more: the third in a row begins a rest, and each one after a rest another of twice the length."""
    troubles = state.troubles + 1
    if troubles < IN_A_ROW:
        return State(troubles, why)
    rest = min(max(2.0 * state.rest_seconds, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
    return State(troubles, why, now + rest, rest)


class Breaker:
    """The state of one policy of one worker; several threads may use it.

    After a rest one caller asks again, as a probe; meanwhile the others are still kept away. What was begun before a
    rest and ends in it changes nothing, so that a rest is as long as it was meant to be.
    """

    def __init__(self) -> None:
        self._state = State()
        self._probing = False
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._state

    def resting(self, now: float) -> Distrust | None:
        """Why the policy is left alone now; None where it is asked."""
        state = self._state
        return state.why if state.rests_until is not None and now < state.rests_until else None

    def refuses(self, now: float) -> Distrust | None:
        """Why the policy is not to be asked now; None to ask it, and then to tell what came of it."""
        with self._lock:
            state = self._state
            if state.rests_until is None:
                return None
            if now < state.rests_until or self._probing:
                return state.why
            self._probing = True
            return None

    def answered(self, now: float) -> None:
        """It answered in time."""
        with self._lock:
            if self._counts(now):
                self._state, self._probing = State(), False

    def troubled(self, why: Distrust, now: float) -> None:
        """It was too slow, or failed."""
        with self._lock:
            if self._counts(now):
                self._state, self._probing = after_trouble(self._state, why, now), False

    def let_go(self) -> None:
        """Whoever asked it learnt nothing of it, because the request itself was at fault."""
        with self._lock:
            self._probing = False

    def _counts(self, now: float) -> bool:
        return self._state.rests_until is None or now >= self._state.rests_until
