"""The life of a registered model: candidate, challenger, champion, rolled back; kept as aliases and a log of events.

Each event is one tag of the registered model, `recoup.event.000001` and on; they are only ever added. The champions of
the past are read from them, so that a rollback finds the one before without a second place to look
(docs/decisions/0056-life-of-a-model.md).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError
from model.artifact import CHECKSUMS
from training.evidence import PolicyEvidence
from training.gate import GateVerdict
from training.promotion import Candidate, judge_promotion
from training.tracking import Tracking, connect, unreachable

CHAMPION, CHALLENGER = "champion", "challenger"
_EVENT = "recoup.event."
_SHOWN = ("log_loss", "auc", "ece", "slope")

What = Literal["registered", "promoted", "rolled back"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a version.

    Args:
        version: Number of the version that it happened to; for a rollback, the one that stepped down.
        reasons: Sentences of the gate, or who asked.
    """

    at: datetime
    what: What
    version: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registered:
    """One registered version.

    Args:
        number: Its number in the registry.
        model_version: Content hash of its artifact.
        figures: Test figures of its run, `log_loss`, `log_loss_low`, `log_loss_high` and so on.
        passed_gate: Whether it passed the gate when it was trained.
    """

    number: str
    model_version: str
    figures: dict[str, float]
    passed_gate: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Who answers, who waits, and what happened.

    Args:
        champion_since: When it became the champion; None where no event tells.
        events: Oldest first.
    """

    champion: Registered | None
    champion_since: datetime | None
    challenger: Registered | None
    events: tuple[Event, ...]


def champions(events: Sequence[Event]) -> tuple[str, ...]:
    """The champions that were not rolled back, oldest first: a promotion adds one, a rollback takes the last away."""
    stack: list[str] = []
    for event in events:
        if event.what == "promoted":
            stack.append(event.version)
        elif event.what == "rolled back" and stack and stack[-1] == event.version:
            stack.pop()
    return tuple(stack)


class Registry:
    """The versions of one registered model.

    Args:
        now: The instant that goes into events.

    Raises:
        InputError: The tracking server or database cannot be used.
    """

    def __init__(self, tracking: Tracking, now: datetime) -> None:
        self._client, _ = connect(tracking)
        self._uri, self._name, self._now = tracking.uri, tracking.model_name, now

    def status(self) -> Status:
        """Champion, challenger, and everything that happened."""
        events = self._events()
        number = self._alias(CHAMPION)
        since = [event.at for event in events if event.what != "registered"]
        return Status(
            champion=None if number is None else self._registered(number),
            champion_since=since[-1] if since and number is not None else None,
            challenger=None if (waiting := self._alias(CHALLENGER)) is None else self._registered(waiting),
            events=events,
        )

    def enter(self, number: str, columns: str) -> Literal["champion", "challenger"]:
        """Give a new version that passed its gate its place.

        It is the champion where there is none, or where the champion was trained on other columns than this version
        of Recoup computes, so that it could not answer anyway; else the challenger, which waits for promotion.

        Args:
            columns: Digest of the columns of this version of Recoup.
        """
        self._add(Event(self._now, "registered", number))
        champion = self._alias(CHAMPION)
        theirs = None if champion is None else self._version(champion).tags.get("recoup.columns")
        if champion is None or (theirs is not None and theirs != columns):
            reason = "there was no champion" if champion is None else f"version {champion} can no longer answer"
            self._crown(number, (reason,))
            return "champion"
        self._client.set_registered_model_alias(self._name, CHALLENGER, number)
        return "challenger"

    def promote(self, number: str, evidence: PolicyEvidence | None) -> GateVerdict:
        """Make the version the champion if every condition holds; the verdict says why or why not.

        Raises:
            InputError: No such version, or it is the champion already.
        """
        champion = self._alias(CHAMPION)
        if number == champion:
            raise InputError(f"version {number} of {self._name} is the champion already")
        candidate = self._registered(number)
        incumbent = None if champion is None else self._registered(champion).model_version
        seen = Candidate(candidate.model_version, candidate.passed_gate, candidate.figures.get("slope"))
        verdict = judge_promotion(seen, incumbent, evidence)
        if verdict.passed:
            self._crown(number, tuple(check.sentence for check in verdict.checks))
        return verdict

    def artifact(self, number: str, folder: Path) -> Path:
        """A copy of the version's artifact, in a folder below the one given.

        Raises:
            InputError: No such version, or what it holds is no artifact of Recoup.
        """
        self._version(number)
        try:
            found = download_artifacts(artifact_uri=f"models:/{self._name}/{number}", dst_path=str(folder))
        except (MlflowException, OSError) as error:
            raise unreachable(self._uri, error) from None
        for checksums in sorted(Path(found).rglob(CHECKSUMS)):
            return checksums.parent
        raise InputError(f"version {number} of {self._name} holds no Recoup artifact (no {CHECKSUMS} in it)")

    def rollback(self) -> tuple[str, str]:
        """Give the alias back to the champion before; (who steps down, who is champion again).

        Raises:
            InputError: There is no champion, or none before it.
        """
        current = self._alias(CHAMPION)
        if current is None:
            raise InputError(f"{self._name} has no champion to roll back")
        past = champions(self._events())
        before = past[-2] if len(past) > 1 and past[-1] == current else None
        if before is None:
            raise InputError(f"version {current} of {self._name} is the first champion; there is none to return to")
        self._client.set_registered_model_alias(self._name, CHAMPION, before)
        self._add(Event(self._now, "rolled back", current))
        return current, before

    def _crown(self, number: str, reasons: tuple[str, ...]) -> None:
        if champions(self._events())[-1:] != ((champion := self._alias(CHAMPION)),) and champion is not None:
            # A champion of a registry older than these events: say so first, or a rollback would not find it.
            self._add(Event(self._now, "promoted", champion, ("was the champion before events were kept",)))
        self._client.set_registered_model_alias(self._name, CHAMPION, number)
        if self._alias(CHALLENGER) == number:
            self._client.delete_registered_model_alias(self._name, CHALLENGER)
        self._add(Event(self._now, "promoted", number, reasons))

    def _alias(self, alias: str) -> str | None:
        found = self._model()
        aliases: dict[str, str] = found.aliases if found else {}
        return None if (number := aliases.get(alias)) is None else str(number)

    def _version(self, number: str) -> ModelVersion:
        try:
            return self._client.get_model_version(self._name, number)
        except MlflowException:
            raise InputError(f"version {number} of {self._name} is not in the registry at {self._uri}") from None

    def _registered(self, number: str) -> Registered:
        found = self._version(number)
        metrics = self._client.get_run(found.run_id).data.metrics if found.run_id else {}
        figures = {key.removeprefix("test/"): value for key, value in metrics.items() if key.startswith("test/")}
        hashed = str(found.tags.get("recoup.model_version", "unknown"))
        return Registered(number, hashed, figures, found.tags.get("recoup.gate") == "passed")

    def _events(self) -> tuple[Event, ...]:
        found = self._model()
        tags: dict[str, str] = found.tags if found else {}
        return tuple(_event(tags[key]) for key in sorted(tags) if key.startswith(_EVENT))

    def _model(self) -> RegisteredModel | None:
        """The registered model, if there is one; asked first, this opens the registry's side of the database."""
        try:
            found = self._client.search_registered_models(f"name = '{self._name}'")
        except (MlflowException, SQLAlchemyError) as error:
            raise unreachable(self._uri, error) from None
        return found[0] if found else None

    def _add(self, event: Event) -> None:
        key = f"{_EVENT}{len(self._events()) + 1:06d}"
        text = json.dumps(
            {"at": event.at.isoformat(), "what": event.what, "version": event.version, "reasons": event.reasons}
        )
        self._client.set_registered_model_tag(self._name, key, text)


def registry(tracking: Tracking) -> Registry:
    """The registry now."""
    return Registry(tracking, datetime.now(UTC))


def _event(text: str) -> Event:
    document = json.loads(text)
    return Event(
        datetime.fromisoformat(document["at"]), document["what"], document["version"], tuple(document["reasons"])
    )
