"""A trained model as a folder of text: written once, checked whole, and read without running any code from it.

    booster_0.txt …    LightGBM's own text format, one file a booster
    calibrator.json    model/calibration.py
    encoders.json      vocabularies, approval rates as last known and as the test window began (features/encoders.py)
    columns.json       name, unit, kind and direction of each column, in the order of the matrix
    model.json         what was learnt from, counts, horizon, uncertainty
    MODEL_CARD.md      the same for people
    checksums.json     SHA-256 of every other file

The same history and settings give the same bytes: keys are sorted, numbers are shortest round-trip text, and
nothing of the clock or the machine is in it.
"""

import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from model.calibration import Calibrator, from_json, to_json

FORMAT_VERSION = 1
CHECKSUMS = "checksums.json"
CARD = "MODEL_CARD.md"
_BOOSTER = re.compile(r"booster_(0|[1-9][0-9]*)\.txt")
_JSON_FILES = ("calibrator.json", "columns.json", "encoders.json", "model.json")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One trained model.

    Args:
        boosters: LightGBM model texts; each answers with a logit, and their mean is the model's.
        encoders: JSON text as `features.encoders` wrote it.
        columns: One object a column, as `columns.json` holds them.
        facts: `model.json`: `label`, `train_from`, `uncertainty` and so on, as JSON values.
        card: The model card (Markdown).
    """

    boosters: tuple[str, ...]
    calibrator: Calibrator
    encoders: str
    columns: tuple[Mapping[str, object], ...]
    facts: Mapping[str, object]
    card: str

    @property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 over every file: the same content has the same version."""
        listing = json.dumps(_checksums(_files(self)), sort_keys=True)
        return hashlib.sha256(listing.encode()).hexdigest()[:12]


def write_artifact(artifact: Artifact, folder: Path) -> None:
    """Write the folder, whole or not at all; an artifact that stands there is replaced.

    Raises:
        InputError: The folder exists and is not an artifact, or cannot be written.
    """
    if folder.exists() and not (folder / CHECKSUMS).is_file():
        raise InputError(f"{folder}: exists and is not a model artifact; name a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            _write_into(artifact, made)
            if folder.exists():
                shutil.rmtree(folder)
            made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{folder}: the model could not be written ({error.strerror})") from None


def read_artifact(folder: Path) -> Artifact:
    """Read a folder that `write_artifact` made, every file checked against its checksum first.

    Raises:
        InputError: The folder is missing; a file is missing, changed or not listed; or the content is not
            of this format.
    """
    contents = _checked(folder)
    values = {name: _parse(folder / name, contents[name]) for name in _JSON_FILES if name in contents}
    missing = sorted({*_JSON_FILES, CARD, "booster_0.txt"} - set(contents))
    if missing:
        raise InputError(f"{folder}: is not a model artifact of format {FORMAT_VERSION}; {missing[0]} is missing")
    facts, columns = values["model.json"], values["columns.json"]
    if not isinstance(facts, dict) or facts.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{folder / 'model.json'}: format_version must be {FORMAT_VERSION}; train the model again")
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise InputError(f"{folder / 'columns.json'}: expected a list of objects, one a column")
    return Artifact(
        boosters=tuple(contents[name].decode() for name in _booster_names(contents)),
        calibrator=from_json(values["calibrator.json"]),
        encoders=contents["encoders.json"].decode(),
        columns=tuple(columns),
        facts={key: value for key, value in facts.items() if key != "format_version"},
        card=contents[CARD].decode(),
    )


def to_text(value: object) -> str:
    """JSON as it stands in an artifact: sorted keys, two spaces, no NaN, a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def finite_or_none(number: float) -> float | None:
    """The number, or None where JSON has no word for it (NaN, infinity)."""
    return number if math.isfinite(number) else None


def _files(artifact: Artifact) -> dict[str, bytes]:
    facts = {**artifact.facts, "format_version": FORMAT_VERSION}
    texts = {f"booster_{number}.txt": text for number, text in enumerate(artifact.boosters)}
    texts |= {
        "calibrator.json": to_text(to_json(artifact.calibrator)),
        "columns.json": to_text([dict(column) for column in artifact.columns]),
        "encoders.json": artifact.encoders,
        "model.json": to_text(facts),
        CARD: artifact.card,
    }
    return {name: text.encode() for name, text in texts.items()}


def _checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _write_into(artifact: Artifact, folder: Path) -> None:
    files = _files(artifact)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / CHECKSUMS).write_text(to_text(_checksums(files)), encoding="utf-8")
    folder.chmod(0o755)


def _checked(folder: Path) -> dict[str, bytes]:
    """The content of every listed file; anything missing, changed or extra is refused."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected a model artifact")
    try:
        listed = _parse(folder / CHECKSUMS, (folder / CHECKSUMS).read_bytes())
    except OSError:
        raise InputError(f"{folder}: is not a model artifact; {CHECKSUMS} is missing") from None
    if not isinstance(listed, dict):
        raise InputError(f"{folder / CHECKSUMS}: expected an object of file names and SHA-256 sums")
    extra = sorted({path.name for path in folder.iterdir()} - set(listed) - {CHECKSUMS})
    if extra:
        raise InputError(f"{folder / extra[0]}: is not listed in {CHECKSUMS}; an artifact holds nothing else")
    return {name: _content(folder, name, listed[name]) for name in sorted(listed)}


def _content(folder: Path, name: str, checksum: object) -> bytes:
    if name not in (*_JSON_FILES, CARD) and not _BOOSTER.fullmatch(name):
        raise InputError(f"{folder / CHECKSUMS}: {name!r} is not a file of a model artifact")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path}: is listed in {CHECKSUMS} but is not there as a file")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksum:
        raise InputError(f"{path}: was changed after it was written; its SHA-256 is not the one in {CHECKSUMS}")
    return content


def _parse(path: Path, content: bytes) -> object:
    try:
        parsed: object = json.loads(content)
    except ValueError:
        raise InputError(f"{path}: is not JSON") from None
    return parsed


def _booster_names(contents: Mapping[str, bytes]) -> list[str]:
    names = sorted((n for n in contents if _BOOSTER.fullmatch(n)), key=lambda n: int(n[8:-4]))
    if names != [f"booster_{number}.txt" for number in range(len(names))]:
        raise InputError(f"the boosters are not numbered from 0 without gaps: {', '.join(names)}")
    return names
