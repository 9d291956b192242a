"""Finds out how an export file is written and opens it: format by its ending or as stated, compression by its bytes."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from features.card_number import refuse_card_number
from features.errors import InputError
from features.sources.field_reader import RawRows
from features.sources.mapping import FileFormat, FileShape
from features.sources.refusal import Fault

# Rows in memory as text at a time.
CHUNK_ROWS = 16_384
LONGEST_LINE = 1_000_000

_GZIP, _ZSTD, _PARQUET, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04"
_COMPRESSED_ENDINGS = {".gz": _GZIP, ".zst": _ZSTD, ".zstd": _ZSTD}
_FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_SNIFFED_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class Export:
    """One input file.

    Args:
        label: How the file is called in messages and in ids derived from lines: its name, or its path where two
            inputs have the same name.
        ending: Its last ending without compression, such as `.tsv`.
        size: Bytes on disk, for progress.
    """

    path: Path
    label: str
    format: FileFormat
    ending: str
    size: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A row that could not even be split into cells."""

    line: int
    fault: Fault
    original: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of one export as text.

    Args:
        original: Gives the row at a position as it came, for the quarantine file.
        consumed: Bytes of the file on disk read so far.
    """

    rows: RawRows
    malformed: Sequence[Malformed]
    original: Callable[[int], str]
    consumed: int


@dataclass(frozen=True, slots=True)
class OpenExport:
    """An export ready to be read once.

    Args:
        columns: Its columns; None where each row names its own (JSON Lines).
        chunks: Reads the rows; the argument names the columns the mapping uses.
    """

    columns: tuple[str, ...] | None
    chunks: Callable[[tuple[str, ...]], Iterator[Chunk]]


def find_exports(paths: Sequence[Path], shape: FileShape) -> tuple[Export, ...]:
    """Every input with its format, in the order given.

    Raises:
        InputError: An input is missing, empty, a folder, given twice or of no known format.
    """
    real = [path.resolve() for path in paths]
    names = [path.name for path in paths]
    for path, resolved in zip(paths, real, strict=True):
        refuse_card_number("EXPORT", str(path))
        if real.count(resolved) > 1:
            raise InputError(f"{path}: is given twice; name each export once")
    return tuple(_find(path, path.name if names.count(path.name) == 1 else str(path), shape) for path in paths)


def _find(path: Path, label: str, shape: FileShape) -> Export:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the files in it")
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    with translated(path):
        size = path.stat().st_size
    if not path.is_file():
        raise InputError(f"{path}: is a pipe or device, not a file; write it to disk first")
    if size == 0:
        raise InputError(f"{path}: is empty")
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in _COMPRESSED_ENDINGS:
        endings.pop()
    ending = endings[-1] if endings else ""
    file_format = shape.format or _FORMATS.get(ending)
    if file_format is None:
        raise InputError(
            f"{path}: its ending does not say how it is written; name it .csv, .tsv, .jsonl or .parquet "
            "(with .gz or .zst), or state format under [file] in the mapping"
        )
    return Export(path, label, file_format, ending, size)


@contextmanager
def open_text(export: Export, encoding: str) -> Iterator[tuple[io.TextIOWrapper, Callable[[], int]]]:
    """The decompressed text of an export, and a function that tells how many bytes of the file were read.

    Raises:
        InputError: The file is not what its ending says, binary, truncated or not in that encoding.
    """
    with translated(export.path), export.path.open("rb") as raw, _decompressed(raw, export) as plain:
        _refuse_binary(plain.peek(_SNIFFED_BYTES), export.path, encoding)
        # Python's utf-8-sig drops a byte order mark; utf-16 and utf-32 do so by themselves.
        codec = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
        with io.TextIOWrapper(plain, codec, newline="") as text:
            try:
                yield text, raw.tell
            except UnicodeError:
                line = _first_undecodable_line(export, codec)
                raise InputError(
                    f"{export.path}: line {line} is not valid {encoding}; state the file's encoding under [file] in "
                    'the mapping, for example encoding = "cp1252"'
                ) from None


def lines_of(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """The lines of a text, each bounded so that a file without line ends is refused before it fills the memory.

    Raises:
        InputError: A line is longer than a million characters.
    """
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            raise InputError(
                f"{path}: line {number} is longer than {LONGEST_LINE:,} characters; expected one row a line"
            )
        yield line


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns the errors of damaged and unreadable files into one sentence."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is truncated or damaged: {error}") from None
    except pa.ArrowException as error:
        raise InputError(f"{path}: cannot be read: {_first_sentence(error)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or _first_sentence(error)}") from None


def _first_sentence(error: Exception) -> str:
    lines = str(error).splitlines() or ["unknown error"]
    return lines[0].rstrip(".")


@contextmanager
def _decompressed(raw: BinaryIO, export: Export) -> Iterator[io.BufferedReader]:
    magic = raw.read(4)
    raw.seek(0)
    expected = _COMPRESSED_ENDINGS.get(export.path.suffix.lower())
    if expected is not None and not magic.startswith(expected):
        raise InputError(f"{export.path}: is named {export.path.suffix} but is not compressed so")
    if magic.startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as unzipped:
            # GzipFile has what BufferedReader needs of a raw stream; its stub does not say so.
            yield io.BufferedReader(cast("io.RawIOBase", unzipped), 1 << 18)
    elif magic.startswith(_ZSTD):
        with pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd") as unzipped:
            yield io.BufferedReader(unzipped, 1 << 18)
    else:
        yield io.BufferedReader(cast("io.RawIOBase", raw), 1 << 18)


def _refuse_binary(start: bytes, path: Path, encoding: str) -> None:
    if not start:
        raise InputError(f"{path}: is empty")
    if start.startswith(_PARQUET):
        raise InputError(f"{path}: is a Parquet file; name it .parquet")
    if start.startswith(_ZIP):
        raise InputError(f"{path}: is a zip archive or a spreadsheet; save it as CSV")
    if b"\0" in start and not encoding.lower().startswith(("utf-16", "utf_16", "utf16", "utf-32", "utf_32", "utf32")):
        raise InputError(
            f"{path}: is binary, not {encoding} text; for UTF-16 state encoding under [file] in the mapping"
        )


def _first_undecodable_line(export: Export, codec: str) -> int:
    with (
        export.path.open("rb") as raw,
        _decompressed(raw, export) as plain,
        io.TextIOWrapper(plain, codec, errors="replace", newline="") as text,
    ):
        return next((number for number, line in enumerate(text, start=1) if "\ufffd" in line), 1)
