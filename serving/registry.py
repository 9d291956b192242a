"""Which scorer answers: a given artifact, the registered champion, or the shipped prior, and why."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from features.errors import InputError, RecoupError
from model.artifact import read_artifact
from model.boosted import BoostedScorer
from model.prior import PriorScorer
from model.reliance import TAKEN_AT_ITS_WORD, Reliance
from model.scorer import Scorer
from model.worked import check_worked
from serving.asking_mlflow import told_by_program
from serving.settings import MODEL_NAME, Settings
from serving.trust.aliases import Named, NoRegistryError, aliases_in, is_quick
from serving.trust.breaker import Breaker


@dataclass(frozen=True, slots=True)
class Champion:
    """The artifact folder of the registered version that carries the alias.

    Args:
        made: What tells it from another one of that number (`Named.made`); None where that is not known.
    """

    folder: Path
    version: str
    made: str | None = None

    @property
    def named(self) -> Named:
        """As an alias names it."""
        return Named(self.version, self.made)


class Away(str):
    """Why the registry could not be asked: it is not known whether there is a champion."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Answering:
    """The scorer that answers and how it came to.

    Args:
        asked: Where a model was looked for.
        registered_version: Its number in the registry, when it came from there.
        refused: Why no model answers, as a sentence; None when one does.
        folder: The artifact of the model that answers; None where the prior does.
        prepared_seconds: How long it took to make the scorer ready, from reading its files on.
        reliance: Where the model may be relied upon.
        breaker: How it has done of late in this process.
        made: What tells the registered version from another one of that number; None where that is not known.
    """

    scorer: Scorer
    asked: str
    registered_version: str | None = None
    refused: str | None = None
    folder: Path | None = None
    prepared_seconds: float = 0.0
    reliance: Reliance = TAKEN_AT_ITS_WORD
    breaker: Breaker = field(default_factory=Breaker, compare=False)
    made: str | None = None

    @property
    def named(self) -> Named | None:
        """The registered version that answers, as an alias names it; None where none does."""
        version = self.registered_version
        return None if version is None or self.refused is not None else Named(version, self.made)


def answering(
    settings: Settings, resolve: Callable[[Settings], Champion | str] | None = None, *, folding: bool = True
) -> Answering:
    """The scorer these settings ask for; the prior, with the reason, where the model cannot be used.

    Args:
        resolve: Finds the registered champion, or says why there is none; the registry's own when absent.
        folding: Prepare the model for speed.
    """
    if settings.model is not None:
        return prepared(settings.model, f"folder {settings.model}", None, folding=folding)
    asked = f"{MODEL_NAME}@{settings.model_alias}"
    champion = (resolve or champion_of)(settings)
    if isinstance(champion, Away):
        champion = last_fetched(settings) or champion
    if isinstance(champion, str):
        return Answering(PriorScorer(), asked, refused=champion)
    return prepared(champion.folder, asked, champion.version, champion.made, folding=folding)


def last_fetched(settings: Settings) -> Champion | None:
    """The version that carried the alias when the registry last answered, if it was ever fetched into this home."""
    try:
        told = orjson.loads(_note(settings).read_bytes())
        return Champion(Path(told["folder"]), str(told["version"]), told.get("made"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unchanged(settings: Settings, named: Named) -> Champion | None:
    """The version that the alias names, where it is the one that was fetched last and its copy is whole."""
    noted = last_fetched(settings)
    if noted is None or named.made is None or noted.named != named:
        return None
    try:
        read_artifact(noted.folder)
    except (InputError, OSError):
        return None
    return noted


def _note(settings: Settings) -> Path:
    return settings.home / "models" / f"{settings.model_alias}.json"


def _noted(champion: Champion, settings: Settings) -> Champion:
    """The champion, written down for the next start, which then need not fetch it, or cannot."""
    note = _note(settings)
    part = note.with_name(f".{note.name}.{os.getpid()}")
    with suppress(OSError):  # it is needed only where everything else fails, too
        told = {"folder": str(champion.folder), "version": champion.version}
        part.write_bytes(orjson.dumps(told if champion.made is None else {**told, "made": champion.made}))
        part.replace(note)
    return champion


def champion_of(settings: Settings) -> Champion | str:
    """The registered model with the alias, or a sentence saying why there is none; `Away` where that is not known.

    A registry that is not there although a version of it was fetched before is away: it was moved, or not mounted.
    """
    uri = settings.tracking_uri
    try:
        named = _named(uri, settings.model_alias)
    except NoRegistryError as error:
        return f"no model yet: {error}; recoup train makes one" if last_fetched(settings) is None else Away(error)
    fetched = None if named is None else _unchanged(settings, named)
    if fetched is not None:
        return fetched
    try:
        found = told_by_program(uri, "artifact", MODEL_NAME, settings.model_alias, uri, str(settings.home / "models"))
    except InputError as error:
        return Away(error)
    if "absent" in found:
        return found["absent"]
    folder, version = Path(found["folder"]), found["version"]
    made = named.made if named is not None and named.version == version else None
    return _noted(Champion(folder, version, made), settings)


def _named(uri: str, alias: str) -> Named | None:
    """What the alias names, where that is known without MLflow.

    Raises:
        NoRegistryError: There is no registry at this place.
    """
    if not is_quick(uri):
        return None
    try:
        return aliases_in(uri, (alias,)).get(alias)
    except NoRegistryError:
        raise
    except InputError:  # MLflow asks again, and says what is wrong
        return None


def read_scorer(folder: Path, *, folding: bool = True) -> BoostedScorer:
    """The scorer of an artifact folder, its checksums verified.

    Raises:
        InputError: The folder is missing or is not an untouched artifact, or here it gives other chances than it says.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected the folder of a model artifact")
    scorer = BoostedScorer(read_artifact(folder), folding=folding)
    check_worked(scorer)
    return scorer


def prepared(
    folder: Path, asked: str, version: str | None, made: str | None = None, *, folding: bool = True
) -> Answering:
    """The scorer of an artifact, ready to answer; the prior, with the reason, where it cannot be used."""
    began = time.perf_counter()
    try:
        scorer = read_scorer(folder, folding=folding)
        reliance = Reliance.from_facts(scorer.facts)
        seconds = time.perf_counter() - began
        return Answering(scorer, asked, version, None, folder, seconds, reliance, made=made)
    except RecoupError as error:
        return Answering(PriorScorer(), asked, version, refused=str(error), made=made)
