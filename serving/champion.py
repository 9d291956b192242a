"""Finds the model that carries the champion alias in MLflow; a program of its own.

The service runs it once at start (`python -m serving.champion NAME ALIAS URI FOLDER`) and reads one JSON line, so
that MLflow's code, memory and time-outs never stand in the path of a decision.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import orjson

from model.artifact import CHECKSUMS


def main(name: str, alias: str, uri: str, folder: str) -> dict[str, str]:
    """Where a copy of the aliased version's artifact is: `folder` and `version`, or `absent` with the reason."""
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)  # where training registers, whatever else the environment names
    try:
        version = str(MlflowClient(uri, uri).get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        return {"absent": f"{name}@{alias} is not in the registry: {error.message}"}
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        found = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}", dst_path=temporary)
        for checksums in sorted(Path(found).rglob(CHECKSUMS)):
            return {"folder": str(_kept(checksums, Path(folder))), "version": version}
    return {"absent": f"version {version} of {name} holds no Recoup artifact (no {CHECKSUMS} in it)"}


def _kept(checksums: Path, folder: Path) -> Path:
    """The artifact moved to a folder named by its content, so that workers starting together do not collide."""
    kept = folder / hashlib.sha256(checksums.read_bytes()).hexdigest()[:16]
    if kept.exists():
        shutil.rmtree(kept)
    checksums.parent.rename(kept)
    return kept


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(main(*sys.argv[1:5])).decode())
