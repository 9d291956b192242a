"""What is done to an experiment, written into its file: the status, the coverage and one more entry of the history.

The text is changed where it has to be and nowhere else, so that comments stay and a review sees what happened; then it
is read again, and must say exactly what was meant.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

from experiments.definition import Change, Definition, Entry, Status
from experiments.definition_file import read_definition
from features.errors import InputError, InvalidValueError

_FROM: Mapping[Change, frozenset[Status]] = {
    Change.STARTED: frozenset({Status.DRAFT}),
    Change.RAMPED: frozenset({Status.RUNNING}),
    Change.REWEIGHTED: frozenset({Status.RUNNING}),
    Change.STOPPED: frozenset({Status.RUNNING}),
    Change.CONCLUDED: frozenset({Status.RUNNING, Status.STOPPED}),
}
_TO: Mapping[Change, Status] = {
    Change.STARTED: Status.RUNNING,
    Change.RAMPED: Status.RUNNING,
    Change.REWEIGHTED: Status.RUNNING,
    Change.STOPPED: Status.STOPPED,
    Change.CONCLUDED: Status.CONCLUDED,
}
_FIRST_TABLE = re.compile(r"^\s*\[", re.MULTILINE)


def changed(text: str, file: str, entry: Entry) -> str:
    """The file's text after what an entry says was done.

    Raises:
        InputError: The file is no sound definition, or is written in a way that cannot be changed line by line.
        InvalidValueError: It does not stand where that can be done, or the coverage would fall.
    """
    before = _sound(text, file)
    after = _after(before, entry)
    lines, rest = _parted(text)
    if after.status is not before.status:
        lines = _with(lines, "status", f'"{after.status}"')
    if after.coverage != before.coverage:
        lines = _with(lines, "coverage", f"{after.coverage:g}")
    written = f"{lines}{rest.rstrip()}\n\n{_entry(entry)}"
    if read_definition(written, file).definition != after:
        raise InputError(f"{file} is written in a way that cannot be changed line by line; write the change by hand")
    return written


def _sound(text: str, file: str) -> Definition:
    read = read_definition(text, file)
    if read.faults or read.definition is None:
        raise InputError(" ".join(fault.sentence for fault in read.faults))
    return read.definition


def _after(before: Definition, entry: Entry) -> Definition:
    allowed = _FROM[entry.what]
    if before.status not in allowed:
        right = " or ".join(sorted(allowed))
        raise InvalidValueError("status", before.status.value, f"{right}, for an experiment to be {entry.what}")
    if entry.what is Change.RAMPED and entry.coverage is not None and entry.coverage < before.coverage:
        raise InvalidValueError(
            "--coverage",
            entry.coverage,
            f"at least {before.coverage:g}, so that who is in stays in; stop takes nobody new",
        )
    if before.history and entry.at < before.history[-1].at:
        raise InvalidValueError("at", entry.at.isoformat(), f"an instant from {before.history[-1].at.isoformat()} on")
    coverage = before.coverage if entry.coverage is None else entry.coverage
    return replace(before, status=_TO[entry.what], coverage=coverage, history=(*before.history, entry))


def _parted(text: str) -> tuple[str, str]:
    """The keys before the first table, and the rest."""
    found = _FIRST_TABLE.search(text)
    return (text, "") if found is None else (text[: found.start()], text[found.start() :])


def _with(lines: str, key: str, value: str) -> str:
    line = re.compile(rf"^{key}\s*=\s*[^#\n]*?(?=\s*(?:#.*)?$)", re.MULTILINE)
    if line.search(lines):
        return line.sub(f"{key} = {value}", lines, count=1)
    return f"{lines.rstrip()}\n{key} = {value}\n\n"


def _entry(entry: Entry) -> str:
    stated: dict[str, str] = {
        "at": entry.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "what": _quoted(entry.what),
        "by": _quoted(entry.by),
    }
    if entry.coverage is not None:
        stated["coverage"] = f"{entry.coverage:g}"
    if entry.weights is not None:
        weights = ", ".join(f"{name} = {weight:g}" for name, weight in sorted(entry.weights.items()))
        stated["weights"] = f"{{ {weights} }}"
    for name, text in (("decision", entry.decision), ("variant", entry.variant), ("note", entry.note)):
        if text is not None:
            stated[name] = _quoted(text)
    return "\n".join(("[[history]]", *(f"{name} = {value}" for name, value in stated.items()))) + "\n"


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
