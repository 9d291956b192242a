"""Who answers and who is asked in shadow, in the words of the HTTP interface."""

from serving.answer_schemas import Challenger, Models, NotTaken, RegistryOut
from serving.settings import MODEL_NAME
from serving.trust.current import Snapshot, Taken


def models_of(snapshot: Snapshot) -> Models:
    """Everything about the models of this worker."""
    answering = snapshot.service.answering
    return Models(
        name=MODEL_NAME,
        asked=answering.asked,
        policy_source=answering.scorer.source,
        version=answering.scorer.version,
        registered_version=answering.registered_version,
        refused=answering.refused,
        since=snapshot.since,
        prepared_seconds=round(answering.prepared_seconds, 3),
        learnt_until=answering.reliance.learnt_until,
        resting=answering.breaker.resting(snapshot.service.bounds.clock()),
        not_taken=tuple(
            NotTaken(alias=alias, registered_version=one.version, reason=one.reason, since=one.since)
            for alias, one in sorted(snapshot.not_taken.items())
        ),
        challenger=None if snapshot.challenger is None else _challenger(snapshot.challenger),
        registry=RegistryOut(
            followed=snapshot.followed,
            asked_at=snapshot.asked_at,
            unreachable_since=snapshot.away_since,
            reason=snapshot.away_because,
        ),
    )


def _challenger(taken: Taken) -> Challenger:
    answering = taken.answering
    return Challenger(
        version=answering.scorer.version,
        registered_version=answering.registered_version,
        since=taken.since,
        prepared_seconds=round(answering.prepared_seconds, 3),
        learnt_until=answering.reliance.learnt_until,
    )
