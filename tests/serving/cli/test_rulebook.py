"""`recoup rulebook` shows, compares and checks the rules; every refusal is a sentence and exit code 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from model.caps.rulebook import Rulebook


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]
RULES = Path(__file__).parents[3] / "model" / "caps" / "rules"


def test_the_rules_of_a_network_on_a_day(recoup: Recoup) -> None:
    ran = recoup("rulebook", "show", "--network", "visa", "--at", "2025-05-24")
    assert ran.code == 0
    assert "Rules in force on 2025-05-24 for visa" in ran.out
    assert "visa-cat2-reattempt-cap" in ran.out
    assert "nacha" not in ran.out
    assert Rulebook.load().version in ran.out


def test_json_is_what_the_service_answers(recoup: Recoup) -> None:
    shown = json.loads(recoup("rulebook", "show", "--at", "2026-11-23", "--json").out)
    day = Rulebook.load().rules
    assert {rule["rule_id"] for rule in shown["rules"]} == {
        r.rule_id for r in day if r.effective_to is None or r.effective_to.year > 2026
    }
    assert {schedule["schedule_id"] for schedule in shown["schedules"]} >= {"visa-fee-schedule"}


def test_what_differs_between_two_days(recoup: Recoup) -> None:
    ran = recoup("rulebook", "diff", "2025-05-24", "2025-05-25")
    assert ran.out.splitlines()[0] == "visa-cat2-reattempt-cap changes"
    assert "key: method, merchant, amount becomes method, merchant, amount, initiator" in ran.out
    assert recoup("rulebook", "diff", "2030-01-01", "2030-01-02").out.startswith("Nothing differs")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "--network", "vista"), "network: 'vista' is not accepted; expected one of visa"),
        (("show", "--at", "soon"), "at: 'soon' is not accepted; expected a day such as 2026-11-23"),
        (("diff", "2025-01-01", "x"), "at: 'x' is not accepted"),
        (("check", "nowhere.toml"), "nowhere.toml cannot be read"),
    ],
)
def test_what_cannot_be_shown_is_refused(recoup: Recoup, arguments: tuple[str, ...], says: str) -> None:
    ran = recoup("rulebook", *arguments)
    assert ran.code == 2
    assert says in ran.err


def test_the_shipped_files_can_be_used(recoup: Recoup) -> None:
    ran = recoup("rulebook", "check", *sorted(RULES.glob("*.toml")))
    assert ran.code == 0
    assert f"{len(Rulebook.load().rules)} rules and 4 schedules can be used" in ran.out
    assert Rulebook.load().version in ran.out


def test_every_fault_of_every_file_is_named_at_once(recoup: Recoup, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[rule]]\nid = "a"\nkind = "ban"\n')
    (tmp_path / "b.toml").write_text("[[rule")
    (tmp_path / "mine.toml").write_text(
        'foo = 1\npublished = ["nope"]\n[tighten.x]\nlimit = 1\n[tighten.visa-cat2-reattempt-cap]\nlimit = 99\nlow = 1'
    )
    (tmp_path / "good.toml").write_text('published = ["visa-cat2-reattempt-cap"]\n')
    ran = recoup("rulebook", "check", *(tmp_path / f"{name}.toml" for name in ("nowhere", "a", "b", "mine", "good")))
    assert ran.code == 2
    parts = (
        "a.toml, rule 1 (a), kind",
        "a.toml, rule 1 (a), limit",
        "b.toml: not valid TOML",
        "nowhere.toml cannot be read",
    )
    for part in (
        *parts,
        "low: is not a field",
        "'nope' is not accepted",
        "x: is not a rule",
        "limit: 99 is not accepted",
    ):
        assert part in ran.err
    assert "1 published figures chosen" in ran.out
    assert all("; expected" in line for line in ran.err.splitlines() if "is not accepted" in line)


def test_settings_are_checked_with_the_rules_that_they_add(recoup: Recoup, tmp_path: Path) -> None:
    settings, own = tmp_path / "mine.toml", tmp_path / "own.toml"
    settings.write_text('rules = ["own.toml"]\n')
    own.write_text(
        '[[rule]]\nid = "own"\nwho = "Acme"\nwhat = "attempts"\nkey = ["payment"]\ncounts = "attempts"\nlimit = 9\n'
        'sources = ["contract"]\nconfidence = "high"\n'
    )
    ran = recoup("rulebook", "check", settings)
    assert ran.code == 0
    assert "0 rules tightened, 1 rules added; version " in ran.out
    own.write_text('[[rule]]\nid = "own"\n')
    ran = recoup("rulebook", "check", settings)
    assert ran.code == 2
    assert "own.toml, rule 1 (own), who: is missing" in ran.err


def test_a_merchants_settings_are_shown_in_force(
    recoup: Recoup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text("[tighten.visa-cat2-reattempt-cap]\nlimit = 4\n")
    monkeypatch.setenv("RECOUP_RULEBOOK", str(settings))
    shown = json.loads(recoup("rulebook", "show", "--network", "visa", "--json").out)
    assert [r["limit"] for r in shown["rules"] if r["rule_id"] == "visa-cat2-reattempt-cap"] == [4]
    settings.write_text("[tighten.visa-cat2-reattempt-cap]\nlimit = 16\n")
    ran = recoup("rulebook", "show")
    assert ran.code == 2
    assert "settings may only tighten" in ran.err
    assert str(settings) in ran.err
