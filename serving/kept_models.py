"""The folder in which every artifact that ever answered is kept, so that its decisions can be computed again."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from features.errors import InputError
from model.artifact import CHECKSUMS

MODELS = "models"
"""Its name in the home of everything that Recoup keeps."""

_DIGITS_OF_FOLDER, _DIGITS_OF_VERSION = 16, 12


def keep_artifact(folder: Path, models: Path) -> Path:
    """Copy an artifact to where they are kept, whole or not at all; one that is kept already stays as it is.

    Args:
        models: Where artifacts are kept, each in a folder named by its content.

    Raises:
        InputError: It cannot be read or written.
    """
    try:
        name = hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest()[:_DIGITS_OF_FOLDER]
        kept = models / name
        if kept.is_dir():
            return kept
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models) as temporary:
            copy = shutil.copytree(folder, Path(temporary) / name)
            try:
                copy.rename(kept)
            except OSError:
                if not kept.is_dir():  # else another worker was faster
                    raise
    except OSError as error:
        raise InputError(f"the model {folder} cannot be kept in {models}: {error.strerror}") from None
    return kept


def folder_of(version: str, models: Path) -> Path | None:
    """The folder of the artifact of a version, if it is kept; nothing but its list of checksums is read yet."""
    for checksums in sorted(models.glob(f"*/{CHECKSUMS}")):
        if _version_in(checksums) == version:
            return checksums.parent
    return None


def _version_in(checksums: Path) -> str | None:
    """The version that an artifact of these checksums has, see `model.artifact.Artifact.version`."""
    try:
        listing = json.dumps(json.loads(checksums.read_bytes()), sort_keys=True)
    except (OSError, ValueError):
        return None
    return hashlib.sha256(listing.encode()).hexdigest()[:_DIGITS_OF_VERSION]
