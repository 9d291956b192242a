"""Follows the aliases of the registry while the service runs: looks, fetches, checks, prepares, and only then takes.

Whatever goes wrong on the way, the model that answers goes on answering, and it is told why
(docs/decisions/0160-aliases-without-mlflow.md).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from features.errors import InputError
from model.prior import PriorScorer
from serving.metrics import Metrics
from serving.registry import Answering, Champion, champion_of, last_fetched, prepared
from serving.settings import MODEL_NAME, Settings, Shadow
from serving.trust.aliases import Aliases, Named, NoRegistryError, aliases_in, is_quick
from serving.trust.current import Current, Refusal
from serving.trust.warming import answer_examples

TRIED_AGAIN_AFTER = timedelta(minutes=1)
"""A version that was refused is tried again then: its files may have been out of reach for the moment."""

SLOW_LOOK_SECONDS = 60.0
"""How often a registry is looked at that can only be asked through MLflow."""


class Resolve(Protocol):
    """Finds the registered version that carries the alias of the settings, or says why there is none."""

    def __call__(self, settings: Settings) -> Champion | str:
        """It, or a sentence."""
        ...


class Look(Protocol):
    """Looks which versions these aliases name."""

    def __call__(self, uri: str, wanted: Sequence[str]) -> Aliases:
        """What each names.

        Raises:
            NoRegistryError: There is no registry at this place.
            InputError: The registry cannot be asked.
        """
        ...


class Follower:
    """Brings what is held to what the aliases name; one worker's own.

    Args:
        current: What is held.
        aliases: Looks at the registry.
        resolve: Fetches a version.
    """

    def __init__(
        self,
        current: Current,
        settings: Settings,
        metrics: Metrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        *,
        aliases: Look = aliases_in,
        resolve: Resolve = champion_of,
    ) -> None:
        self._current, self._settings, self._metrics, self._log = current, settings, metrics, log
        self._clock, self._aliases, self._resolve = clock, aliases, resolve
        found = current.service.answering
        if found.refused is not None and found.registered_version is not None:
            self._refuse(settings.model_alias, found.registered_version, found.refused)

    def look(self) -> None:
        """One look, and whatever follows from it; it may take seconds where a model has to be made ready."""
        try:
            named = self._named()
        except InputError as error:
            if self._current.snapshot.away_since is None:
                self._log.warning("registry out of reach", reason=str(error))
            self._current.unheard(self._clock())
            self._metrics.registry_away(away=True)
            return
        self._current.heard(self._clock())
        self._metrics.registry_away(away=False)
        self._follow_champion(named.get(self._settings.model_alias))
        if self._settings.shadow is Shadow.ON:
            self._follow_challenger(named.get(self._settings.challenger_alias))

    def _named(self) -> Aliases:
        """What the aliases name: nothing in a registry that never was, which is not the same as one out of reach."""
        try:
            wanted = (self._settings.model_alias, self._settings.challenger_alias)
            return self._aliases(self._settings.tracking_uri, wanted)
        except NoRegistryError:
            if self._knew_a_version():
                raise
            return {}

    def _knew_a_version(self) -> bool:
        """Whether a version of the registry is or was held, by this worker or by whoever had its home before."""
        snapshot, settings = self._current.snapshot, self._settings
        if snapshot.service.answering.registered_version is not None or snapshot.challenger is not None:
            return True
        aliases = (settings.model_alias, settings.challenger_alias)
        return any(last_fetched(replace(settings, model_alias=alias)) is not None for alias in aliases)

    def look_safely(self) -> None:
        """The same; what nobody foresaw is logged, and the next look tries anew."""
        try:
            self.look()
        except Exception:  # noqa: BLE001 - the following goes on whatever happens
            self._log.exception("following failed")

    def _follow_champion(self, named: Named | None) -> None:
        alias, held = self._settings.model_alias, self._current.service.answering.named
        if _is_same(named, held):
            self._current.refuse(alias, None)
        elif named is None:
            # Whoever takes the alias away wants no model to answer; that is not the same as a registry out of reach.
            asked = f"{MODEL_NAME}@{alias}"
            self._take(Answering(PriorScorer(), asked, refused=f"{asked} is not in the registry any more"))
        elif self._is_worth_a_try(alias, named.version):
            found = self._fetched(alias, named.version)
            if found is not None:
                self._take(found)

    def _follow_challenger(self, named: Named | None) -> None:
        alias, held = self._settings.challenger_alias, self._current.snapshot.challenger
        if named is None or _is_same(named, self._current.service.answering.named):
            self._current.refuse(alias, None)
            if held is not None:
                self._current.challenge_with(None, self._clock())
            return
        if held is not None and _is_same(named, held.answering.named):
            return
        if self._is_worth_a_try(alias, named.version):
            found = self._fetched(alias, named.version)
            if found is not None:
                self._current.challenge_with(found, self._clock())
                self._current.refuse(alias, None)
                self._log.info("challenger taken", model=found.scorer.version, registered_version=named.version)

    def _take(self, answering: Answering) -> None:
        now, scorer = self._clock(), answering.scorer
        self._current.answer_with(answering, now)
        self._current.refuse(self._settings.model_alias, None)
        self._metrics.answers_with(
            scorer.source, scorer.version, answering.registered_version, now, answering.prepared_seconds
        )
        seconds = round(answering.prepared_seconds, 3)
        self._log.info(
            "model taken",
            policy_source=scorer.source,
            model=scorer.version,
            registered_version=answering.registered_version,
            seconds=seconds,
            reason=answering.refused,
        )

    def _is_worth_a_try(self, alias: str, version: str) -> bool:
        refusal = self._current.snapshot.not_taken.get(alias)
        if refusal is None or refusal.version != version:
            return True
        return self._clock() - refusal.tried_at >= TRIED_AGAIN_AFTER

    def _fetched(self, alias: str, version: str) -> Answering | None:
        """The version, ready to answer; None where it was refused."""
        found = self._resolve(replace(self._settings, model_alias=alias))
        if isinstance(found, str):
            self._refuse(alias, version, found)
            return None
        # Asked a moment later, the alias may name another version by now: that is the one to go by.
        ready = self._ready(found, f"{MODEL_NAME}@{alias}")
        if ready.refused is None:
            return ready
        self._refuse(alias, found.version, ready.refused)
        return None

    def _ready(self, found: Champion, asked: str) -> Answering:
        """Loaded, its checksums and its own examples checked, and the worked examples of the interface answered."""
        began = time.perf_counter()
        ready = prepared(found.folder, asked, found.version, found.made)
        if ready.refused is not None:
            return ready
        try:
            answer_examples(replace(self._current.service, answering=ready), self._clock)
        except Exception as error:  # noqa: BLE001 - whatever a model does, it is not taken
            self._log.exception("model failed on a worked example", model=ready.scorer.version)
            return replace(ready, refused=f"it failed on a worked example ({type(error).__name__})")
        return replace(ready, prepared_seconds=time.perf_counter() - began)

    def _refuse(self, alias: str, version: str, reason: str) -> None:
        now, earlier = self._clock(), self._current.snapshot.not_taken.get(alias)
        same = earlier is not None and earlier.version == version
        since = earlier.since if earlier is not None and same else now
        self._current.refuse(alias, Refusal(version, reason, since, now))
        self._metrics.model_refused(alias)
        if not same:
            self._log.warning("model refused", alias=alias, registered_version=version, reason=reason)


def _is_same(one: Named | None, other: Named | None) -> bool:
    """Whether both are one version, or nothing."""
    return one is other if one is None or other is None else one.is_same(other)


@contextmanager
def following(follower: Follower | None, settings: Settings) -> Iterator[None]:
    """Look at the aliases again and again, in a thread of its own, while the block runs; nobody looks at nothing.

    Nothing waits for the thread: a model that is being fetched when the service stops is of no use any more.
    """
    if follower is None:
        yield
        return
    seconds, ended = float(settings.follow_seconds), Event()
    if not is_quick(settings.tracking_uri):
        seconds = max(seconds, SLOW_LOOK_SECONDS)

    def again_and_again() -> None:
        while not ended.wait(seconds):
            follower.look_safely()

    Thread(target=again_and_again, name="following", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
