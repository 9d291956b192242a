"""Traces tell what was done and how long it took, to a collector of OpenTelemetry, and nothing about anybody."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from api_builders import Clock, Document
from features.errors import InvalidValueError
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings
from serving.traces import asked_for

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


class Collector(HTTPServer):
    """Keeps what exporters send to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[ExportTraceServiceRequest] = []

    @property
    def spans(self) -> list[Span]:
        return [
            span for sent in self.taken for of in sent.resource_spans for in_ in of.scope_spans for span in in_.spans
        ]


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/traces"
        self.server.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def answered(settings: Settings, service: Service, *calls: tuple[str, str, Document | None]) -> list[httpx.Response]:
    """What a running service answers, until it has stopped and sent its traces."""

    async def run() -> list[httpx.Response]:
        app = create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook), clock=Clock())
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as one:
            return [
                await one.request(method, path, json=body, headers={"traceparent": CALLER})
                for method, path, body in calls
            ]

    return asyncio.run(run())


def test_a_decision_is_one_trace_of_the_caller_with_a_span_for_each_stage(
    collector: Collector, settings: Settings, service: Service, failed: Document
) -> None:
    (response,) = answered(settings, service, ("POST", "/v1/decisions", failed | {"reserve": True}))
    assert response.status_code == 200
    mine = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert {span.name for span in mine} == {
        *("POST /v1/decisions", "context", "ledger", "report", "record", "score and plan", "reserve"),
    }
    by_id = {span.span_id: span.name for span in mine}
    parents = {span.name: by_id.get(span.parent_span_id, "the caller") for span in mine}
    assert parents["POST /v1/decisions"] == "the caller"
    assert parents["context"] == parents["ledger"] == "POST /v1/decisions"
    assert {parents[name] for name in ("report", "record", "score and plan", "reserve")} == {"ledger"}


def test_no_span_says_anything_about_anybody(
    collector: Collector, settings: Settings, service: Service, failed: Document
) -> None:
    wrong = failed | {"customer_since": "Jane Roe"}
    answered(
        settings,
        service,
        ("POST", "/v1/decisions", failed | {"reserve": True}),
        ("POST", "/v1/decisions", wrong),
        ("GET", "/v1/payments/inv_1?merchant_id=acme", None),
        ("GET", "/v1/payments/inv_9?merchant_id=acme", None),
    )
    said = {
        attribute.key: {str(one.value) for span in collector.spans for one in span.attributes}
        for span in collector.spans
        for attribute in span.attributes
    }
    assert set(said) == {"http.request.method", "http.route", "http.response.status_code"}
    assert not [span for span in collector.spans if span.events or span.status.message]
    sent = b"".join(one.SerializeToString() for one in collector.taken)
    for word in (b"inv_1", b"inv_9", b"pm_1", b"cus_1", b"acme", b"Jane", b"att_1"):
        assert word not in sent, word
    assert b"GET /v1/payments/{payment_id}" in sent


def test_what_is_asked_for_by_the_standard_variables_is_what_is_done() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    assert asked_for({}) == "none"
    assert asked_for(endpoint) == "otlp"
    assert asked_for(endpoint | {"OTEL_SDK_DISABLED": "true"}) == "none"
    assert asked_for(endpoint | {"OTEL_TRACES_EXPORTER": "none"}) == "none"
    assert asked_for({"OTEL_TRACES_EXPORTER": "console"}) == "console"
    with pytest.raises(InvalidValueError, match="OTEL_TRACES_EXPORTER"):
        asked_for({"OTEL_TRACES_EXPORTER": "zipkin"})
    with pytest.raises(
        InvalidValueError, match=r"OTEL_EXPORTER_OTLP_PROTOCOL.*http/protobuf.*OTEL_TRACES_EXPORTER=none"
    ):
        asked_for(endpoint | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_without_traces_neither_the_sdk_nor_an_exporter_is_imported() -> None:
    program = (
        "import asyncio, sys; from serving.app import create_app; from serving.service import prior_service;"
        "from serving.settings import Settings; app = create_app(Settings(), service=prior_service());\n"
        "async def run():\n  async with app.router.lifespan_context(app): pass\n"
        "asyncio.run(run()); heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'google.protobuf', 'requests');"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_frameworks_own_telemetry_stays_off_whatever_the_environment_says(
    collector: Collector, settings: Settings, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    answered(settings, service, ("GET", "/v1/payments/inv_9?merchant_id=acme", None))
    assert collector.taken == []
