"""Definitions of experiments from their files: one folder, read whole, every fault at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.beside import clashes
from experiments.checking import Known, check
from experiments.definition import Definition
from experiments.definition_file import Read, read_definition
from experiments.fault import Fault
from features.errors import InputError, InvalidValueError


@dataclass(frozen=True, slots=True)
class Folder:
    """The definitions of a folder, in the order of their files."""

    reads: tuple[Read, ...]

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Those that can be used at all."""
        return tuple(read.definition for read in self.reads if read.definition is not None and not read.faults)

    def of(self, key: str) -> Definition:
        """The experiment of a key.

        Raises:
            InvalidValueError: There is none.
            InputError: Its file has faults.
        """
        return self._read(key)[0]

    def path_of(self, key: str) -> Path:
        """The file of an experiment.

        Raises:
            InvalidValueError, InputError: As for `of`.
        """
        return Path(self._read(key)[1])

    def rewritten(self, path: Path, text: str) -> "Folder":
        """The folder as it would be with another text in one file."""
        file = str(path)
        return Folder(tuple(read_definition(text, file) if read.file == file else read for read in self.reads))

    def _read(self, key: str) -> tuple[Definition, str]:
        for read in self.reads:
            if read.definition is not None and read.definition.key == key:
                if read.faults:
                    raise InputError(" ".join(fault.sentence for fault in read.faults))
                return read.definition, read.file
        known = sorted(definition.key for definition in self.definitions)
        raise InvalidValueError("key", key, f"an experiment of the folder: {', '.join(known) or 'there is none'}")


def folder_at(path: Path) -> Folder:
    """The definitions of a folder.

    Raises:
        InputError: It is no folder, or a file cannot be read.
    """
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; expected one of definitions, such as experiments/definitions")
    return Folder(read_files([path]))


def read_files(paths: Sequence[Path]) -> tuple[Read, ...]:
    """The definitions in files and in the folders among them, each file once.

    Raises:
        InputError: A file cannot be read.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path])]
    return tuple(read_definition(_text(file), str(file)) for file in dict.fromkeys(files))


def faults_in(reads: Sequence[Read], known: Known) -> tuple[Fault, ...]:
    """Everything that is wrong with definitions, each alone and beside the others."""
    return (*(fault for read in reads for fault in check(read, known)), *clashes(reads))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"the definition {path} cannot be read: {reason}") from None
