"""The service as it is now: whoever takes a request takes one snapshot and keeps it, whatever comes after."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from serving.registry import Answering
from serving.service import Service


@dataclass(frozen=True, slots=True)
class Refusal:
    """A registered version that was not taken.

    Args:
        since: When it was refused first.
        tried_at: When it was tried last.
    """

    version: str
    reason: str
    since: datetime
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A model that was taken up, and when."""

    answering: Answering
    since: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything about who answers, at one moment.

    Args:
        since: When the model that answers was taken up; None before the first request may come.
        challenger: Who is asked in shadow.
        not_taken: By alias, the version it names that was refused.
        followed: Whether the aliases are looked at again and again.
        asked_at: When the registry last answered.
        away_since: Since when it could not be asked; None where it can.
    """

    service: Service
    since: datetime | None = None
    challenger: Taken | None = None
    not_taken: dict[str, Refusal] = field(default_factory=dict)
    followed: bool = False
    asked_at: datetime | None = None
    away_since: datetime | None = None


class Current:
    """Holds the snapshot. It is replaced whole, so that nobody ever sees half of a change."""

    def __init__(self, service: Service) -> None:
        self._snapshot = Snapshot(service)
        self._lock = Lock()

    @property
    def snapshot(self) -> Snapshot:
        """As of now."""
        return self._snapshot

    @property
    def service(self) -> Service:
        """What answers a request that comes now."""
        return self._snapshot.service

    def begin(self, now: datetime, *, followed: bool) -> None:
        """The first model is taken up."""
        self._change(lambda one: replace(one, since=now, followed=followed))

    def answer_with(self, answering: Answering, now: datetime) -> None:
        """Requests that come from now on are answered by this model; those that were begun keep theirs."""
        self._change(lambda one: replace(one, service=replace(one.service, answering=answering), since=now))

    def challenge_with(self, answering: Answering | None, now: datetime) -> None:
        """Who is asked in shadow from now on; None for nobody."""
        taken = None if answering is None else Taken(answering, now)
        self._change(lambda one: replace(one, challenger=taken))

    def refuse(self, alias: str, refusal: Refusal | None) -> None:
        """What an alias names and was not taken; None once that is over."""

        def changed(one: Snapshot) -> Snapshot:
            others = {name: earlier for name, earlier in one.not_taken.items() if name != alias}
            return replace(one, not_taken=others if refusal is None else {**others, alias: refusal})

        self._change(changed)

    def heard(self, now: datetime) -> None:
        """The registry answered."""
        self._change(lambda one: replace(one, asked_at=now, away_since=None))

    def unheard(self, now: datetime) -> None:
        """The registry could not be asked."""
        self._change(lambda one: replace(one, away_since=one.away_since or now))

    def _change(self, changed: Callable[[Snapshot], Snapshot]) -> None:
        with self._lock:
            self._snapshot = changed(self._snapshot)
