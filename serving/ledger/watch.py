"""A look, a few times a second, at what has no time-out of its own; what takes too long is ended from outside."""

import threading
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

Watched = TypeVar("Watched", bound=Hashable)

_GLANCES = 10  # within the time that is allowed
_LONGEST_PAUSE_S = 0.25


class Watch(Generic[Watched]):
    """Begins its thread with the first that it is given, and ends it when it is closed.

    Args:
        seconds: How long anything may take.
        end: Ends what takes longer; called once for each, from the thread of the watch. It raises nothing.
    """

    def __init__(self, name: str, seconds: float, end: Callable[[Watched], None]) -> None:
        self._name, self._seconds, self._end = name, seconds, end
        self._since: dict[Watched, float] = {}
        self._starting = threading.Lock()
        self._closed: threading.Event | None = None

    def begin(self, one: Watched) -> None:
        """Something begins; the same again only once it is over."""
        self._since[one] = monotonic()
        if self._closed is None:
            self._start()

    def over(self, one: Watched) -> None:
        """It is over, in whatever way."""
        self._since.pop(one, None)

    def close(self) -> None:
        """Look no longer, until something begins again."""
        with self._starting:
            if self._closed is not None:
                self._closed.set()
                self._closed = None

    def _start(self) -> None:
        with self._starting:
            if self._closed is None:
                self._closed = threading.Event()
                threading.Thread(target=self._look, args=(self._closed,), name=self._name, daemon=True).start()

    def _look(self, closed: threading.Event) -> None:
        while not closed.wait(min(self._seconds / _GLANCES, _LONGEST_PAUSE_S)):
            oldest = monotonic() - self._seconds
            for one, since in self._since.copy().items():
                if since < oldest and self._since.pop(one, None) is not None:
                    self._end(one)
