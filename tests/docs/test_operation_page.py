"""The page on operation, its dashboard and its alerts name what the service really tells."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from features.decline import Decline
from features.vocabulary import Network
from serving.contexts import context_of
from serving.examples import EXAMPLES
from serving.ledger.migrate import migrate
from serving.ledger.opening import store_at
from serving.ledger.reservations import Reason, ReasonCode
from serving.ledger.store import Failure
from serving.ledger_gauges import gauges
from serving.metrics import Metrics
from serving.requests import parse_request
from serving.service import prior_service

DOCS = Path(__file__).parents[2] / "docs"
FILES = DOCS / "operation"
ROW = re.compile(r"^\| `(recoup_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
NAME = re.compile(r"\brecoup_\w+")
GIVEN_BY_PROMETHEUS = {"le", "job", "instance"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, set[str]]]:
    """Kind and labels by name, as a service tells them once all that is counted has happened."""
    metrics, now = Metrics(), datetime(2026, 11, 23, tzinfo=UTC)
    reasons = (Reason(ReasonCode.OVER_CAP, "a rule forbids it"),)
    metrics.answered("GET", "/ready", 200, 0.1)
    metrics.decided(prior_service().decide(context_of(parse_request(EXAMPLES[0].body), now)), 0.1)
    metrics.not_held(reasons)
    metrics.checked(reasons)
    metrics.delivered("stripe", "applied")
    metrics.declined("stripe", Decline(Network.VISA, "QX"), "report")
    metrics.answers_with("prior", "prior-1", None, now)
    metrics.model_refused("champion")
    metrics.registry_away(away=True)
    metrics.shadowed("same", 0.01)
    metrics.ledger_failed(Failure.UNWRITABLE)
    found: dict[str, tuple[str, set[str]]] = {}
    with closing(store_at(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")) as store:
        migrate(store)
        text = metrics.text() + gauges(store, now)
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, (family.type, set()))[1].update(sample.labels)
    return found


def expressions() -> list[str]:
    dashboard: dict[str, Any] = json.loads((FILES / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    rules: dict[str, Any] = yaml.safe_load((FILES / "alerts.yaml").read_text())
    return queries + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def labels_in(expression: str) -> set[str]:
    """Labels that an expression selects or groups by."""
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    selected = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    return {label.strip() for group in grouped for label in group.split(",")} | set(selected)


def test_the_table_lists_every_metric_with_its_kind_and_labels(told: dict[str, tuple[str, set[str]]]) -> None:
    shown = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall((DOCS / "operation.md").read_text(encoding="utf-8"))
    }
    parts = re.compile(r"(_seconds|_difference)_(bucket|sum|count)$")
    real = {parts.sub(r"\1", name): (kind, labels - {"le"}) for name, (kind, labels) in told.items()}
    assert shown == real


def test_every_query_of_the_dashboard_and_the_alerts_is_about_what_is_told(
    told: dict[str, tuple[str, set[str]]],
) -> None:
    asked = expressions()
    assert len(asked) > 25
    for expression in asked:
        names = NAME.findall(expression)
        assert names or expression.startswith("up{")
        assert set(names) <= set(told), expression
        known = GIVEN_BY_PROMETHEUS.union(*(told[name][1] for name in names))
        assert labels_in(expression) <= known, expression


def test_counters_are_looked_at_as_rates_and_every_metric_is_on_the_dashboard(
    told: dict[str, tuple[str, set[str]]],
) -> None:
    for expression in expressions():
        for name in NAME.findall(expression):
            if told[name][0] in {"counter", "histogram"}:
                assert re.search(rf"(rate|increase)\({name}\b", expression), expression
    shown = set(NAME.findall((FILES / "grafana.json").read_text()))
    assert {name for name in told if not name.endswith(("_sum", "_count", "_bucket"))} <= shown
    assert {name for name in told if name.endswith("_bucket")} <= shown


def test_the_panels_have_titles_of_their_own_and_do_not_overlap() -> None:
    panels = json.loads((FILES / "grafana.json").read_text())["panels"]
    assert len({panel["title"] for panel in panels}) == len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells


def test_every_alert_pages_or_makes_a_ticket_and_says_what_to_do_under_a_name_of_its_own() -> None:
    rules = [rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_series_that_alerts_compare_with_nothing_exist_before_anything_is_counted() -> None:
    """Prometheus sees no increase in a series that begins at 1."""
    metrics = Metrics()
    metrics.follows("champion", "challenger")
    text = metrics.text().decode()
    for series in (
        'recoup_webhook_deliveries_total{result="failed",source="stripe"} 0.0',
        'recoup_webhook_deliveries_total{result="not-signed",source="adyen"} 0.0',
        'recoup_models_refused_total{alias="challenger"} 0.0',
        'recoup_stepped_down_total{policy_source="model",why="slow"} 0.0',
        'recoup_ledger_failures_total{failure="unwritable"} 0.0',
        'recoup_holds_ended_total{how="expired"} 0.0',
        "recoup_workers_replaced_total 0.0",
    ):
        assert sorted(re.findall(r"[\w.-]+", series)) in [
            sorted(re.findall(r"[\w.-]+", line)) for line in text.splitlines()
        ]
