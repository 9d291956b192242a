"""No page prints a command that works only in an active environment."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "docs_commands.py"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_fenced_command_is_named_by_its_path(page: Path) -> None:
    names = runpy.run_path(str(SCRIPT))
    blocks = [block["body"] for block in names["BLOCK"].finditer(page.read_text("utf-8"))]
    assert [body for body in blocks if names["BARE"].search(body)] == []


@pytest.mark.parametrize(
    "command", ["recoup status", "A=1 recoup serve", "true && recoup status", "K=$(recoup keys list)"]
)
def test_a_bare_command_is_refused_even_where_it_is_not_run(command: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```sh no-run\n{command}\n```\n")
    done = subprocess.run([sys.executable, SCRIPT, page], capture_output=True, text=True, check=False)
    assert (done.returncode, "write .venv/bin/recoup" in done.stdout) == (1, True)


def test_a_command_with_its_path_and_a_mere_mention_are_let_through(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh no-run\nA=1 .venv/bin/recoup status  # as recoup does\n```\n`recoup status` is prose.\n")
    assert subprocess.run([sys.executable, SCRIPT, page], capture_output=True, check=False).returncode == 0
