"""How fast a key may ask: a bucket that fills evenly and that every request takes from."""

from dataclasses import dataclass

# A caller that was quiet may ask so many seconds' worth at once.
BURST_SECONDS = 2


@dataclass(slots=True)
class Bucket:
    """A token bucket; full at first.

    Args:
        per_second: How many tokens come in a second; it holds `BURST_SECONDS` as many.
        at: The last time it was taken from (seconds on any clock).
        tokens: What was in it then.
    """

    per_second: int
    at: float
    tokens: float

    @staticmethod
    def full(per_second: int, at: float) -> "Bucket":
        """A bucket that nothing was taken from."""
        return Bucket(per_second, at, float(per_second * BURST_SECONDS))

    def charge(self, tokens: int) -> None:
        """Take more for a request that was let in; what is not there is owed, and comes in before the next token.

        >>> bucket = Bucket.full(1, 0.0)
        >>> bucket.take(0.0), bucket.charge(3), bucket.take(0.0), bucket.take(3.0)
        (0.0, None, 3.0, 0.0)
        """
        self.tokens -= tokens

    def take(self, at: float) -> float:
        """Take a token; 0, or how many seconds to wait for the next where there is none.

        A clock that was set back brings no tokens and takes none away.

        >>> bucket = Bucket.full(1, 0.0)
        >>> [bucket.take(0.0), bucket.take(0.0), bucket.take(0.25), bucket.take(1.0)]
        [0.0, 0.0, 0.75, 0.0]
        """
        most = float(self.per_second * BURST_SECONDS)
        self.tokens = min(most, self.tokens + max(0.0, at - self.at) * self.per_second)
        self.at = at
        if self.tokens < 1.0:
            return (1.0 - self.tokens) / self.per_second
        self.tokens -= 1.0
        return 0.0
