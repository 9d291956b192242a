"""A whole experiment over HTTP in a stated world: exposures, outcomes and report are what counting by hand finds."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from client_builders import client_of
from experiments.against_truth import judgements
from experiments.definition import HOLD_OUT, Change, Status
from experiments.outcomes import RecoveredBy
from experiments.potential_outcomes import Truth
from experiments.simulator.generate import generate
from experiments.simulator.settings import Settings as WorldSettings
from experiments.simulator.world import SimulatedWorld
from experiments.world import World
from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError, InvalidValueError
from features.vocabulary import Rail
from rehearsal_builders import FATES, FIRST, TEXT, StatedWorld, by_hand
from serving.app import create_app
from serving.cli.experiment import outcomes as ask_outcomes
from serving.client.client import Recoup
from serving.definitions import Folder, folder_at
from serving.experiment_outcomes import ExposedPayment, outcomes
from serving.ledger.opening import store_at
from serving.ledger_access import open_ledger
from serving.rehearsal.in_process import potential_outcomes
from serving.rehearsal.playing import Counts
from serving.rehearsal.rehearsal import Rehearsal, rehearsal
from serving.rehearsal.staging import sandbox_key, stage_settings
from serving.sandbox.reading import sandbox_ledger
from serving.service import load_service
from serving.settings import Settings
from serving.simulate import world_of

DAYS = {"early": (1, 4), "late": (8, 12), HOLD_OUT: ()}
KEY = "early-and-late"


def staged(place: Path) -> Settings:
    """The prior answers, for there is no registry."""
    return stage_settings(Settings(home=place, tracking_uri=f"sqlite:///{place}/none.db"), place / "out", None)


def definitions(place: Path, text: str = TEXT) -> Folder:
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{KEY}.toml").write_text(text)
    return folder_at(place)


def made_of(world: World, place: Path, *, text: str = TEXT, most: int | None = None) -> Rehearsal:
    folder = definitions(place / "drafts", text)
    return rehearsal(world, folder, KEY, staged(place), since=None if most else FIRST, most=most)


@contextmanager
def served(made: Rehearsal) -> Iterator[Recoup]:
    """The real application in this process, asked by the real client with a sandbox's key."""
    key = sandbox_key(made.settings, made.merchant_id)
    service = load_service(made.settings)
    with closing(open_ledger(made.settings, service.rulebook)) as ledger:
        app = create_app(made.settings, service=service, ledger=ledger)
        try:
            with client_of(app, key) as recoup:
                yield recoup
        finally:
            app.state.sandboxes.close()


@dataclass(frozen=True)
class Done:
    made: Rehearsal
    counts: Counts


