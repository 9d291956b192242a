"""Which rules could forbid an attempt at all: told quickly from how many attempts there were and how each ended.

Nearly every attempt is far from every limit. Holding it against all rules in full takes far longer than seeing that no
cap can be reached with so few attempts and that nothing that happened sets a prohibition off. What is told here is
never too little: a rule that forbids the attempt is always among the suspects.
"""

from collections.abc import Iterable, Sequence

from features.decline import Decline
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.vocabulary import Outcome
from model.caps.rule import CapRule, KeyPart, Kind, Window, WindowKind
from model.caps.rulebook import Rulebook
from model.caps.tally import Counter, Event
from model.caps.trigger import matches

_SET_OFF = frozenset({Kind.PROHIBITION, Kind.CONDITION, Kind.WAIT})
_NO_CAP = 1 << 30
NONE = 0
"""The empty set of rules."""

_MOST_KNOWN = 4_096
_MOST_ENDS = 256  # ways in which attempts ended, of each
_KNOWN: "dict[int, tuple[tuple[CapRule, ...], Prescreen]]" = {}


class Prescreen:
    """The rules of one kind of attempt on one day that may forbid it. Sets of rules are numbers, a bit a rule.

    Args:
        rules: Those that bind; notes and advice are left out, because they forbid nothing.
    """

    def __init__(self, rules: Iterable[CapRule]) -> None:
        self.rules = tuple(rule for rule in rules if rule.kind is not Kind.NOTE and not rule.advises)
        bits = [(1 << place, rule) for place, rule in enumerate(self.rules)]
        self._set_off = [(bit, rule) for bit, rule in bits if rule.kind in _SET_OFF]
        self._caps = [(_harmless_below(rule), bit) for bit, rule in bits if rule.kind is Kind.CAP]
        self._caps_by_key: dict[tuple[KeyPart, ...], list[tuple[Window, int, int]]] = {}
        for bit, rule in bits:
            if rule.kind is Kind.CAP:
                self._caps_by_key.setdefault(rule.key, []).append((rule.window, _harmless_below(rule), bit))
        self._always = sum(bit for bit, rule in bits if rule.kind is not Kind.CAP and rule.kind not in _SET_OFF)
        self._of_payment = sum(bit for bit, rule in bits if KeyPart.PAYMENT in rule.key)
        self.reading_days = sum(bit for bit, rule in self._set_off if rule.after.hides)
        """Those that an attempt may set off on one day and not on another, ending alike."""
        self.reads_days = any(rule.after.hides for rule in self.rules)
        """Whether what an attempt sets off depends on its day besides how it ended."""
        self.tells_processors_apart = any(KeyPart.PROCESSOR in rule.key for rule in self.rules)
        """Whether any of them counts what one processor carries."""
        always = self._always or self.reads_days
        self.clear_below = 0 if always else min((below for below, _ in self._caps), default=_NO_CAP)
        """With fewer attempts, none of which sets anything off, no rule is a suspect; 0 where that cannot be said."""
        self._rulebooks: dict[int, Rulebook] = {}
        self._ended: dict[tuple[Outcome, Decline | None, str | None, int], int] = {}

    def set_off_by(self, event: Event) -> int:
        """The prohibitions, conditions and waits that an attempt which ended so may set off; remembered by its end."""
        if not event.refused and event.decline is None:
            return NONE
        day = event.at // MICROS_PER_DAY if self.reads_days else 0
        ended = (event.outcome, event.decline, event.network_code, day)
        bits = self._ended.get(ended)
        if bits is None:
            if len(self._ended) >= _MOST_ENDS:
                self._ended.clear()
            bits = self._ended[ended] = sum(bit for bit, rule in self._set_off if matches(rule.after, event))
        return bits

    def elsewhere(self, set_off: int) -> int:
        """Those of them that an attempt on another payment may set off too."""
        return set_off & ~self._of_payment

    def suspects(self, attempts: int, set_off: int) -> int:
        """The rules that could forbid an attempt.

        Args:
            attempts: At least as many as any cap counts in its window.
            set_off: At least everything that some attempt before it set off.
        """
        for harmless_below, bit in self._caps:
            if attempts >= harmless_below:
                set_off |= bit
        return set_off | self._always

    def bearable(self, events: Sequence[Event], counter: Counter, now: int) -> tuple[tuple[int, int], ...]:
        """(how many attempts more make it a suspect, the rule's bit) of every cap, fewest first.

        Args:
            events: Everything that was attempted.
            counter: Which of the events each cap counts.
            now: No attempt is judged before it (int64 microseconds), so that what has left a window counts no more.
        """
        found = []
        for key, caps in self._caps_by_key.items():
            held = [event for event in events if counter.holds(event, key)]
            for window, below, bit in caps:
                found.append((below - sum(_may_count(window, event, now) for event in held), bit))
        return tuple(sorted(found))

    def suspects_after(self, bearable: tuple[tuple[int, int], ...], more: int, set_off: int) -> int:
        """The same as `suspects` after so many attempts more, given what was `bearable` before them."""
        for below, bit in bearable:
            if below > more:
                break
            set_off |= bit
        return set_off | self._always

    def rulebook(self, suspects: int) -> Rulebook:
        """The suspects as rules, to be held against the counters in full."""
        found = self._rulebooks.get(suspects)
        if found is None:
            chosen = tuple(rule for place, rule in enumerate(self.rules) if suspects >> place & 1)
            found = self._rulebooks[suspects] = Rulebook(chosen)
        return found


def prescreen_of(rules: tuple[CapRule, ...]) -> Prescreen:
    """The prescreen of some rules, made once; by their identity, since comparing rules takes longer than making it."""
    known = _KNOWN.get(id(rules))
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[id(rules)] = rules, Prescreen(rules)  # holding the rules, so that no others take their id
    return known[1]


def _harmless_below(rule: CapRule) -> int:
    """Fewer attempts than this cannot use the cap up; a window that closes for good does so after the first."""
    limit = rule.limit or 0
    return min(limit, 1) if rule.window.kind is WindowKind.FROM_FIRST else limit


def _may_count(window: Window, event: Event, now: int) -> bool:
    """Whether the event can be within the window now or later; one that opened a window for good always is."""
    if window.kind is not WindowKind.ROLLING or window.hours is None:
        return True
    return event.latest + window.hours * MICROS_PER_HOUR > now
