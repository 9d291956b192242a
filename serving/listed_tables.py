"""A settings file that lists tables: read whole, every fault named at once."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from features.sources.problems import Problems
from features.sources.problems import Settings as Table


@dataclass(frozen=True, slots=True)
class ListedTables:
    """The tables of a file, each with its place, and what is wrong with them so far.

    Args:
        what: The file as people name it.
    """

    what: str
    tables: tuple[tuple[str, dict[str, object]], ...]
    problems: Problems

    @classmethod
    def read(cls, path: Path, about: str, key: str, one: str) -> "ListedTables":
        """The tables under `[[key]]`.

        Args:
            about: What the file is about, such as `webhooks`.
            one: What one table sets up, such as `sender`.

        Raises:
            InputError: The file cannot be read, or is not TOML.
        """
        what = f"the file of {about} {path}"
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{what} cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError):
            raise InputError(f"{what} is not TOML") from None
        problems = Problems()
        top = Table("", document, problems)
        top.refuse_unknown((key,))
        listed = document.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
            top.problem(key, listed, f"one [[{key}]] table a {one}")
            listed = []
        return cls(what, tuple((f"{key}[{i}]", table) for i, table in enumerate(listed)), problems)

    def raise_if_any(self) -> None:
        """Refuse the file if anything was wrong.

        Raises:
            InputError: Names every fault.
        """
        self.problems.raise_if_any(self.what)
