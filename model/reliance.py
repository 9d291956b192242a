"""Where a model is to be relied upon, by what it has seen and how it was calibrated on its own test window.

A payment lies in one segment of each group: the category of its last decline, the market, the number of the attempt to
come, and the issuer of the method that failed. A model is not relied upon in a segment

- that its history never held (issuers excepted: a new one is scored by the rates of its network, country and rail); or
- where the share approved lay beyond doubt two points or more from what the model said, and the shipped prior was not
  beyond doubt worse there: to step down to what is known to be worse would be no safety.

- where the share approved lay beyond doubt two points or more from what the model said, and the shipped prior was not
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from features.context import Context
from features.errors import InputError
from features.instants import require_aware
from features.table import issuer_key
from model.failures import category_of, failures
from model.wording import CATEGORY_NAMES

OFF_BY = 0.02
"""Points of difference that are borne, as the gate and `recoup monitor` bear them."""

LATEST_ATTEMPT = 6
"""Attempts from this one on are one segment."""

CATEGORY, MARKET, ATTEMPT, ISSUER = "category", "market", "attempt", "issuer"
_ALWAYS_NEW = frozenset({ISSUER})


@dataclass(frozen=True, slots=True)
class Segment:
    """How a model did on the rows of its test window that lie in one segment.

    Args:
        gap: Share approved less the mean chance: value, and ends of its 95 % interval.
        gain: Log loss of the shipped prior less the model's, likewise; above zero the model is better.
    """

    rows: int
    gap: tuple[float, float, float]
    gain: tuple[float, float, float]

    @property
    def is_off(self) -> bool:
        """Whether the chance is beyond doubt wrong by more than is borne, and the prior may be no worse."""
        _, low, high = self.gap
        return (low > OFF_BY or high < -OFF_BY) and self.gain[1] <= 0.0

    def to_json(self) -> dict[str, object]:
        """As it stands in `model.json`."""
        names = ("value", "low", "high")
        return {
            "rows": self.rows,
            "gap": dict(zip(names, self.gap, strict=True)),
            "gain_over_prior": dict(zip(names, self.gain, strict=True)),
        }

    @classmethod
    def from_json(cls, value: object) -> "Segment":
        """What `to_json` wrote.

        Raises:
            InputError: The figures are missing or not numbers.
        """
        stated = value if isinstance(value, Mapping) else {}
        rows, gap, gain = stated.get("rows"), _figure(stated.get("gap")), _figure(stated.get("gain_over_prior"))
        if not isinstance(rows, int) or gap is None or gain is None:
            raise InputError("model.json: segments must hold rows, gap and gain_over_prior of each segment")
        return cls(rows, gap, gain)


@dataclass(frozen=True, slots=True)
class Reliance:
    """What a model says of itself.

    Args:
        seen: The segments its history held, by group; a group that is absent is not judged.
        segments: How it did in those that were judged, by group and segment.
        learnt_until: The last decision it was judged on; None where it does not say.
    """

    seen: Mapping[str, frozenset[str]]
    segments: Mapping[str, Mapping[str, Segment]]
    learnt_until: datetime | None = None

    def doubt(self, context: Context) -> str | None:
        """Why the model is not relied upon for this payment, as a sentence without its end; None where it is."""
        for group, word in segments_of(context):
            segment = self.segments.get(group, {}).get(word)
            if segment is None and group in self.seen and word not in self.seen[group]:
                return f"The model's history held no retry {_words(group, word)}"
            if segment is not None and segment.is_off:
                return f"On its test window the model was off {_words(group, word)}: {_off(segment)}"
        return None

    @classmethod
    def from_facts(cls, facts: Mapping[str, object]) -> "Reliance":
        """What an artifact's `model.json` states.

        Raises:
            InputError: It is not what it must be.
        """
        seen, segments, windows = facts.get("seen", {}), facts.get("segments", {}), facts.get("windows", {})
        if not all(isinstance(stated, Mapping) for stated in (seen, segments, windows)):
            raise InputError("model.json: seen, segments and windows must be objects")
        return cls(
            {group: frozenset(words) for group, words in _groups("seen", seen) if group not in _ALWAYS_NEW},
            {
                group: {word: Segment.from_json(figures) for word, figures in words.items()}
                for group, words in _groups("segments", segments)
            },
            _instant(windows),
        )


TAKEN_AT_ITS_WORD = Reliance({}, {})


def segments_of(context: Context) -> Iterator[tuple[str, str]]:
    """(group, segment) of each group in which the payment's place is known."""
    failed = failures(context)
    if failed:
        yield CATEGORY, str(category_of(failed[-1]))
    if context.payment.market is not None:
        yield MARKET, context.payment.market
    yield ATTEMPT, attempt_word(len(context.own_attempts) + 1)
    method = next((m for m in context.methods if failed and m.method_id == failed[-1].method_id), None)
    issuer = None if method is None else issuer_key(method.issuer.country, method.issuer.issuer_id)
    if issuer is not None:
        yield ISSUER, issuer


def attempt_word(number: int) -> str:
    """The segment of an attempt by its number in the payment.

    >>> attempt_word(2), attempt_word(9)
    ('2', '6 or later')
    """
    return str(number) if number < LATEST_ATTEMPT else f"{LATEST_ATTEMPT} or later"


def _words(group: str, word: str) -> str:
    if group == CATEGORY:
        return f"after {next((name for category, name in CATEGORY_NAMES.items() if category == word), word)}"
    return {MARKET: f"in market {word}", ATTEMPT: f"as attempt {word}", ISSUER: f"at issuer {word}"}[group]


def _off(segment: Segment) -> str:
    value, low, high = (100.0 * abs(share) for share in segment.gap)
    said = "more" if segment.gap[0] > 0 else "fewer"
    return f"{value:.1f} points {said} were approved than it said ({min(low, high):.1f} to {max(low, high):.1f})"


def _groups(name: str, stated: object) -> list[tuple[str, Mapping[str, object]]]:
    known = (CATEGORY, MARKET, ATTEMPT, ISSUER)
    groups = stated.items() if isinstance(stated, Mapping) else ()
    found = [(str(group), words) for group, words in groups if group in known]
    if not all(isinstance(words, Mapping) for _, words in found):
        raise InputError(f"model.json: {name} must hold an object for each group")
    return found


def _figure(value: object) -> tuple[float, float, float] | None:
    stated = value if isinstance(value, Mapping) else {}
    numbers = [stated.get(name) for name in ("value", "low", "high")]
    found = [float(number) for number in numbers if isinstance(number, int | float)]
    return (found[0], found[1], found[2]) if len(found) == len(numbers) else None


def _instant(windows: object) -> datetime | None:
    stated = windows.get("test_to") if isinstance(windows, Mapping) else None
    if stated is None:
        return None
    try:
        return require_aware("windows.test_to", datetime.fromisoformat(str(stated)))
    except ValueError:
        raise InputError("model.json: windows.test_to must be an instant with a time zone") from None
