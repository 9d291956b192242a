"""From a decision that makes no retry to what its merchant is told."""

from model.decision import Decision, Removed, StopReason, Topic
from serving.ledger.recoveries import LimitReached, Stopped

# What passes by itself, or is ended by what the ledger is told; everything else ends the recovery.
_PASSING = frozenset({StopReason.ALREADY_PAID, StopReason.CANCELLED, StopReason.ON_HOLD, StopReason.ATTEMPT_PENDING})
_NOTHING_TO_DO = "nothing:"


def stopped_by(decision: Decision) -> Stopped:
    """What a stop means: whether it is for good, what only the payer can do, which limits are in the way.

    Limits end the recovery only where none of its methods will ever be allowed again.
    """
    stop = decision.stop
    reason = StopReason(stop.reason) if stop else StopReason.NO_ALLOWED_ACTION
    if reason in _PASSING:
        return Stopped(reason.value, for_good=False)
    limited = reason is StopReason.NO_ALLOWED_ACTION
    # Where somebody else was faster by a moment there is no limit to name, and nothing for the payer to do.
    passing = limited and not decision.removed
    told = () if passing or reason is StopReason.OPTED_OUT else decision.payer_could
    return Stopped(
        reason=reason.value,
        for_good=_never(decision.removed) if limited else True,
        sentences=tuple(r.sentence for r in decision.reasons if r.topic in {Topic.FAILURE, Topic.STOP}),
        payer_could=tuple(step for step in told if not step.startswith(_NOTHING_TO_DO)),
        limits=tuple(_limit(removed) for removed in decision.removed) if limited else (),
    )


def _never(removed: tuple[Removed, ...]) -> bool:
    """Whether every method meets a rule that forbids all its retries and never allows one again."""
    dead = {one.method_id for one in removed if one.verdict.frees_at is None and one.removed == one.proposed}
    return bool(removed) and dead == {one.method_id for one in removed}


def _limit(removed: Removed) -> LimitReached:
    verdict = removed.verdict
    return LimitReached(
        verdict.rule_id, removed.method_id, verdict.sentence, verdict.used, verdict.limit, verdict.frees_at
    )
