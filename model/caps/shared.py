"""The events that share a proposal's counters, sought once for each key."""

from model.caps.rule import CapRule, KeyPart
from model.caps.tally import Counter, Event, Tally

# A key with one of these parts can only hold events that share it.
_NARROWING = frozenset({KeyPart.METHOD, KeyPart.MANDATE, KeyPart.PAYMENT})


class Shared:
    """What a tally holds for one proposal; many rules count by the same key."""

    def __init__(self, tally: Tally, counter: Counter) -> None:
        self._tally = tally
        self._near = tally.about(counter)
        self.near = self._near.events
        self._counter = counter
        self._known: dict[tuple[tuple[KeyPart, ...], bool], tuple[Event, ...]] = {}

    def events(self, rule: CapRule, *, resets: bool) -> tuple[Event, ...]:
        """The events of the rule's counter, oldest first; after its last approval only, where approvals reset it."""
        asked = (rule.key, resets)
        if asked not in self._known:
            looked_at = self._tally if _NARROWING.isdisjoint(rule.key) else self._near
            self._known[asked] = looked_at.counter(self._counter, rule.key, resets=resets)
        return self._known[asked]
