"""Picks the rules that bind an attempt, once for each kind of attempt and day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from model.caps.engine import Proposal
from model.caps.prescreen import NONE, Prescreen
from model.caps.proposal import binds
from model.caps.rule import CapRule, KeyPart, Kind
from model.caps.rulebook import Rulebook
from serving.ledger.facts import event_of
from serving.ledger.harmless import Harmless
from serving.ledger.store import Value

FOR_EVER = 1 << 62
_SELECTIONS = 4_096
# A hold as rules see it: an attempt of which nothing is known yet.
_PENDING = event_of("", "", "", "", None, "", 0, "USD", "unknown", 0, "instant", "unknown", "unknown", *(None,) * 6)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back rules look.

    Args:
        window_micros: Twice the longest window of a cap, because what counts in a window may depend on a decline a
            whole window before it; and two days, where only the day of an attempt is known.
        of_method, of_mandate: Whether some rule counts all of a method's or a mandate's attempts ever.
    """

    window_micros: int
    of_method: bool
    of_mandate: bool

    def by_scope(self, until: int) -> dict[str, int]:
        """From when on every attempt of each scope matters at an instant (microseconds since 1970)."""
        window = until - self.window_micros
        return {
            "method": -FOR_EVER if self.of_method else window,
            "mandate": -FOR_EVER if self.of_mandate else window,
            "payment": -FOR_EVER,
        }


@dataclass(frozen=True, slots=True)
class Selected:
    """The rules that bind on a day, and how far back they look.

    Args:
        prescreen: Those of them that may forbid something.
        clear_below: Fewer attempts and holds than this, all harmless, need no closer look; 0 where all need one.
        harmless: What is known so far to set nothing off.
        set_off: What attempts that ended in some way set off, remembered by how they ended.
    """

    rulebook: Rulebook
    prescreen: Prescreen
    reach: Reach
    clear_below: int
    harmless: Harmless = field(default_factory=Harmless, repr=False, compare=False)
    set_off: dict[tuple[Value, ...], int] = field(default_factory=dict, repr=False, compare=False)


class Selector:
    """Picks the rules that bind, once for each kind of attempt and day; the engine looks at them closely."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._selected: dict[tuple[object, ...], Selected] = {}

    def selected(self, proposal: Proposal, at: datetime) -> Selected:
        """The rules for such an attempt on that day (UTC)."""
        payment, method = proposal.payment, proposal.method
        kind = (
            *(method.rail, method.network, proposal.processor, proposal.initiator),
            *(payment.merchant_country, payment.market, method.issuer.country, at.date()),
        )
        found = self._selected.get(kind)
        if found is None:
            if len(self._selected) >= _SELECTIONS:
                self._selected.clear()
            found = self._selected[kind] = self._select(proposal, at.date())
        return found

    def _select(self, proposal: Proposal, day: date) -> Selected:
        about = self._rulebook.about(proposal.method.rail, proposal.method.network)
        rules = tuple(rule for rule in about if rule.in_force_on(day) and binds(rule, proposal))
        prescreen = Prescreen(rules)
        holds_are_harmless = prescreen.elsewhere(prescreen.set_off_by(_PENDING)) == NONE
        clear_below = prescreen.clear_below if holds_are_harmless else 0
        return Selected(Rulebook(rules), prescreen, reach_of(rules), clear_below)


def reach_of(rules: Iterable[CapRule]) -> Reach:
    """How far back these rules look.

    What is older than every window matters only by being the last of its kind, and that is always read. A cap
    without an end to its window needs everything; a payment's attempts are always read whole.
    """
    hours, of_method, of_mandate = 0, False, False
    for rule in rules:
        if KeyPart.PAYMENT in rule.key or rule.kind is not Kind.CAP:
            continue
        reach = rule.window.reach_hours
        hours = max(hours, reach or 0)
        of_method |= reach is None
        of_mandate |= reach is None and KeyPart.MANDATE in rule.key
    return Reach(2 * hours * MICROS_PER_HOUR + 2 * MICROS_PER_DAY, of_method, of_mandate)
