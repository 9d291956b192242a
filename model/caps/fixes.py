"""What lifts a rule after a decline: details renewed, a new authorization, a settlement, the payer taking part."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from features.vocabulary import Initiator, Outcome
from model.caps.proposal import Proposal
from model.caps.rule import CapRule, FixKind, KeyPart
from model.caps.tally import Event

__all__ = ["Fix", "FixKind", "authentications", "lifted_at"]

# Those that are of a payment rather than of the method, wherever a rule counts by payment.
_OF_PAYMENT = frozenset({FixKind.AUTHORIZATION, FixKind.SETTLED})


@dataclass(frozen=True, slots=True)
class Fix:
    """Something about a method that was mended.

    Args:
        at: When (int64 microseconds, UTC).
        payment_id: The payment for which it was told; None where none was named.
        earliest: Before when it cannot have happened, where that is not the instant itself: an approval is known later
            than it was asked for, and of some attempts only the day is known.
    """

    method_id: str
    kind: FixKind
    at: int
    payment_id: str | None = None
    earliest: int | None = None

    def follows(self, event: Event) -> bool:
        """Whether it happened after the decline was known, for sure."""
        return event.known < (self.at if self.earliest is None else self.earliest)


def authentications(events: Iterable[Event], method_id: str) -> Iterator[Fix]:
    """Attempts that the customer started with the method and that were approved: the payer took part.

    A payer who was asked and answered, and was declined all the same, has proved nothing.
    """
    for event in events:
        started = event.initiator is Initiator.CUSTOMER and event.outcome is Outcome.APPROVED
        if started and event.method_id == method_id:
            yield Fix(method_id, FixKind.AUTHENTICATION, event.known, earliest=event.earliest)


def lifted_at(rule: CapRule, event: Event, proposal: Proposal, fixes: Iterable[Fix]) -> int | None:
    """From when the decline forbids the proposal no more; None where nothing has lifted it.

    Only what came after the decline was known lifts it, only on the method that is to be tried, and only where the
    rule says so for the decline's code. An authorization or settlement that was told for another payment lifts no
    rule that counts by payment.
    """
    if not rule.lifts or (rule.lifts_codes and event.network_code not in rule.lifts_codes):
        return None
    instants = (fix.at for fix in fixes if fix.follows(event) and _lifts(rule, fix, proposal))
    return min(instants, default=None)


def _lifts(rule: CapRule, fix: Fix, proposal: Proposal) -> bool:
    if fix.kind not in rule.lifts or fix.method_id != proposal.method.method_id:
        return False
    by_payment = KeyPart.PAYMENT in rule.key and fix.kind in _OF_PAYMENT
    return not by_payment or fix.payment_id == proposal.payment.payment_id
