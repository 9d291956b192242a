"""Secrets that a settings file names without holding them: variables of the environment, and files beside it."""

from collections.abc import Mapping
from pathlib import Path

from features.sources.problems import Problems


class SecretPlaces:
    """Reads `[{ env = "NAME" }, { file = "PATH" }]`; what cannot be used becomes a problem, which holds no secret.

    Args:
        folder: That of the settings file.
        environment: Holds secrets; None reads none of them, for whoever neither signs nor verifies.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None, problems: Problems) -> None:
        self._folder = folder
        self._environment = environment
        self._problems = problems

    @property
    def read(self) -> bool:
        """Whether secrets are read at all."""
        return self._environment is not None

    def secrets(self, place: str, listed: object, example: str) -> tuple[str, ...]:
        """Every secret of the list; an empty text stands for one that is not there."""
        if self._environment is None:
            return ()
        if not isinstance(listed, list) or not listed:
            self._problems.add(f'{place}: expected a list such as [{{ env = "{example}" }}]')
            return ()
        return tuple(self._secret(f"{place}[{i}]", one) for i, one in enumerate(listed))

    def _secret(self, place: str, one: object) -> str:
        kind, name = next(iter(one.items())) if isinstance(one, dict) and len(one) == 1 else ("", None)
        if kind not in {"env", "file"} or not isinstance(name, str):
            self._problems.add(f'{place}: expected {{ env = "NAME" }} or {{ file = "PATH" }}; no secret stands here')
            return ""
        found = (self._environment or {}).get(name, "") if kind == "env" else self._in_file(name)
        where = f"the variable {name}" if kind == "env" else f"the file {name}"
        if not found.strip():
            self._problems.add(f"{place}: {where} is not there or empty")
        return found.strip()

    def _in_file(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""
