"""What waits in the ledger and how holds end are told to Prometheus."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from api_builders import MERCHANT, Api, Clock
from cap_builders import NOW
from ledger_builders import a_proposal
from metric_readers import counted, read
from serving.app import create_app
from serving.forking import REPLACES
from serving.ledger.reservations import Reservation
from serving.ledger_access import open_ledger
from serving.metrics import Metrics
from serving.service import Service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart


def test_a_stop_in_force_shows_and_so_do_states_in_which_nothing_waits(api: Api) -> None:
    assert not counted(read(api), "recoup_stops_in_force")
    api.post("/v1/admin/stop", {"reason": "an incident"})
    text = read(api)
    assert counted(text, "recoup_stops_in_force") == [({"of": "everybody"}, 1.0)]
    assert 'recoup_events_out{state="failed"} 0.0' in text
    assert 'recoup_webhook_deliveries_unsettled{state="stored"} 0.0' in text


def test_holds_are_counted_once_by_how_they_ended(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    release = f"/v1/reservations/{held['reservation_id']}/release"
    api.post(release, MERCHANT)
    api.post(release, MERCHANT)
    assert counted(read(api), "recoup_holds_ended_total") == [({"how": "released"}, 1.0)]


def test_holds_that_nobody_used_are_counted_as_expired(settings: Settings, service: Service) -> None:
    metrics = Metrics()
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        ledger.when_ended = metrics.hold_ended
        assert isinstance(ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1"), Reservation)
        ledger.expire(NOW + timedelta(days=1))
        ledger.expire(NOW + timedelta(days=1))
    assert counted(metrics.text().decode(), "recoup_holds_ended_total") == [({"how": "expired"}, 1.0)]


@pytest.mark.parametrize("replaces", [True, False])
def test_a_worker_in_the_place_of_another_counts_that(
    settings: Settings, service: Service, monkeypatch: pytest.MonkeyPatch, *, replaces: bool
) -> None:
    if replaces:
        monkeypatch.setenv(REPLACES, "1")
    api = Api(create_app(settings, service=service, live=True), Clock(NOW))
    assert [value for _, value in counted(read(api), "recoup_workers_replaced_total")] == [1.0] * replaces
