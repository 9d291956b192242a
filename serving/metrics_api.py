"""The address that Prometheus reads."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST

from serving.errors import Kind, RequestError
from serving.metrics import Metrics
from serving.settings import MetricsAccess, Settings
from serving.tenancy.caller import caller_of
from serving.tenancy.gate import METRICS, PUBLIC


def metrics_routes(metrics: Metrics) -> APIRouter:
    """The address, which is no part of the interface that billing systems use."""
    router = APIRouter(include_in_schema=False)

    @router.get(METRICS)
    async def read(request: Request) -> Response:
        """Every count and time, of all workers together."""
        if not caller_of(request).is_operator:
            detail = "The metrics are of all merchants together; this needs an operator's key"
            raise RequestError(Kind.FORBIDDEN, detail)
        return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)

    return router


def public_in(settings: Settings) -> frozenset[str]:
    """The addresses that need no key under these settings."""
    return PUBLIC | {METRICS} if settings.metrics is MetricsAccess.OPEN else PUBLIC
