"""Traces by OpenTelemetry, where its own variables ask for them; where they do not, nothing of it is imported.

A span says what was done and for how long: the route's template, never an address, an id, a value or a message of an
error, for any of them may be about a person.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from features.errors import InvalidValueError

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

EXPORTERS = ("otlp", "console", "none")
UNTOLD: "TelemetryConfig" = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""For FastAPI, whose own telemetry would tell addresses as they were sent, and the messages of errors."""

_PROTOCOL = "http/protobuf"
_OTHERWISE = "collectors take at port 4318; nothing else is spoken here. OTEL_TRACES_EXPORTER=none does without traces"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FAILED = 500
_OFF: AbstractContextManager[None] = nullcontext()


class _Tracing:
    """The tracer of this process; None while there are no traces."""

    tracer: "Tracer | None" = None


def asked_for(environment: Mapping[str, str]) -> str:
    """The exporter that OpenTelemetry's variables ask for, `none` where they ask for nothing.

    Raises:
        InvalidValueError: An exporter or a protocol that the service does not have.

    >>> asked_for({}), asked_for({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    ('none', 'otlp')
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "none"
    aimed = any(environment.get(name) for name in _ENDPOINTS)
    exporter = environment.get("OTEL_TRACES_EXPORTER") or ("otlp" if aimed else "none")
    if exporter not in EXPORTERS:
        raise InvalidValueError("OTEL_TRACES_EXPORTER", exporter, f"one of {', '.join(EXPORTERS)}")
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if exporter == "otlp" and environment.get(name, _PROTOCOL) not in {"", _PROTOCOL}:
            raise InvalidValueError(name, environment[name], f"{_PROTOCOL}, which {_OTHERWISE}")
    return exporter


@contextmanager
def tracing(environment: Mapping[str, str]) -> Iterator[None]:
    """Trace while the block runs, where the variables ask for it; what is not sent yet is sent at its end.

    Raises:
        InvalidValueError: They ask for what the service does not have.
    """
    exporter = asked_for(environment)
    if exporter == "none":
        yield
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    named = "OTEL_SERVICE_NAME" in environment or "service.name" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": "recoup"}))
    provider.add_span_processor(_processor(exporter))
    _Tracing.tracer = provider.get_tracer("recoup")
    try:
        yield
    finally:
        _Tracing.tracer = None
        provider.shutdown()


def stage(name: str) -> AbstractContextManager[object]:
    """A span around a piece of work, inside the one that is open."""
    tracer = _Tracing.tracer
    if tracer is None:
        return _OFF
    # What an error says may be about a person: that there was one is seen where it ends.
    return tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[Callable[[str, int], None]]:
    """The span of a request, inside the caller's trace where it sends one; called with how it ended."""
    tracer = _Tracing.tracer
    if tracer is None:
        yield _nothing
        return
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    outside = TraceContextTextMapPropagator().extract(headers)
    with tracer.start_as_current_span(
        method, outside, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:

        def ended(route: str, status: int) -> None:
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            )
            if status >= _FAILED:
                span.set_status(StatusCode.ERROR)

        yield ended


def _processor(exporter: str) -> "SpanProcessor":
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

    if exporter == "console":
        return SimpleSpanProcessor(
            ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: f"{span.to_json(indent=None)}\n")
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())


def _nothing(_route: str, _status: int) -> None:
    """Where there are no traces there is nothing to say."""
