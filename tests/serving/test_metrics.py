"""What the service counts: by whom it may be read, what it says after a day's events, and what it never says."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api_builders import MERCHANT, START, Api, past, report
from features.action import Retry
from features.context import Context
from features.errors import InputError
from features.table import Asked
from metric_readers import counted, read
from model.prior import PriorScorer
from model.scorer import Scores, ScoreSource
from serving.app import create_app
from serving.ledger.opening import store_at
from serving.ledger_access import open_ledger
from serving.metrics import MOST_PROCESSORS, Metrics
from serving.metrics_folder import MULTIPROCESS, make_room, shared_folder
from serving.registry import Answering
from serving.service import Service
from serving.settings import MetricsAccess, Settings
from serving.tenancy.keys import EVERY_MERCHANT, Scope
from tenants import Tenants, tenants_of

Document = dict[str, Any]  # a JSON document that tests take apart


def test_files_that_are_written_through_memory_take_up_their_room_beforehand(tmp_path: Path) -> None:
    assert make_room(tmp_path, ("counter", "histogram"))
    for file in tmp_path.iterdir():
        assert file.stat().st_blocks * 512 >= file.stat().st_size > 0
    assert not make_room(tmp_path / "nowhere", ("counter",))


def test_every_file_that_the_library_counts_in_has_its_room(tmp_path: Path) -> None:
    program = (
        "from serving.metrics import Metrics, _KINDS\n"
        "metrics = Metrics()\n"
        "metrics.answered('GET', '/health', 200, 0.1)\n"
        "print(*_KINDS)\n"
    )
    shared = os.environ | {MULTIPROCESS: str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], env=shared, capture_output=True, text=True, check=True)
    assert {file.stem.rpartition("_")[0] for file in tmp_path.iterdir()} == set(ran.stdout.split())
    assert all(file.stat().st_blocks * 512 >= file.stat().st_size for file in tmp_path.iterdir())


def test_on_a_full_disk_a_worker_counts_in_memory_and_lives() -> None:
    program = (
        "import os, sys, tempfile\n"
        "from pathlib import Path\n"
        "os.environ['PROMETHEUS_MULTIPROC_DIR'] = '/nowhere'\n"
        "from serving.metrics import Metrics\n"
        "metrics = Metrics()\n"
        "metrics.answered('GET', '/health', 200, 0.1)\n"
        "folder = Path(os.environ['PROMETHEUS_MULTIPROC_DIR'])\n"
        'print(folder, b\'route="/health",status="200"} 1.0\' in metrics.text())\n'
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    folder, told = ran.stdout.split()
    assert (Path(folder).parent, told) == (Path("/dev/shm"), "True")
    assert not Path(folder).exists()


@pytest.fixture
def tenants(settings: Settings, service: Service) -> Iterator[Tenants]:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield tenants_of(settings, service, ledger)


def test_requests_are_counted_by_template_and_never_by_the_path_that_was_sent(api: Api) -> None:
    api.send("GET", "/v1/methods/pm_secret/budgets?merchant_id=acme")
    api.send("GET", "/v1/nothing/pm_secret")
    api.send("BREW", "/v1/models")
    text = read(api)
    assert "secret" not in text
    assert [
        (labels["method"], labels["route"], labels["status"]) for labels, _ in counted(text, "recoup_requests_total")
    ] == [
        ("GET", "/v1/methods/{method_id}/budgets", "404"),
        ("GET", "unknown", "404"),
        ("other", "/v1/models", "405"),
    ]
    assert counted(text, "recoup_requests_in_progress") == [({}, 1.0)]  # the one that asks


def test_what_is_refused_before_it_is_routed_is_counted_where_it_would_have_gone(tenants: Tenants) -> None:
    tenants.api.send("GET", "/v1/methods/pm_secret/budgets")
    tenants.api.send("POST", "/v1/decisions", {})
    tenants.api.send("GET", "/v1/nothing")
    text = read(tenants.of(EVERY_MERCHANT))
    assert "secret" not in text
    assert {(labels["route"], labels["status"]) for labels, _ in counted(text, "recoup_requests_total")} == {
        ("/v1/methods/{method_id}/budgets", "401"),
        ("/v1/decisions", "401"),
        ("unknown", "401"),
    }


def test_a_decision_with_its_hold_and_its_check_are_counted(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    check = f"/v1/reservations/{held['reservation_id']}/check"
    assert not api.post(check, MERCHANT)["go"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    assert api.post(check, MERCHANT)["go"]
    text = read(api)
    ((decision, count),) = counted(text, "recoup_decisions_total")
    assert count == 1
    assert (decision["action"], decision["reason"], decision["policy_source"]) == ("retry", "", "prior")
    assert decision["model"] == PriorScorer().version
    assert counted(text, "recoup_decision_duration_seconds_count") == [({"policy_source": "prior"}, 1.0)]
    assert counted(text, "recoup_reservations_total") == [({"result": "granted", "reason": ""}, 1.0)]
    assert counted(text, "recoup_checks_total") == [
        ({"result": "no_go", "reason": "too_early"}, 1.0),
        ({"result": "go", "reason": ""}, 1.0),
    ]
    (_, asked), *_ = counted(text, "recoup_ledger_duration_seconds_count")
    assert asked == 3
    assert not counted(text, "recoup_ledger_in_use")


class Overtaken:
    """A scorer during whose first work somebody else holds the place."""

    source: ScoreSource = "prior"
    version = "overtaken"

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = [meanwhile]

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        while self.meanwhile:
            self.meanwhile.pop()()
        return PriorScorer().score(context, retries)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        return tuple(self.score(context, retries) for context, retries in asked)


def test_a_place_that_somebody_else_took_is_counted_with_its_reason(
    api: Api, settings: Settings, service: Service, failed: Document
) -> None:
    slow = Answering(Overtaken(lambda: api.reserve(failed)), "nothing")
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        late = Api(
            create_app(settings, service=replace(service, answering=slow), ledger=ledger, clock=api.clock), api.clock
        )
        assert late.reserve(failed)["action"]["reason"] == "attempt_pending"
        assert counted(read(late), "recoup_reservations_total") == [
            ({"result": "refused", "reason": "already_held"}, 1.0)
        ]
    assert counted(read(api), "recoup_reservations_total") == [({"result": "granted", "reason": ""}, 1.0)]


def test_a_stop_is_counted_with_its_reason_and_a_hold_as_what_it_is(api: Api, failed: Document) -> None:
    api.post("/v1/admin/stop", MERCHANT | {"reason": "a test"})
    assert api.post("/v1/decisions", failed)["action"]["kind"] == "hold"
    ((labels, _),) = counted(read(api), "recoup_decisions_total")
    assert (labels["action"], labels["reason"]) == ("hold", "on_hold")


def test_codes_that_nobody_knows_are_counted_by_processor_and_once(api: Api, failed: Document) -> None:
    unknown = report("u1", "att_u", START - timedelta(days=1))
    unknown["attempt"]["code"] = "QX-77"
    for _ in range(2):
        api.post("/v1/attempts", [unknown, *past(1)])
    failed["attempts"][0]["code"] = "QX-78"
    api.post("/v1/decisions", failed)
    assert counted(read(api), "recoup_unknown_decline_codes_total") == [
        ({"processor": "northgate", "told_by": "report"}, 1.0),
        ({"processor": "northgate", "told_by": "decision"}, 1.0),
    ]
    assert "QX" not in read(api)


def test_what_is_answered_again_and_what_is_asked_too_often_are_counted(tenants: Tenants) -> None:
    again = tenants.of("acme").under("k1")
    for _ in range(3):
        again.post("/v1/attempts", past(1))
    text = read(tenants.of(""))
    assert counted(text, "recoup_idempotent_replays_total") == [({}, 2.0)]
    assert not counted(text, "recoup_rate_limited_total")
    metrics = Metrics()
    metrics.answered("GET", "unknown", 429, 0.1)
    assert counted(metrics.text().decode(), "recoup_rate_limited_total") == [({}, 1.0)]


def test_a_ledger_that_is_away_is_counted(api: Api, settings: Settings, failed: Document) -> None:
    with closing(store_at(settings.database)) as store, store.writing() as transaction:
        transaction.script("ALTER TABLE attempt RENAME TO gone;\n")
    for _ in range(3):
        api.post("/v1/decisions", failed, 503)
    assert counted(read(api), "recoup_ledger_failures_total") == [({"failure": "other"}, 3.0)]


def test_metrics_are_of_all_merchants_and_an_operators(tenants: Tenants) -> None:
    assert tenants.api.send("GET", "/metrics").status_code == 401
    for scope in Scope:
        refused = tenants.of("acme", scope).send("GET", "/metrics")
        assert (refused.status_code, "operator" in refused.text) == (403, True)
        assert "recoup_requests_total" in read(tenants.of("", scope))


def test_metrics_are_open_only_where_the_settings_say_so(settings: Settings, service: Service) -> None:
    with_ledger = open_ledger(settings, service.rulebook)
    opened = tenants_of(replace(settings, metrics=MetricsAccess.OPEN), service, with_ledger)
    assert "recoup_requests_total" in read(opened.api)
    assert opened.api.send("GET", "/v1/models").status_code == 401
    with_ledger.close()


def test_processors_beyond_the_most_are_counted_together() -> None:
    metrics = Metrics()
    for i in range(MOST_PROCESSORS + 20):
        metrics.unknown_code(f"p{i}", "report")
    found = counted(metrics.text().decode(), "recoup_unknown_decline_codes_total")
    assert len(found) == MOST_PROCESSORS + 1
    assert ({"processor": "other", "told_by": "report"}, 20.0) in found


def test_the_model_that_answers_is_told_and_the_one_before_counts_no_worker_any_more() -> None:
    metrics, then = Metrics(), datetime(2026, 11, 23, tzinfo=UTC)
    metrics.answers_with("prior", "prior-1", None, then)
    metrics.answers_with("model", "abc", "7", then + timedelta(hours=1))
    text = metrics.text().decode()
    ((labels, workers),) = counted(text, "recoup_model_workers")
    assert (labels["registered_version"], labels["policy_source"], workers) == ("7", "model", 1)
    since = {one["registered_version"]: at for one, at in counted(text, "recoup_model_since_timestamp_seconds")}
    assert since == {"": then.timestamp(), "7": then.timestamp() + 3600}


WORKER = """
from prometheus_client import Counter, Gauge
Counter("recoup_rate_limited", "x").inc(5)
Gauge("recoup_requests_in_progress", "x", multiprocess_mode="livesum").set(3)
"""


def test_what_an_ended_worker_counted_stays_and_what_it_was_doing_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_folder(tmp_path)
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=os.environ | {MULTIPROCESS: str(folder)}, check=True)
    assert len(list(folder.glob("gauge_livesum_*.db"))) == 2
    monkeypatch.setenv(MULTIPROCESS, str(folder))
    text = Metrics().text().decode()
    assert counted(text, "recoup_rate_limited_total") == [({}, 10.0)]
    assert not counted(text, "recoup_requests_in_progress")


def test_the_folder_of_a_start_is_new_and_those_of_services_that_ended_are_gone(tmp_path: Path) -> None:
    (tmp_path / "metrics" / "4194305").mkdir(parents=True)  # above what Linux gives out
    alive = tmp_path / "metrics" / str(os.getppid())
    alive.mkdir()
    own = shared_folder(tmp_path)
    (own / "counter_1.db").touch()
    assert shared_folder(tmp_path) == own
    assert list(own.iterdir()) == []
    assert {found.name for found in (tmp_path / "metrics").iterdir()} == {own.name, alive.name}
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made"):
        shared_folder(tmp_path / "file")
