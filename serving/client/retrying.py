"""When to try again: only what does no harm twice, after a pause drawn at random, a bounded number of times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from serving.client.calls import Answer, Call, refusal_of, retry_after

_SAFE_METHODS = frozenset({"GET", "PUT", "DELETE"})
_AGAIN = frozenset({429, 502, 503, 504})
_IN_PROGRESS = "in-progress"
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast to try again.

    Args:
        tries: How often at most, the first included.
        first_pause_s: The longest first pause; each next one may be twice as long.
        longest_pause_s: No pause is longer, but where the service asks for more.
        patience_s: A pause that the service asks for and that is longer ends the tries.
    """

    tries: int = 5
    first_pause_s: float = 0.2
    longest_pause_s: float = 10.0
    patience_s: float = 60.0


NO_RETRIES = RetryPolicy(tries=1)


@dataclass
class Retrying:
    """The tries of one call."""

    policy: RetryPolicy
    draw: Callable[[], float] = field(default_factory=lambda: Random().random)
    made: int = 0

    def pause_after_failure(self, one: Call[Answer]) -> float | None:
        """How long to wait before the next try after no answer came; None where it must not or need not be tried."""
        return self._pause(0.0) if _harmless(one) else None

    def pause_after(self, one: Call[Answer], status: int, headers: Mapping[str, str], content: bytes) -> float | None:
        """How long to wait before the next try after this answer; None for one that is final."""
        if status in one.accepts or not _harmless(one):
            return None
        busy = status == _CONFLICT and refusal_of(status, headers, content).slug == _IN_PROGRESS
        if status not in _AGAIN and not busy:
            return None
        return self._pause(retry_after(headers) or 0.0)

    def _pause(self, asked: float) -> float | None:
        """A random part of a pause that doubles (full jitter), and at least what the service asks for."""
        self.made += 1
        if self.made >= self.policy.tries or asked > self.policy.patience_s:
            return None
        longest = min(self.policy.longest_pause_s, self.policy.first_pause_s * 2.0 ** (self.made - 1))
        return asked + longest * self.draw()


def _harmless(one: Call[Answer]) -> bool:
    """Whether twice is as good as once."""
    return one.method in _SAFE_METHODS or one.only_reads or one.idempotency_key is not None
