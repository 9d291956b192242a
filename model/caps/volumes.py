"""What a merchant sends altogether, for thresholds that no single counter shows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from features.instants import MICROS_PER_HOUR
from features.vocabulary import Network
from model.caps.rule import CapRule, Kind, WindowKind
from model.caps.tally import Event, carrier
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


@dataclass(frozen=True, slots=True)
class Alike:
    """Attempts of one network that no rule about volumes tells apart.

    Args:
        event: Any of them.
        attempts: How many there are.
    """

    network: Network
    event: Event
    attempts: int


def volumes_of_alike(rules: Iterable[CapRule], since: Callable[[CapRule], Iterable[Alike]], at: int) -> Volumes:
    """The volumes where attempts are known by the hour only; a rule under which nothing was sent is left out.

    Args:
        since: What was made from the rule's `first_hour` on.
        at: The instant as of which is counted (int64 microseconds).
    """
    found = {rule.rule_id: _volume(rule, since(rule), at) for rule in about_volumes(rules)}
    return Volumes({rule_id: volume for rule_id, volume in found.items() if volume.of})


def about_volumes(rules: Iterable[CapRule]) -> tuple[CapRule, ...]:
    """Those of the rules that are about volumes."""
    return tuple(rule for rule in rules if rule.kind is Kind.VOLUME)


def first_hour(rule: CapRule, at: int) -> int | None:
    """The first hour (since 1970) that reaches into the rule's window; None where all that ever was does.

    An hour that lies partly within counts whole, so that no attempt of the window is missed.
    """
    window = rule.window
    if window.kind is WindowKind.CALENDAR and window.span is not None:
        return window.span.period_begin(at) // MICROS_PER_HOUR
    return None if window.hours is None else at // MICROS_PER_HOUR - window.hours


def _volume(rule: CapRule, alike: Iterable[Alike], at: int) -> Volume:
    within = [one for one in alike if _concerned(rule, one)]
    refused = (one for one in within if one.event.refused and matches(rule.after, one.event))
    calendar = rule.window.kind is WindowKind.CALENDAR and rule.window.span is not None
    resets = rule.window.span.period_end(at) if calendar and rule.window.span else None
    return Volume(sum(one.attempts for one in refused), sum(one.attempts for one in within), resets)


def _concerned(rule: CapRule, one: Alike) -> bool:
    carried = not rule.processors or carrier(one.event.processor) in map(carrier, rule.processors)
    return carried and (not rule.networks or one.network in rule.networks) and one.network not in rule.not_networks
