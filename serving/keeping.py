"""Keeps every decision that is answered, with all that it was made from, before it is answered."""

import zlib
from dataclasses import replace
from datetime import datetime

from features.action import Retry
from features.context import Context
from features.instants import to_micros
from model.decision import Decision, StopReason
from model.record import Record
from model.versions_json import economics_to_json, rulebook_to_json
from serving.kept_content import packed
from serving.ledger.decisions import Headline, KeptDecision, keep_version, kept_beside
from serving.ledger.ledger import Ledger
from serving.ledger.store import Question
from serving.service import Service


def keep(ledger: Ledger, kept: KeptDecision) -> None:
    """Keep a decision that nothing is held for, together with those that others keep at the moment.

    Raises:
        InputError: The ledger takes nothing in.
    """
    ledger.together.write(kept_beside(kept))


def beside_hold(kept: KeptDecision, reservation_id: str) -> Question:
    """The statement that keeps a decision in the transaction of what is held for it."""
    return kept_beside(replace(kept, headline=replace(kept.headline, reservation_id=reservation_id)))


def kept_decision(
    decision: Decision, context: Context, record: Record, answer: bytes, answered_at: datetime
) -> KeptDecision:
    """A decision as it is kept.

    Args:
        context, record: What it was made from.
        answer: The body of the answer, without a reservation.
    """
    content = packed(context, record, answer, decision.stepped_down)
    return KeptDecision(headline_of(decision, context, to_micros(answered_at)), content)


def headline_of(decision: Decision, context: Context, answered_at: int, reservation_id: str | None = None) -> Headline:
    """What is kept of a decision in columns; all but the arguments follows from it and its context."""
    action, versions = decision.choice.action, decision.versions
    retry, stop = (action, None) if isinstance(action, Retry) else (None, action)
    return Headline(
        merchant_id=context.payment.merchant_id,
        decision_id=decision.decision_id,
        payment_id=decision.payment_id,
        as_of=to_micros(decision.as_of),
        answered_at=answered_at,
        reservation_id=reservation_id,
        policy=decision.policy,
        policy_source=decision.policy_source,
        model=versions.model,
        rulebook=versions.rulebook,
        economics=versions.economics,
        code=versions.code,
        action="retry" if stop is None else "hold" if stop.reason == StopReason.ON_HOLD else "stop",
        reason=None if stop is None else stop.reason,
        method_id=None if retry is None else retry.method_id,
        processor=None if retry is None else retry.processor,
        propensity=decision.choice.propensity,
    )


def keep_versions(ledger: Ledger, service: Service) -> None:
    """Keep what the service's rulebook and figures hold, once for each version.

    Raises:
        InputError: The ledger takes nothing in.
    """
    for kind, version in (("rulebook", service.rules.version), ("economics", service.economics.version)):
        if (kind, version) not in ledger.versions_kept:
            text = rulebook_to_json(service.rules) if kind == "rulebook" else economics_to_json(service.economics)
            keep_version(ledger.store, kind, version, zlib.compress(text))
            ledger.versions_kept.add((kind, version))
