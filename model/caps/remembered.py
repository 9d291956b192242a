"""What is worked out once for each rule, by its identity, since comparing or hashing a rule takes longer."""

from collections.abc import Callable
from typing import Generic, TypeVar

from model.caps.rule import CapRule

T = TypeVar("T")

_MOST = 4_096


class Remembered(Generic[T]):
    """A function of a rule that remembers its results; it holds the rules, so that no others take their identity."""

    def __init__(self, work_out: Callable[[CapRule], T]) -> None:
        self._work_out = work_out
        self._known: dict[int, tuple[CapRule, T]] = {}

    def __call__(self, rule: CapRule) -> T:
        """The result for the rule."""
        known = self._known.get(id(rule))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(rule)] = rule, self._work_out(rule)
        return known[1]
