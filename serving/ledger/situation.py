"""A proposal as the ledger stands: what it counts with, what the rules say, and what else speaks against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.instants import require_aware, to_micros
from features.vocabulary import Outcome
from model.caps.engine import Proposal, Verdict, Volumes, prepare
from model.caps.fixes import Fix
from serving.ledger.counting import Counted, Counters, Selected, Selector, counted, questions
from serving.ledger.reservations import Reason, standing_reasons
from serving.ledger.store import Transaction

_NO_VOLUMES = Volumes()


@dataclass(frozen=True, slots=True)
class Situation:
    """What the ledger knows about an attempt at an instant.

    Args:
        standings: What payment and consent say against it.
    """

    proposal: Proposal
    at: datetime
    selected: Selected
    counted: Counted
    tally: Counters
    standings: tuple[Reason, ...]

    def verdicts(self, volumes: Volumes = _NO_VOLUMES, fixes: Sequence[Fix] = ()) -> tuple[Verdict, ...]:
        """What every rule in force says, notes included."""
        return prepare(self.selected.rulebook, self.tally, self.proposal, volumes, fixes).at(self.at)

    def forbidden(self, volumes: Volumes = _NO_VOLUMES, fixes: Sequence[Fix] = ()) -> tuple[Verdict, ...]:
        """What forbids it; none where it is allowed."""
        said = prepare(self.selected.forbidding, self.tally, self.proposal, volumes, fixes).at(self.at)
        return tuple(verdict for verdict in said if not verdict.allowed)


def situation(
    transaction: Transaction, selector: Selector, proposal: Proposal, at: datetime, without: str | None = None
) -> Situation:
    """Read what the rules can look at for an attempt at an instant.

    Args:
        without: A reservation to leave out: the attempt's own.

    Raises:
        InvalidValueError: `at` has no time zone.
    """
    selected = selector.selected(proposal, require_aware("at", at))
    near, standings = transaction.ask(*questions(proposal))
    found = counted(transaction, proposal, at, selected.reach, near)
    tally = found.tally(to_micros(at), without=without)
    own = [e for e in found.events if e.outcome is Outcome.APPROVED and e.payment_id == proposal.payment.payment_id]
    paying = max(own, key=lambda event: event.at, default=None)
    return Situation(proposal, at, selected, found, tally, tuple(standing_reasons(proposal, standings, paying)))
