"""A command in a shell without the service's settings makes no ledger, and does not say that it did something."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS_A_LEDGER = [
    ["stop", "--all", "--reason", "INC-7"],
    ["resume", "--all"],
    ["keys", "create", "--merchant", "acme"],
    ["keys", "list"],
    ["keys", "rotate", "abcdefghijkl"],
    ["keys", "revoke", "abcdefghijkl"],
    ["keys", "revoke", "--all"],
    ["merchants", "list"],
    ["events", "list"],
    ["events", "status"],
    ["events", "show", "abc"],
    ["events", "replay", "--failed"],
    ["webhooks", "list"],
    ["webhooks", "status"],
    ["webhooks", "show", "abc"],
    ["webhooks", "retry"],
    ["ledger", "status"],
    ["ledger", "expire"],
    ["caps", "audit", "--from", "2026-01-01"],
    ["replay", "--merchant", "acme"],
    ["shadow"],
]
BEGINS_ONE = [["merchants", "add", "acme"], ["keys", "create", "--operator"]]
# All in one process, because each start loads what a command needs.
_PROGRAM = """
import json, sys
from serving.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["recoup", *arguments]
    try:
        main()
    except SystemExit as ended:
        print(ended.code, file=sys.stderr)
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder in which somebody stands without the settings of the service."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def ran(commands: list[list[str]], folder: Path) -> tuple[list[str], str]:
    """What the commands said on standard error, a line each and then the code; and on standard output."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("RECOUP_", "MLFLOW_"))}
    own["PYTHONPATH"] = str(Path(__file__).parents[3])
    program = [sys.executable, "-c", _PROGRAM, json.dumps(commands)]
    done = subprocess.run(program, cwd=folder, env=own, capture_output=True, text=True, timeout=300, check=False)
    return done.stderr.splitlines(), done.stdout


def test_without_a_ledger_nothing_is_made_stopped_or_shown(elsewhere: Path) -> None:
    said, out = ran(NEEDS_A_LEDGER, elsewhere)
    where = elsewhere / ".recoup" / "ledger.db"
    refusal = f"recoup: no ledger at {where}; set RECOUP_HOME or RECOUP_DATABASE_URL, or give --database"
    assert dict(zip(map(" ".join, NEEDS_A_LEDGER), zip(said[::2], said[1::2], strict=True), strict=True)) == {
        " ".join(command): (refusal, "2") for command in NEEDS_A_LEDGER
    }
    assert out == ""
    assert list(elsewhere.iterdir()) == []


def test_a_database_that_nobody_made_a_ledger_of_is_none(elsewhere: Path) -> None:
    (elsewhere / "empty.db").touch()
    said, _ = ran([["stop", "--all", "--reason", "x", "--database", "sqlite:///empty.db"]], elsewhere)
    assert said[0].startswith(f"recoup: no ledger at {elsewhere / 'empty.db'};")
    assert said[1] == "2"


@pytest.mark.parametrize("command", BEGINS_ONE, ids=" ".join)
def test_what_an_installation_begins_with_makes_a_ledger_and_says_where(elsewhere: Path, command: list[str]) -> None:
    said, _ = ran([command, command], elsewhere)
    told = f"A new ledger is begun: {elsewhere / '.recoup' / 'ledger.db'}"
    assert said[0] == told
    assert said.count(told) == 1
