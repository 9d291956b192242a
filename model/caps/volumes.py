"""What a merchant sends altogether, for thresholds that no single counter shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from features.instants import MICROS_PER_HOUR
from features.vocabulary import Network
from model.caps.rule import CapRule, Kind, Window, WindowKind
from model.caps.tally import Event
from model.caps.trigger import matches


@dataclass(frozen=True, slots=True)
class Volume:
    """One rule's count over everything of one merchant in the rule's window.

    Args:
        counted: Attempts that ended in what the rule answers to.
        of: All attempts, whatever came of them; what a share is taken of.
        resets_at: When a new billing cycle begins (int64 microseconds); None where the window rolls.
    """

    counted: int
    of: int
    resets_at: int | None = None

    def exceeds(self, rule: CapRule) -> bool:
        """Whether the rule's count or share is reached."""
        if rule.share_bps is not None:
            return self.of > 0 and self.counted * 10_000 >= rule.share_bps * self.of
        return rule.limit is not None and self.counted >= rule.limit


@dataclass(frozen=True, slots=True)
class Volumes:
    """Counts by rule; of a rule that is not in here nothing is known, and it says nothing."""

    by_rule: Mapping[str, Volume] = field(default_factory=dict)

    def of(self, rule: CapRule) -> Volume | None:
        """What is known for the rule."""
        return self.by_rule.get(rule.rule_id)


def volumes_of(rules: Iterable[CapRule], events: Iterable[tuple[Network, Event]], at: int) -> Volumes:
    """Count one merchant's events for every rule about volumes.

    Args:
        events: Each with its method's network, in any order; those after `at` are left out.
        at: The instant up to which is counted (int64 microseconds).
    """
    known = [(network, event) for network, event in events if event.at <= at]
    volumes = (rule for rule in rules if rule.kind is Kind.VOLUME)
    return Volumes({rule.rule_id: _volume(rule, known, at) for rule in volumes})


def _volume(rule: CapRule, events: list[tuple[Network, Event]], at: int) -> Volume:
    within = [e for network, e in events if network in rule.networks and _counts(rule.window, e, at)]
    counted = sum(1 for event in within if event.refused and matches(rule.after, event))
    calendar = rule.window.kind is WindowKind.CALENDAR and rule.window.span is not None
    resets = rule.window.span.period_end(at) if calendar and rule.window.span else None
    return Volume(counted, len(within), resets)


def _counts(window: Window, event: Event, at: int) -> bool:
    if window.kind is WindowKind.CALENDAR and window.span is not None:
        return window.span.period_end(event.latest) > at
    return window.hours is None or event.latest + window.hours * MICROS_PER_HOUR > at
