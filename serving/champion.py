"""Finds the model that carries an alias in MLflow; a program of its own.

The service runs it when an alias has moved (`python -m serving.champion artifact NAME ALIAS URI FOLDER`), and where the
aliases of a registry cannot be read otherwise (`aliases NAME URI`), and reads one JSON line, so that MLflow's code,
memory and time-outs never stand in the path of a decision.
"""

import hashlib
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import orjson

from features.errors import InputError
from model.artifact import CHECKSUMS, read_artifact

# What a registry says of a model or an alias that it does not have; everything else says that it cannot be asked.
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})


def artifact(name: str, alias: str, uri: str, folder: str) -> dict[str, str]:
    """Where a copy of the aliased version's artifact is: `folder` and `version`, or `absent` with the reason.

    Raises:
        MlflowException: The registry cannot be asked, so that it is not known whether there is such a version.
    """
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)  # where training registers, whatever else the environment names
    try:
        version = str(MlflowClient(uri, uri).get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code not in _ABSENT:
            raise
        return {"absent": f"{name}@{alias} is not in the registry: {error.message}"}
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        found = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}", dst_path=temporary)
        for checksums in sorted(Path(found).rglob(CHECKSUMS)):
            return {"folder": str(_kept(checksums, Path(folder))), "version": version}
    return {"absent": f"version {version} of {name} holds no Recoup artifact (no {CHECKSUMS} in it)"}


def aliases(name: str, uri: str) -> dict[str, str]:
    """The version of each alias of the registered model."""
    from mlflow.tracking import MlflowClient

    found = MlflowClient(uri, uri).search_registered_models(f"name = '{name}'")
    return {str(alias): str(version) for alias, version in (found[0].aliases if found else {}).items()}


def _kept(checksums: Path, folder: Path) -> Path:
    """The artifact moved to a folder named by its content; a whole copy that stands there already stays.

    Several workers may do this at once, and others may be reading the copy: it is never taken away from under them.
    One that is not whole is kept beside it, for the service to say what is wrong with it.
    """
    kept = folder / hashlib.sha256(checksums.read_bytes()).hexdigest()[:16]
    if not _is_whole(checksums.parent):
        kept = kept.with_suffix(".broken")
    if kept.exists() and not _is_whole(kept):
        aside = Path(tempfile.mkdtemp(prefix=".broken.", dir=folder))
        with suppress(OSError):  # another worker was faster
            kept.rename(aside / kept.name)
        shutil.rmtree(aside, ignore_errors=True)
    if not kept.exists():
        with suppress(OSError):  # likewise
            checksums.parent.rename(kept)
    return kept


def _is_whole(folder: Path) -> bool:
    try:
        read_artifact(folder)
    except (InputError, OSError):
        return False
    return True


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    told = artifact(*arguments) if what == "artifact" else aliases(*arguments)
    sys.stdout.write(orjson.dumps(told).decode())
