"""The address that Prometheus reads."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST

from serving.errors import Kind, RequestError
from serving.ledger_access import LedgerAccess
from serving.ledger_gauges import gauges
from serving.metrics import Metrics
from serving.settings import MetricsAccess, Settings
from serving.tenancy.caller import caller_of
from serving.tenancy.gate import METRICS, PUBLIC

_LONGEST_S = 2.0


def metrics_routes(metrics: Metrics, access: LedgerAccess, clock: Callable[[], datetime]) -> APIRouter:
    """The address, which is no part of the interface that billing systems use."""
    router = APIRouter(include_in_schema=False)

    @router.get(METRICS)
    async def read(request: Request) -> Response:
        """Every count and time, of all workers together."""
        if not caller_of(request).is_operator:
            detail = "The metrics are of all merchants together; this needs an operator's key"
            raise RequestError(Kind.FORBIDDEN, detail)
        text = await run_in_threadpool(metrics.text)
        return Response(text + await _of_the_ledger(access, clock()), media_type=CONTENT_TYPE_LATEST)

    return router


async def _of_the_ledger(access: LedgerAccess, now: datetime) -> bytes:
    """What stands in the ledger; nothing while it cannot say, so that no old figure passes for one of now."""
    if access.ledger is None:
        return b""
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await access.ask(lambda ledger: gauges(ledger.store, now))
    except (RequestError, TimeoutError):
        return b""


def public_in(settings: Settings) -> frozenset[str]:
    """The addresses that need no key under these settings."""
    return PUBLIC | {METRICS} if settings.metrics is MetricsAccess.OPEN else PUBLIC
