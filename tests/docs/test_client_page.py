"""What docs/client.md and docs/sandbox.md print works as it is printed."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sandbox_recovery

from client_builders import client_of
from sandbox_builders import Sandboxed, sandboxed
from serving.ledger_access import open_ledger
from serving.sandbox.schemas import SandboxAnswers
from serving.service import prior_service
from serving.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Sandboxed]:
    service = prior_service()
    settings = Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/l.db?synchronous=normal", log_format="json")
    with (
        closing(open_ledger(settings, service.rulebook)) as ledger,
        closing(sandboxed(settings, service, ledger)) as made,
    ):
        yield made


@pytest.mark.parametrize(("days", "ending"), [(25, "recovery.recovered"), (100, "recovery.exhausted")])
def test_the_recovery_in_a_sandbox_comes_to_its_end(made: Sandboxed, days: int, ending: str) -> None:
    with client_of(made.app, made.sandbox_keys["acme"]) as recoup:
        told = list(sandbox_recovery.recovery(recoup, "acme", funded_after_days=days))
    assert told[-1].endswith(ending)
    assert sum("recovery.recovered" in line or "recovery.exhausted" in line for line in told) == 1
    assert any("declined" in line for line in told)


def test_the_first_example_of_the_client_runs(made: Sandboxed) -> None:
    example = re.findall(r"```python\n(.*?)```", (DOCS / "client.md").read_text("utf-8"), re.DOTALL)[0]
    assert example.count("from serving.client import Recoup\n") == 1
    printed: list[object] = []
    with client_of(made.app, made.live_key) as recoup:
        names = {"Recoup": lambda *_: recoup, "key": made.live_key, "print": lambda *values: printed.extend(values)}
        exec(compile(example.replace("from serving.client import Recoup\n", ""), "client.md", "exec"), names)
    assert len(printed) == 2


def test_the_rules_that_the_page_of_the_sandbox_shows_are_rules() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "sandbox.md").read_text("utf-8"), re.DOTALL)
    assert len(SandboxAnswers.model_validate_json(example).rules) == 3
