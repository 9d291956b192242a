"""The report of an experiment over HTTP: of one merchant alone, computed beside the service, kept with its age."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import orjson
import pytest

from api_builders import Api, Clock, Document
from cap_builders import NOW
from experiment_builders import a_definition
from experiment_story import a_story, by_hand, tell
from experiments.definition import Definition
from features.errors import InputError
from report_builders import Queue, computed_here, reports_with
from sandbox_builders import a_failure, begin, sandboxed
from serving.app import create_app
from serving.experiment_reporting import answered
from serving.kept_reports import FOLDER, Reports
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.live_experiments import LiveExperiments
from serving.service import Service
from serving.settings import Settings, environment_of
from serving.wanted_reports import ReportProcess, Wanted
from tenants import Tenants, tenants_of

HOLD_OUT = ("coverage = 1.0", "coverage = 1.0\nhold_out = 0.2")
FIRST = a_definition(HOLD_OUT)
DRAFT = a_definition(('key = "first"', 'key = "draft"'), ("first-salt", "draft-salt"))
OF_ACME, OF_OTHER = a_story(7, 700), a_story(8, 600)
ADDRESS = "/v1/experiments/first/report"


@dataclass
class Place:
    """A service with two merchants whose payments are in one experiment, and its queue of reports."""

    settings: Settings
    service: Service
    ledger: Ledger
    queue: Queue = field(default_factory=Queue)
    seconds: float = 0.0
    computed: list[Wanted] = field(default_factory=list)
    refused: str | None = None

    def compute(self, wanted: Wanted) -> bytes:
        self.computed.append(wanted)
        if self.refused:
            raise InputError(self.refused)
        return computed_here(wanted)

    def reports(self) -> Reports:
        return reports_with(self.settings, self.queue, self.compute, lambda: self.seconds)

    def tenants(self, *definitions: Definition) -> Tenants:
        service = replace(self.service, experiments=LiveExperiments(definitions or (FIRST, DRAFT)))
        tenants = tenants_of(self.settings, service, self.ledger, self.reports())
        tenants.api.clock.now = NOW
        return tenants


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[tuple[str, Ledger]]:
    """A ledger with the stories of two merchants."""
    url = f"sqlite:///{tmp_path_factory.mktemp('told')}/ledger.db?synchronous=normal"
    with closing(open_ledger(Settings(database=url), service.rulebook)) as ledger:
        tell(ledger, OF_ACME)
        tell(ledger, OF_OTHER, "other")
        yield url, ledger


@pytest.fixture
def place(told: tuple[str, Ledger], tmp_path: Path, service: Service) -> Place:
    return Place(Settings(home=tmp_path, database=told[0], log_format="json"), service, told[1])


def arms(answer: Document) -> dict[str, tuple[int, int]]:
    return {arm["variant"]: (arm["mature"], arm["collecting"]) for arm in answer["report"]["split"]["arms"]}


def wanted_of(place: Place, definition: Definition = FIRST) -> Wanted:
    return Wanted("acme", definition, place.settings.database, NOW)


def test_each_merchant_is_answered_from_its_own_payments_alone(place: Place) -> None:
    tenants = place.tenants()
    for merchant, story in (("acme", OF_ACME), ("other", OF_OTHER)):
        api = tenants.of(merchant)
        assert api.get(ADDRESS, 202)["state"] == "computing"
        place.queue.run()
        answer = api.get(ADDRESS)
        counted = {name: by_hand(story, name) for name in ("hold-out", "fixed", "plan")}
        assert arms(answer) == {name: (arm.mature, arm.collecting) for name, arm in counted.items()}
        primary = answer["report"]["variants"][0]["primary"]
        assert primary["difference"] == pytest.approx(
            counted["plan"].recovered_value - counted["fixed"].recovered_value
        )
        assert (answer["merchant_id"], answer["report"]["merchant_id"]) == (merchant, merchant)
        assert answer["about"].startswith(f"Every figure is of payments of {merchant} alone")
    asked_about_acme = tenants.of("other").send("GET", f"{ADDRESS}?merchant_id=acme")
    assert asked_about_acme.status_code == 403


def test_the_process_computes_what_the_command_writes(place: Place) -> None:
    process = ReportProcess(place.settings)
    facts = orjson.loads(process(wanted_of(place)))
    assert facts == orjson.loads(computed_here(wanted_of(place)))
    process.stop()
    with pytest.raises(InputError, match="the service is stopping"):
        process(wanted_of(place))


def test_the_process_says_why_there_is_no_report(place: Place) -> None:
    unmeasured = a_definition(HOLD_OUT, ('"recovered_value"', '"value_30"'))
    told = orjson.loads(answered(wanted_of(place, unmeasured).to_json(), environment_of(place.settings)))
    assert told["refused"].startswith("primary_metric: 'value_30' is not accepted; expected one that is measured")


def test_the_first_report_is_awaited_and_computed_once_however_often_it_is_asked_for(place: Place) -> None:
    api = place.tenants().of("acme")
    for _ in range(3):
        response = api.send("GET", ADDRESS)
        assert (response.status_code, response.headers["retry-after"]) == (202, "5")
        assert response.json()["report"] is None
    assert place.queue.run() == 1
    first = api.get(ADDRESS)
    assert (first["state"], first["computed_at"], first["age_seconds"]) == ("current", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", 0)


def test_an_old_report_is_answered_with_its_age_until_the_newer_one_is_there(place: Place) -> None:
    tenants = place.tenants()
    api = tenants.of("acme")
    api.get(ADDRESS, 202)
    place.queue.run()
    place.seconds, tenants.api.clock.now = 599.0, NOW + timedelta(seconds=599)
    assert api.get(ADDRESS)["state"] == "current"
    place.seconds, tenants.api.clock.now = 600.0, NOW + timedelta(seconds=600)
    old = api.get(ADDRESS)
    assert (old["state"], old["age_seconds"]) == ("old", 600)
    assert place.queue.run() == 1
    assert (api.get(ADDRESS)["state"], len(place.computed)) == ("current", 2)
    assert place.computed[1].as_of == NOW + timedelta(seconds=600)


def test_a_report_outlives_the_process_and_is_not_that_of_another_definition(place: Place) -> None:
    place.tenants().of("acme").get(ADDRESS, 202)
    place.queue.run()
    assert place.tenants().of("acme").get(ADDRESS)["state"] == "current"
    ramped = place.tenants(replace(FIRST, min_run_days=60))
    ramped.of("acme").get(ADDRESS, 202)
    assert place.queue.run() == 1
    assert ramped.of("acme").get(ADDRESS)["report"]["min_run_days"] == 60


def test_what_cannot_be_computed_says_why_and_is_tried_again_a_minute_later(place: Place) -> None:
    api = place.tenants().of("acme")
    api.get(ADDRESS, 202)
    place.refused = "currency: 'XAU' has no rate"
    place.queue.run()
    problem = api.get(ADDRESS, 500)
    assert problem["type"] == "urn:recoup:problem:report-failed"
    assert problem["detail"] == "The report of first cannot be computed: currency: 'XAU' has no rate"
    assert place.queue.waiting == []
    place.refused, place.seconds = None, 60.0
    api.send("GET", ADDRESS)
    place.queue.run()
    assert api.get(ADDRESS)["problem"] is None
    place.refused, place.seconds = "the ledger is away", 700.0
    api.get(ADDRESS)
    place.queue.run()
    kept = api.get(ADDRESS)
    assert (kept["problem"], kept["report"]["key"]) == ("the ledger is away", "first")


def test_an_experiment_without_exposures_is_collecting(place: Place) -> None:
    api = place.tenants().of("acme")
    api.get("/v1/experiments/draft/report", 202)
    place.queue.run()
    report = api.get("/v1/experiments/draft/report")["report"]
    assert [variant["verdict"] for variant in report["variants"]] == ["collecting"]
    assert (report["status"], report["withheld"], report["days_run"]) == ("draft", False, 0.0)


def test_an_unknown_key_is_told_and_a_service_without_a_ledger_has_no_report(place: Place) -> None:
    problem = place.tenants().of("acme").get("/v1/experiments/second/report", 404)
    assert problem["errors"][0]["expected"] == "the key of an experiment: draft, first"
    clock = Clock(NOW)
    service = replace(place.service, experiments=LiveExperiments((FIRST,)))
    alone = Api(create_app(place.settings, service=service, clock=clock, reports=place.reports()), clock)
    assert alone.get(f"{ADDRESS}?merchant_id=acme", 503)["type"] == "urn:recoup:problem:ledger-unavailable"


def test_one_report_is_computed_at_a_time_whichever_worker_was_asked(place: Place) -> None:
    reports = place.reports()
    assert reports.standing(wanted_of(place)).waiting
    lock = place.settings.home / FOLDER / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("wb") as of_another_worker:
        fcntl.flock(of_another_worker, fcntl.LOCK_EX)
        thread = Thread(target=place.queue.run)
        thread.start()
        thread.join(0.05)
        assert (thread.is_alive(), place.computed) == (True, [])
    thread.join()
    assert reports.standing(wanted_of(place)).kept is not None
    assert len(place.computed) == 1


def test_who_waits_for_another_worker_when_the_service_stops_computes_nothing(place: Place) -> None:
    reports = place.reports()
    reports.standing(wanted_of(place))
    reports.close()
    place.queue.run()
    assert place.computed == []


def test_a_sandboxs_report_is_of_the_sandbox_and_ages_by_its_clock(place: Place) -> None:
    with closing(
        open_ledger(Settings(database=f"sqlite:///{place.settings.home}/live.db"), place.service.rulebook)
    ) as live:
        settings = replace(place.settings, database=live.store.url)
        service = replace(place.service, experiments=LiveExperiments((FIRST,)))
        with closing(sandboxed(settings, service, live, place.reports())) as made:
            sandbox, report = made.sandbox(), reported(place)
            begin(sandbox)
            assert exposed(report(sandbox)) == 0
            sandbox.reserve(a_failure())
            sandbox.put("/v1/sandbox/clock", {"now": "2026-11-24T09:00:00Z"})
            assert report(sandbox)["computed_at"] == "2026-11-24T09:00:00Z"
            assert exposed(report(made.live())) == 0


def reported(place: Place) -> Callable[[Api], Document]:
    def read(api: Api) -> Document:
        api.send("GET", ADDRESS)
        place.queue.run()
        return api.get(ADDRESS)

    return read


def exposed(answer: Document) -> int:
    return sum(arm["exposed"] for arm in answer["report"]["split"]["arms"])
