"""`recoup experiment` checks, shows, assigns and writes what is done; every refusal is a sentence."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
import pytest

from bandit_builders import WEEK, fates, tell_fates
from experiment_builders import text_with
from experiments.definition import Change, Entry
from experiments.definition_file import read_definition
from experiments.lifecycle import changed
from exposure_builders import an_exposure
from failure_histories import Told, a_history
from model.decision import Assignment
from serving.ledger.ledger import Ledger


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]
SHIPPED = Path(__file__).parents[3] / "experiments" / "definitions"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "definitions"))


def test_the_shipped_definitions_have_nothing_wrong(recoup: Recoup) -> None:
    ran = recoup("experiment", "check", SHIPPED)
    assert ran.code == 0
    # Nobody can know that every dispute was told, and the win then waits for somebody to look.
    assert (
        "guardrails.chargebacks: 'chargebacks' is measured once disputes (by webhooks or customer_disputed)" in ran.err
    )
    assert len(ran.err.splitlines()) == 1
    assert "plan-against-fixed: nothing is wrong (draft, 2 variants)" in ran.out


def test_every_fault_of_every_file_is_a_line(recoup: Recoup, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text_with(('owner = "payments"', "alfa = 1"), ("weight = 0.5", "weight = 0.9")))
    (tmp_path / "b.toml").write_text(text_with(('"recovered_value"', '"revenue"')))
    ran = recoup("experiment", "check", tmp_path)
    assert ran.code == 1
    told = [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in ran.err.splitlines()]
    assert told == ["a.toml, owner", "a.toml, alfa", "a.toml, variants", "b.toml, primary_metric", "b.toml, key"]


def test_what_would_break_the_version_in_force_is_said(recoup: Recoup, folder: Path) -> None:
    assert recoup("experiment", "start", "plan-against-fixed", "--by", "Ann", "--definitions", folder).code == 0
    file = folder / "plan-against-fixed.toml"
    in_force = folder.parent / "in_force.toml"
    shutil.copy(file, in_force)
    file.write_text(file.read_text().replace('salt = "plan-against-fixed-1"', 'salt = "plan-against-fixed-2"'))
    ran = recoup("experiment", "check", folder, "--against", in_force)
    assert ran.code == 1
    assert "salt: 'plan-against-fixed-2' is not accepted; expected 'plan-against-fixed-1', for another moves" in ran.err


def test_a_life_from_start_to_conclusion_stands_in_the_file(recoup: Recoup, folder: Path) -> None:
    def done(verb: str, *more: str) -> Ran:
        return recoup("experiment", verb, "plan-against-fixed", "--by", "Ann", "--definitions", folder, *more)

    assert [done("start", "--coverage", "0.1").code, done("ramp", "--coverage", "1").code, done("stop").code] == [0] * 3
    assert done("conclude", "--decision", "ship", "--variant", "plan", "--note", "It won.").code == 0
    read = read_definition((folder / "plan-against-fixed.toml").read_text(), "plan")
    assert read.definition is not None
    assert [(entry.what, entry.coverage) for entry in read.definition.history] == [
        ("started", 0.1),
        ("ramped", 1.0),
        ("stopped", None),
        ("concluded", None),
    ]
    assert recoup("experiment", "check", folder).code == 0
    assert (
        "concluded by Ann  ship plan It won."
        in recoup("experiment", "show", "plan-against-fixed", "--definitions", folder).out
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("show", "nothing"),
            "key: 'nothing' is not accepted; expected an experiment of the folder: paydays-for-funds,",
        ),
        (
            ("ramp", "plan-against-fixed", "--by", "Ann", "--coverage", "1"),
            "status: 'draft' is not accepted; expected run",
        ),
        (
            ("conclude", "plan-against-fixed", "--by", "Ann", "--decision", "ship"),
            "--variant: 'nothing' is not accepted; expected the variant to ship: one of fixed, plan",
        ),
        (
            ("conclude", "plan-against-fixed", "--by", "Ann", "--decision", "win"),
            "--decision: 'win' is not accepted; expected one of ship, keep, abandon",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    recoup: Recoup, folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = recoup("experiment", *arguments, "--definitions", folder)
    assert ran.code == 2
    assert ran.err.startswith(f"recoup: {sentence}")


def test_what_would_not_be_sound_afterwards_is_not_started(recoup: Recoup, folder: Path) -> None:
    file = folder / "plan-against-fixed.toml"
    file.write_text(file.read_text().replace('{ kind = "plan" }', '{ kind = "oracle" }'))
    assert recoup("experiment", "check", folder).code == 0
    before = file.read_text()
    ran = recoup("experiment", "start", "plan-against-fixed", "--by", "Ann", "--definitions", folder)
    assert ran.code == 2
    assert "variants.plan.policy.kind: 'oracle' is not accepted; expected a kind that can answer live" in ran.err
    assert file.read_text() == before


def test_customers_are_assigned_as_the_service_would(recoup: Recoup, folder: Path) -> None:
    ran = recoup(
        "experiment", "assign", "plan-against-fixed", "cus_1", "cus_2", "--merchant", "acme", "--definitions", folder
    )
    assert ran.out.splitlines() == [
        "cus_1: takes no part; bucket 9103, 7255 of namespace retries",
        "cus_2: fixed (0.4750); bucket 991, 2790 of namespace retries",
    ]


def test_a_window_longer_than_the_history_is_refused_and_rates_are_shown_otherwise(
    recoup: Recoup, tmp_path: Path
) -> None:
    path = tmp_path / "history.parquet"
    pq.write_table(a_history([Told("a", "p1", 0, 3), Told("b", "p2", 7)], until=44), path)
    ran = recoup("experiment", "check", SHIPPED, "--history", path)
    assert ran.code == 1
    assert "window_days: 45 is not accepted; expected at most the 44 days that the history spans." in ran.err
    pq.write_table(a_history([Told("a", "p1", 0, 3), Told("b", "p2", 7)]), path)
    shown = recoup("experiment", "check", SHIPPED, "--history", path).out
    assert [line.split()[5] for line in shown.splitlines() if " days " in line] == ["50.00%", "50.00%"]
    assert (
        "plan-against-fixed: the log can say nothing of the variants, for its retries state no propensities." in shown
    )


def test_outcomes_are_shown_by_variant(recoup: Recoup, folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    ledger = Ledger.opened(url)
    ledger.expose(an_exposure("pay_1", Assignment("plan-against-fixed", "plan", "cus_1", 0.5)))
    ledger.close()
    ran = recoup("experiment", "outcomes", "plan-against-fixed", "--definitions", folder, "--database", url)
    assert ran.code == 0
    first, *_, last = ran.out.splitlines()
    assert first == "plan-against-fixed: payments by day 30 after their first failure, by who brought the money"
    assert last.split()[:2] == ["plan", "1"]


@pytest.fixture
def bandit(tmp_path: Path) -> tuple[Path, str]:
    """A folder with a bandit that has run for five weeks, and the ledger of its customers."""
    folder, url = tmp_path / "definitions", f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    folder.mkdir()
    began = datetime.now(UTC) - 5 * WEEK
    swap = ("window_days = 30", "window_days = 14\nbandit = { floor = 0.1, every_days = 7 }")
    text = changed(text_with(swap), "first.toml", Entry(began, Change.STARTED, "Ann", 1.0))
    (folder / "first.toml").write_text(text)
    read = read_definition(text, "first.toml").definition
    assert read is not None
    ledger = Ledger.opened(url)
    tell_fates(ledger, read, fates(1, 120, 4, {"fixed": 0.3, "plan": 0.5}), began)
    ledger.close()
    return folder, url


def test_a_bandits_weights_are_shown_written_and_not_due_again(recoup: Recoup, bandit: tuple[Path, str]) -> None:
    folder, url = bandit
    before = (folder / "first.toml").read_text()

    def asked(*more: str) -> Ran:
        where = ("--definitions", folder, "--database", url)
        return recoup("experiment", "reweight", "first", "--by", "Ann", *where, *more)

    dry = asked("--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.splitlines()[-1] == "first: nothing is written."
    assert (folder / "first.toml").read_text() == before
    plan = dry.out.splitlines()[2].split()
    assert plan[0] == "plan"
    assert (plan[-2], float(plan[-1]) > 0.8) == ("0.5000", True)
    written = asked("--note", "The plan brings more.")
    assert written.code == 0
    read = read_definition((folder / "first.toml").read_text(), "first.toml").definition
    assert read is not None
    assert read.history[-1].weights == {"fixed": round(1 - float(plan[-1]), 4), "plan": float(plan[-1])}
    assert recoup("experiment", "check", folder).code == 0
    shown = recoup("experiment", "show", "first", "--definitions", folder).out.splitlines()[-1]
    assert shown.endswith(f"plan {float(plan[-1]):g} The plan brings more.")
    again = asked("--dry-run")
    assert again.code == 2
    assert again.err.startswith("recoup: first keeps its weights. The weights are those of ")


def test_a_definition_without_a_bandit_has_no_new_weights(recoup: Recoup, folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db?synchronous=normal"
    Ledger.opened(url).close()
    where = ("--definitions", folder, "--database", url)
    ran = recoup("experiment", "reweight", "plan-against-fixed", "--by", "Ann", *where)
    assert (ran.code, ran.err.startswith("recoup: bandit: 'nothing' is not accepted; expected a table")) == (2, True)
