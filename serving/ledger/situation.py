"""A proposal as the ledger stands: what it counts with, what the rules say, and what else speaks against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from features.instants import MICROS_PER_DAY, require_aware, to_micros
from features.vocabulary import Network, Outcome
from model.caps.engine import Proposal, Verdict, Volumes, prepare
from model.caps.fixes import Fix
from model.caps.prescreen import NONE
from serving.ledger.counting import Around, Counted, Counters, Held, all_attempts, around, counted, event_from, holds
from serving.ledger.facts import ending_of
from serving.ledger.reservations import Reason, standing_reasons
from serving.ledger.selecting import Selected, Selector
from serving.ledger.store import Row, Transaction

_NO_VOLUMES = Volumes()
_MOST_ENDS = 4_096  # ways to end that are remembered for one kind of attempt; a caller may make up any code


@dataclass(frozen=True)
class Situation:
    """What the ledger knows about an attempt at an instant; counters are made up only when somebody looks at them.

    Args:
        attempts: The rows of attempts that the rules can look at.
        held: What is held on its method, payment and mandate.
        standings: What payment and consent say against it.
        without: A reservation that is left out: the attempt's own.
    """

    proposal: Proposal
    at: datetime
    selected: Selected
    attempts: list[Row]
    held: tuple[Held, ...]
    standings: tuple[Reason, ...]
    without: str | None = None

    @cached_property
    def counted(self) -> Counted:
        """The attempts and holds as counters see them."""
        merchant_id = self.proposal.payment.merchant_id
        return counted(merchant_id, self.attempts, self.held, self.at, self.selected.reach)

    @cached_property
    def tally(self) -> Counters:
        """The counters as they stand for the attempt."""
        return self.counted.tally(to_micros(self.at), without=self.without)

    def verdicts(self, volumes: Volumes = _NO_VOLUMES, fixes: Sequence[Fix] = ()) -> tuple[Verdict, ...]:
        """What every rule in force says, notes included."""
        return prepare(self.selected.rulebook, self.tally, self.proposal, volumes, fixes).at(self.at)

    def forbidden(self, volumes: Volumes = _NO_VOLUMES, fixes: Sequence[Fix] = ()) -> tuple[Verdict, ...]:
        """What forbids it; none where it is allowed."""
        suspects = self._suspects()
        if not suspects:
            return ()
        rules = self.selected.prescreen.rulebook(suspects)
        said = prepare(rules, self.tally, self.proposal, volumes, fixes).at(self.at)
        return tuple(verdict for verdict in said if not verdict.allowed)

    def _suspects(self) -> int:
        """The rules that could forbid it, so that nearly always none has to be looked at."""
        prescreen, reach, until = self.selected.prescreen, self.selected.reach, to_micros(self.at)
        since, payment_id = reach.by_scope(until), self.proposal.payment.payment_id
        number, set_off = len(self.held), 0
        for row in self.attempts:
            number += row[9] >= since[row[0]]  # type: ignore[operator, index]  # an integer and a scope, always
        for row in (*self.attempts, *[hold.row for hold in self.held]):
            if bits := self._set_off_by(row):
                set_off |= bits if row[2] == payment_id else prescreen.elsewhere(bits)
        return prescreen.suspects(number, set_off)

    def _set_off_by(self, row: Row) -> int:
        """What an attempt that ended so sets off; many end alike."""
        selected = self.selected
        ended = (row[5], *row[11:19])
        if selected.prescreen.reads_days:
            ended = (*ended, int(row[9] or 0) // MICROS_PER_DAY)
        bits = selected.set_off.get(ended)
        if bits is None:
            event = event_from(self.proposal.payment.merchant_id, row)
            if len(selected.set_off) >= _MOST_ENDS:
                selected.set_off.clear()
            bits = selected.set_off[ended] = selected.prescreen.set_off_by(event)
            of_that_network = row[12] != Network.UNKNOWN or self.proposal.method.network is Network.UNKNOWN
            if of_that_network:  # what it sets off on a network that is not told is not known
                self._remember(ending_of(row[5], *row[11:19]), bits, approved=row[11] == Outcome.APPROVED)  # type: ignore[arg-type]  # the columns of the query, in its order
        return bits

    def _remember(self, ending: int, set_off: int, *, approved: bool) -> None:
        """Keep what is harmless, so that the next reservation need not look; an approval on its payment never is."""
        prescreen, harmless = self.selected.prescreen, self.selected.harmless
        if prescreen.elsewhere(set_off) == NONE:
            harmless.elsewhere.add(ending)
        if set_off == NONE and not approved:
            harmless.here.add(ending)


def situation(
    transaction: Transaction,
    selector: Selector,
    proposal: Proposal,
    at: datetime,
    without: str | None = None,
    near: Around | None = None,
    now: datetime | None = None,
) -> Situation:
    """Read what the rules can look at for an attempt at an instant.

    Args:
        without: A reservation to leave out: the attempt's own.
        near: What stands around it, where that is read already; it is the same through every processor.
        now: Holds whose time is over by then count no longer; all count where it is not stated.

    Raises:
        InvalidValueError: `at` has no time zone.
    """
    selected = selector.selected(proposal, require_aware("at", at))
    found = near or around(transaction, proposal)[0]
    attempts = all_attempts(transaction, proposal, to_micros(at), selected.reach, found.attempts)
    held = holds(found.held) if found.held else ()
    if now is not None:
        held = tuple(hold for hold in held if hold.expires_at > to_micros(now))
    own = [row for row in attempts if row[11] == Outcome.APPROVED and row[2] == proposal.payment.payment_id]
    paying = max(own, key=lambda row: int(row[9] or 0), default=None)
    against = tuple(standing_reasons(proposal, found.standings, paying))
    return Situation(proposal, at, selected, attempts, held, against, without)
