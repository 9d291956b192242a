"""The events that share a proposal's counters, sought once for each key."""

from model.caps.remembered import Remembered
from model.caps.rule import FOUND_BY, CapRule, KeyPart
from model.caps.tally import Counter, Event, Tally

_KEYS: dict[tuple[KeyPart, ...], tuple[KeyPart, ...]] = {}
_key_of = Remembered(lambda rule: id(_KEYS.setdefault(rule.key, rule.key)))  # the same for equal keys


class Shared:
    """What a tally holds for one proposal; many rules count by the same key."""

    def __init__(self, tally: Tally, counter: Counter) -> None:
        self._tally = tally
        self._near = tally.about(counter)
        self.near = self._near.events
        self._counter = counter
        self._known: dict[tuple[int, bool], tuple[Event, ...]] = {}
        self._latest: dict[tuple[int, bool], tuple[Event, ...]] = {}

    def events(self, rule: CapRule, *, resets: bool) -> tuple[Event, ...]:
        """The events of the rule's counter, oldest first; where approvals reset it, what none of them cleared."""
        asked = (_key_of(rule), resets)
        found = self._known.get(asked)
        if found is None:
            looked_at = self._tally if FOUND_BY.isdisjoint(rule.key) else self._near
            found = self._known[asked] = looked_at.counter(self._counter, rule.key, resets=resets)
        return found

    def latest(self, rule: CapRule, *, resets: bool) -> tuple[Event, ...]:
        """The last of them that was declined, if any was; one that is pending has no reason yet and hides none."""
        asked = (_key_of(rule), resets)
        found = self._latest.get(asked)
        if found is None:
            declined = [event for event in self.events(rule, resets=resets) if event.decline is not None]
            found = self._latest[asked] = tuple(declined[-1:])
        return found
