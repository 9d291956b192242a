"""Who answers and who is asked in shadow, in the words of the HTTP interface.

Whoever has a key asks, and whether the service is ready anybody: where the registry and the models are, no answer says.
The log does, and the command line.
"""

import re
from pathlib import PurePath

from serving.answer_schemas import Challenger, Models, NotTaken, RegistryOut
from serving.registry import Away
from serving.settings import MODEL_NAME
from serving.trust.current import Snapshot, Taken

OUT_OF_REACH = "the registry cannot be asked; the log says why"
_ADDRESS = re.compile(r"(?: at)? ?\b[a-z][a-z0-9+.-]*://\S+")
_PATH = re.compile(r"(?<![^\s'\"(])/[^\s:;,'\")]+")


def cause_of(reason: str) -> str:
    """Why a model was not taken, without where it or the registry is; of a path the last part stays.

    >>> cause_of("no model yet: the registry sqlite:////srv/mlflow.db does not exist")
    'no model yet: the registry does not exist'
    >>> cause_of("/srv/models/3f2a/booster_0.txt: is not there")
    'booster_0.txt: is not there'
    """
    if isinstance(reason, Away):
        return OUT_OF_REACH  # the rest are a database's or a server's own words
    return _PATH.sub(lambda found: PurePath(found[0]).name, _ADDRESS.sub("", reason))


def models_of(snapshot: Snapshot) -> Models:
    """Everything about the models of this worker."""
    answering = snapshot.service.answering
    return Models(
        name=MODEL_NAME,
        asked=cause_of(answering.asked),
        policy_source=answering.scorer.source,
        version=answering.scorer.version,
        registered_version=answering.registered_version,
        refused=None if answering.refused is None else cause_of(answering.refused),
        since=snapshot.since,
        prepared_seconds=round(answering.prepared_seconds, 3),
        learnt_until=answering.reliance.learnt_until,
        resting=answering.breaker.resting(snapshot.service.bounds.clock()),
        not_taken=tuple(
            NotTaken(alias=alias, registered_version=one.version, reason=cause_of(one.reason), since=one.since)
            for alias, one in sorted(snapshot.not_taken.items())
        ),
        challenger=None if snapshot.challenger is None else _challenger(snapshot.challenger),
        registry=RegistryOut(
            followed=snapshot.followed,
            asked_at=snapshot.asked_at,
            unreachable_since=snapshot.away_since,
            reason=None if snapshot.away_since is None else OUT_OF_REACH,
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
