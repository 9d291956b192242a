"""Every rule of the reference of 23 November 2026 is a rule here, a schedule, or a listed exception with its reason."""

import os
import re
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from model.caps.rulebook import Rulebook

ROOT = Path(__file__).parents[3]
REFERENCE = Path(os.environ.get("RECOUP_SHARED_DATA", ROOT.parent / "shared" / "data")).parent / "reference"
BOOK = Rulebook.load()
EXCEPTIONS = tomllib.loads((files("model.caps") / "exceptions.toml").read_text("utf-8"))["exceptions"]
RULES = {rule.rule_id for rule in BOOK.rules}
SCHEDULES = {schedule.schedule_id for schedule in BOOK.schedules}

# The ids of the reference's 80 rules, so that the account is kept where the reference is not at hand too.
IDS = (Path(__file__).parent / "reference_rules.txt").read_text("utf-8").split()

# Where our confidence or first day is not the reference's, and why.
ELSEWHERE = {
    "visa-code57-transition": "begins in October 2025, when 57 was rewritten, and changes on 25 October 2026",
    "mastercard-tpe-excessive-fee": "also holds the amounts before 2023",
    "mastercard-authorization-optimizer-fee": "the day from which Canada pays is not known",
}


def entries() -> dict[str, dict[str, str]]:
    """The plain fields of each rule of the reference, by id."""
    text = REFERENCE / "network_rules.yaml"
    if not text.is_file():
        pytest.skip("the reference is not at hand; RECOUP_SHARED_DATA names the folder beside it")
    blocks = re.split(r"^- id: ", text.read_text("utf-8"), flags=re.MULTILINE)[1:]
    plain = re.compile(r"^  (\w+): (.+)$", re.MULTILINE)
    return {block.splitlines()[0].strip(): dict(plain.findall(block)) for block in blocks}


def test_all_eighty_rules_of_the_reference_are_accounted_for_once() -> None:
    assert len(IDS) == len(set(IDS)) == 80
    for rule_id in IDS:
        assert (rule_id in RULES) + (rule_id in SCHEDULES) + (rule_id in EXCEPTIONS) == 1, rule_id


def test_the_committed_list_is_that_of_the_reference() -> None:
    assert sorted(entries()) == sorted(IDS)


def test_every_exception_is_of_the_reference_and_says_why_and_what_stands_instead() -> None:
    assert EXCEPTIONS.keys() <= set(IDS)
    for name, exception in EXCEPTIONS.items():
        assert exception.keys() == {"reason", "instead"}, name
        assert len(exception["reason"]) > 20
        for instead in exception["instead"]:
            assert instead in RULES | SCHEDULES or (ROOT / instead).is_file(), (name, instead)


def test_confidence_is_the_references() -> None:
    for name, entry in entries().items():
        for rule in (r for r in BOOK.rules if r.rule_id == name):
            assert rule.confidence == entry["confidence"], name
        for schedule in (s for s in BOOK.schedules if s.schedule_id == name):
            assert schedule.confidence == entry["confidence"], name


def test_the_source_of_the_reference_is_among_ours() -> None:
    for name, entry in entries().items():
        rules = [rule for rule in BOOK.rules if rule.rule_id == name]
        sources = {source for rule in rules for source in rule.sources}
        sources |= {s for schedule in BOOK.schedules if schedule.schedule_id == name for s in schedule.sources}
        if sources and entry["source"] != "unknown":
            assert entry["source"] in sources, name


def test_a_dated_rule_begins_on_the_day_of_the_reference() -> None:
    for name, entry in entries().items():
        stated = entry.get("effective_from", "unknown")
        versions = [rule for rule in BOOK.rules if rule.rule_id == name]
        if versions and stated != "unknown" and name not in ELSEWHERE:
            assert date.fromisoformat(stated) in {rule.effective_from for rule in versions}, name


def test_a_limit_is_the_conservative_figure_of_the_reference_and_the_looser_one_can_be_selected() -> None:
    compared = 0
    for name, entry in entries().items():
        newest = max(
            (r for r in BOOK.rules if r.rule_id == name), key=lambda r: r.effective_from or date.min, default=None
        )
        strict, loose = entry.get("max_attempts_conservative"), entry.get("max_attempts", "null")
        if newest is None or newest.limit is None or not (strict or loose).isdigit():
            continue
        # Executions in all for UPI AutoPay, the first included; we count retries.
        first = 1 if name == "india-upi-autopay-attempts" else 0
        assert newest.limit == int(strict or loose) - first, name
        if strict and loose.isdigit() and strict != loose:
            assert newest.published is not None
            assert newest.published.limit == int(loose) - first, name
        compared += 1
    assert compared >= 18


def test_the_stops_of_bacs_are_those_of_the_reference_by_the_report_that_names_them() -> None:
    listed = entries()["bacs-stop-codes"]["trigger_codes"]
    stops = {code.removeprefix("ARUDD ") for code in re.findall(r"'([^']+)'", listed)}
    (rule,) = (rule for rule in BOOK.rules if rule.rule_id == "bacs-stop-codes")
    assert {code for code in rule.after.codes if not code.startswith("AUDDIS ")} == stops