def performed(made: Rehearsal) -> Done:
    with served(made) as recoup:
        return Done(made, made.played(recoup, lambda done, of: None))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Twenty-four payments, every fate twice."""
    return performed(made_of(StatedWorld(FATES * 2), tmp_path_factory.mktemp("rehearsal")))


def exposed(made: Rehearsal) -> list[ExposedPayment]:
    with (
        closing(store_at(made.settings.database)) as live,
        sandbox_ledger(made.settings, live, made.merchant_id) as (store, now),
    ):
        assert now == made.ends_at
        return list(outcomes(store, made.definition, now))


def test_every_payment_is_exposed_once_and_becomes_what_its_variant_makes_of_it(done: Done) -> None:
    found = exposed(done.made)
    assert {one.exposure.assignment.variant for one in found} == set(DAYS)
    assert len(found) == len(FATES) * 2
    for one in found:
        fate = FATES[int(one.exposure.payment_id.removeprefix("inv_")) % len(FATES)]
        came, outcome = by_hand(fate, DAYS[one.exposure.assignment.variant]), one.outcome
        assert outcome.mature
        paid = outcome.paid_at and (outcome.paid_at - one.exposure.failed_at) / timedelta(days=1)
        assert (paid, outcome.retries) == (came.paid, came.retries), (fate, one.exposure.assignment.variant)


def test_what_was_done_over_http_is_what_the_outcomes_count(done: Done) -> None:
    found, counts = [one.outcome for one in exposed(done.made)], done.counts
    by = Counter(one.by for one in found)
    assert (counts.approved, counts.paid_by_hand) == (by[RecoveredBy.RETRY], by[RecoveredBy.ITSELF])
    assert counts.retries == sum(one.retries for one in found)
    assert counts.left == sum(one.given_up_at is not None for one in found)
    # One at the failure and one after every decline that leaves something to do.
    assert len(found) < counts.decisions <= len(found) + counts.retries - counts.approved
    assert counts.checked_off == 0
    assert counts.stepped_down == counts.decisions  # no model is there, and the prior says so


def test_the_same_variants_in_process_come_to_the_same_and_so_does_the_truth(done: Done) -> None:
    made = done.made
    found = potential_outcomes(made.world, made.definition, made.taking_part, load_service(made.settings))
    assert made.alike(found) == len(FATES) * 2
    truth = made.truth(found)
    for variant, days in DAYS.items():
        retries = [by_hand(fate, days).retries for fate in FATES]
        assert truth.value("attempts_per_payment", variant) == sum(retries) / len(FATES)


def test_the_report_is_of_the_sandbox_and_by_its_clock(done: Done) -> None:
    report = done.made.report()
    counted = Counter(one.exposure.assignment.variant for one in exposed(done.made))
    assert report.as_of == done.made.ends_at
    assert report.analysis.mature == dict(counted)
    judged = judgements(report, a_truth(done.made))
    assert [(one.name, one.agrees) for one in judged] == [("late", False), ("against the hold-out", False)]
    assert "simulate more customers" in judged[0].sentence


def a_truth(made: Rehearsal) -> Truth:
    return made.truth(potential_outcomes(made.world, made.definition, made.taking_part, load_service(made.settings)))


def test_commands_read_a_sandbox_by_its_clock(
    done: Done, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = done.made.settings
    monkeypatch.setenv("RECOUP_HOME", str(settings.home))
    ask_outcomes(KEY, settings.experiments, "acme", settings.database)
    lines = capsys.readouterr().out.splitlines()
    counted = Counter(one.exposure.assignment.variant for one in exposed(done.made))
    shown = {line.split()[0]: line.split()[1:4] for line in lines[2:]}
    assert shown == {name: [str(count), "0", str(count)] for name, count in counted.items()}
    with pytest.raises(InvalidValueError, match="'other' is not accepted; expected a merchant that has a sandbox"):
        ask_outcomes(KEY, settings.experiments, "other", settings.database)


def test_debits_and_plans_of_a_simulated_world_go_through_the_service_as_in_process(tmp_path: Path) -> None:
    text = TEXT.replace("hold_out = 0.2", "hold_out = 0.0").replace("weight = 0.5", "weight = 0.1", 1)
    text = text.replace("weight = 0.5", "weight = 0.9").replace('"fixed_days", days = [8, 12]', '"plan"')
    world = DebitsAndCards(world_of(generate(WorldSettings(11, date(2026, 10, 1), 2, 700))), each=4)
    made = performed(made_of(world, tmp_path, text=text, most=8)).made
    assert made.definition.history[0].at == datetime(2026, 11, 1, tzinfo=UTC)
    assert sum(one.failure.rail is Rail.BANK_DEBIT for one in made.taking_part) == 4
    found = potential_outcomes(world, made.definition, made.taking_part, load_service(made.settings))
    assert sum(outcome.retries for outcome in found["late"]) > 8
    assert made.alike(found) == len(made.taking_part) == 8


@dataclass(frozen=True)
class DebitsAndCards:
    """Some payments by debit and as many by card, the first to fail in November."""

    world: SimulatedWorld
    each: int

    def failures(self) -> Iterator[Context]:
        later = [c for c in self.world.failures() if c.own_attempts[0].at >= datetime(2026, 11, 1, tzinfo=UTC)]
        for rail in (Rail.BANK_DEBIT, Rail.CARD):
            yield from [c for c in later if c.method(c.own_attempts[0].method_id).rail is rail][: self.each]

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        return self.world.submit(payment_id, action)

    def settled_at(self, payment_id: str) -> datetime | None:
        return self.world.settled_at(payment_id)

    def left_at(self, payment_id: str) -> datetime | None:
        return self.world.left_at(payment_id)


def test_only_a_draft_is_rehearsed_and_its_file_stays_as_it_was(tmp_path: Path, done: Done) -> None:
    made = done.made
    assert made.definition.status is Status.RUNNING
    assert [entry.what for entry in made.definition.history] == [Change.STARTED]
    place = made.settings.experiments
    assert place is not None
    running = (place / f"{KEY}.toml").read_text()
    with pytest.raises(InvalidValueError, match="status: 'running' is not accepted; expected draft"):
        made_of(StatedWorld(FATES), tmp_path, text=running)
    made_of(StatedWorld(FATES), tmp_path / "again")
    assert (tmp_path / "again" / "drafts" / f"{KEY}.toml").read_text() == TEXT


def test_what_nobody_takes_part_in_is_refused_and_targeted_merchants_are_the_ones_played(tmp_path: Path) -> None:
    markets, merchants = ('[target]\nmarkets = ["US"]', '[target]\nmerchants = ["acme_two"]')
    with pytest.raises(InputError, match="none of the 12 payments takes part; look at target"):
        made_of(StatedWorld(FATES), tmp_path / "one", text=TEXT + markets)
    assert made_of(StatedWorld(FATES), tmp_path / "two", text=TEXT + merchants).merchant_id == "acme_two"
