"""What the demonstration makes once and keeps: each stage is a Recoup command, run again only when its code changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from serving.rendering import UNKNOWN_WIDTH

_ROOT = Path(__file__).parents[2]
_REFUSED_BY_GATE = 3
_COMMAND = (sys.executable, "-c", "from serving.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Stage:
    """One command of the demonstration.

    Args:
        name: Of its stamp file.
        arguments: As they would follow `recoup` on a command line.
        packages: Folders of the code that its result depends on.
        after: The stages whose results it reads.
    """

    name: str
    arguments: tuple[str, ...]
    packages: tuple[str, ...]
    after: tuple["Stage", ...] = ()

    @property
    def key(self) -> str:
        """Changes when the arguments, the code, or a stage before it changes."""
        parts = [*self.arguments, *(stage.key for stage in self.after), *map(_digest, self.packages)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_kept(stage: Stage, home: Path) -> bool:
    """Whether the stage's result of an earlier run can be used."""
    stamp = _stamp(stage, home)
    return stamp.exists() and stamp.read_text() == stage.key


def run(stage: Stage, home: Path) -> None:
    """Run the stage and remember that it is done; a model that its gate refused counts as done.

    Raises:
        InputError: The command failed; it has said why.
    """
    _stamp(stage, home).unlink(missing_ok=True)
    ran = subprocess.run([*_COMMAND, *stage.arguments], env=environment(home), check=False)  # noqa: S603 - our own command
    if ran.returncode not in (0, _REFUSED_BY_GATE):
        raise InputError(f"the demo stopped: recoup {' '.join(stage.arguments)} ended with {ran.returncode}")
    _stamp(stage, home).write_text(stage.key)


def forget_models(home: Path) -> None:
    """Start the demo's registry over: a champion of other code would keep the new model waiting as its challenger."""
    for database in home.glob("mlflow.db*"):
        database.unlink()
    for folder in ("mlartifacts", "models"):
        shutil.rmtree(home / folder, ignore_errors=True)


def start(
    arguments: Sequence[str], home: Path, log: Path, more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a Recoup command that goes on beside us, its output in the log.

    Args:
        more: Variables of its own, over those of `environment`.
    """
    own = {**environment(home), **(more or {})}
    with log.open("wb") as out:
        return subprocess.Popen([*_COMMAND, *arguments], env=own, stdout=out, stderr=out)  # noqa: S603 - our own command


def environment(home: Path) -> Mapping[str, str]:
    """Ours, but with everything Recoup and MLflow keep under `home`: a registry in use elsewhere is never touched."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "MLFLOW_"))}
    width = {} if sys.stdout.isatty() else {"COLUMNS": str(UNKNOWN_WIDTH)}
    return width | own | {"RECOUP_HOME": str(home)}


def _stamp(stage: Stage, home: Path) -> Path:
    return home / f"{stage.name}.done"


def _digest(package: str) -> str:
    """Hash of every code and data file of a package."""
    files = sorted(path for path in (_ROOT / package).rglob("*") if path.suffix in (".py", ".toml"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
