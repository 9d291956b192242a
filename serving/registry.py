"""Which scorer answers: a given artifact, the registered champion, or the shipped prior, and why."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from features.errors import InputError, RecoupError
from model.artifact import read_artifact
from model.boosted import BoostedScorer
from model.prior import PriorScorer
from model.scorer import Scorer
from serving.settings import MODEL_NAME, Settings

# The tracker reports its use to its makers unless it is told not to.
UNTRACKED = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
_SQLITE = "sqlite:///"
_SECONDS_TO_RESOLVE = 120


@dataclass(frozen=True, slots=True)
class Champion:
    """The artifact folder of the registered version that carries the alias."""

    folder: Path
    version: str


@dataclass(frozen=True, slots=True)
class Answering:
    """The scorer that answers and how it came to.

    Args:
        asked: Where a model was looked for.
        registered_version: Its number in the registry, when it came from there.
        refused: Why no model answers, as a sentence; None when one does.
        folder: The artifact of the model that answers; None where the prior does.
        prepared_seconds: How long it took to make the scorer ready, from reading its files on.
    """

    scorer: Scorer
    asked: str
    registered_version: str | None = None
    refused: str | None = None
    folder: Path | None = None
    prepared_seconds: float = 0.0


def answering(
    settings: Settings, resolve: Callable[[Settings], Champion | str] | None = None, *, folding: bool = True
) -> Answering:
    """The scorer these settings ask for; the prior, with the reason, where the model cannot be used.

    Args:
        resolve: Finds the registered champion, or says why there is none; the registry's own when absent.
        folding: Prepare the model for speed.
    """
    if settings.model is not None:
        return _from_folder(settings.model, f"folder {settings.model}", None, folding=folding)
    asked = f"{MODEL_NAME}@{settings.model_alias}"
    champion = (resolve or champion_of)(settings)
    if isinstance(champion, str):
        return Answering(PriorScorer(), asked, refused=champion)
    return _from_folder(champion.folder, asked, champion.version, folding=folding)


def champion_of(settings: Settings) -> Champion | str:
    """The registered model with the alias, or a sentence saying why there is none."""
    uri = settings.tracking_uri
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        return f"no model yet: the registry {uri} does not exist; recoup train makes one"
    program = [sys.executable, "-m", "serving.champion", MODEL_NAME, settings.model_alias, uri]
    try:
        ran = subprocess.run(  # noqa: S603 - our own program, arguments passed as a list
            [*program, str(settings.home / "models")],
            capture_output=True,
            timeout=_SECONDS_TO_RESOLVE,
            check=True,
            env=os.environ | UNTRACKED,
        )
    except subprocess.TimeoutExpired:
        return f"the registry at {uri} did not answer within {_SECONDS_TO_RESOLVE} seconds"
    except subprocess.CalledProcessError as error:
        return f"the registry at {uri} cannot be read: {_last_line(error.stderr)}"
    found: dict[str, str] = orjson.loads(ran.stdout)
    return found["absent"] if "absent" in found else Champion(Path(found["folder"]), found["version"])


def read_scorer(folder: Path, *, folding: bool = True) -> BoostedScorer:
    """The scorer of an artifact folder, its checksums verified.

    Raises:
        InputError: The folder is missing or is not an untouched artifact.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected the folder of a model artifact")
    return BoostedScorer(read_artifact(folder), folding=folding)


def _from_folder(folder: Path, asked: str, version: str | None, *, folding: bool) -> Answering:
    began = time.perf_counter()
    try:
        scorer = read_scorer(folder, folding=folding)
        return Answering(scorer, asked, version, folder=folder, prepared_seconds=time.perf_counter() - began)
    except RecoupError as error:
        return Answering(PriorScorer(), asked, version, refused=str(error))


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
