"""The one place that builds the HTTP application."""

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI
from structlog.typing import FilteringBoundLogger

from model.boosted import BoostedScorer
from serving.admin_api import admin_routes
from serving.answers import answer_of
from serving.api import routes
from serving.contexts import context_of
from serving.draining import Draining
from serving.edge import Edge
from serving.events_out.delivering import delivering
from serving.events_out.targets import targets_in
from serving.examples import EXAMPLES
from serving.experiments_api import experiment_routes
from serving.expiring import expiring
from serving.idempotency import Idempotency
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess, open_ledger
from serving.logs import service_log
from serving.metrics import Metrics
from serving.metrics_api import metrics_routes, public_in
from serving.openapi import describe
from serving.payments_api import payment_routes
from serving.problems import install
from serving.reports_api import report_routes
from serving.requests import parse_request
from serving.reservations_api import method_routes, reservation_routes
from serving.rulebook_api import rulebook_routes
from serving.service import Service, load_service
from serving.settings import Auth, Settings, settings_from
from serving.tenancy.asking import asks_for_keys, settled_auth
from serving.tenancy.gate import Gate
from serving.tenancy.key_ring import KeyRing
from serving.webhooks.api import webhook_routes
from serving.webhooks.endpoints import endpoints_in
from serving.webhooks.retrying import retrying


def create_app(
    settings: Settings,
    *,
    service: Service | None = None,
    ledger: Ledger | None = None,
    clock: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The application: everything it needs is loaded here, so that it is ready before it takes a request.

    Args:
        service: What answers, where it is loaded already.
        ledger: Counts and holds; without one, decisions count what requests tell and nothing can be reserved. It is
            closed with the application.
        clock: Gives the instant of a request that names no `as_of` (aware, UTC); the machine's clock when absent.

    Raises:
        InputError: A file that the settings name cannot be used.
    """
    log, service = service_log(settings.log_format), service or load_service(settings)
    metrics, draining = Metrics(), Draining(settings.drain_seconds)
    access, now = LedgerAccess(ledger, service.rulebook, metrics), clock or _machine_clock
    endpoints = endpoints_in(settings.webhooks, os.environ)
    targets = targets_in(settings.event_targets, os.environ)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        _warm(service)
        _log_start(log, service)
        scorer, number = service.answering.scorer, service.answering.registered_version
        metrics.answers_with(scorer.source, scorer.version, number, now())
        draining.listen(log)
        async with (
            expiring(access, log, now),
            retrying(access, endpoints, log, now),
            delivering(access, targets, log, now),
        ):
            yield
        access.close()

    app = FastAPI(openapi_url="/openapi.json", redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.include_router(routes(service, access, settings, now, draining))
    app.include_router(metrics_routes(metrics))
    app.include_router(report_routes(access, settings, now))
    app.include_router(reservation_routes(access, settings, now))
    app.include_router(method_routes(access, now))
    app.include_router(payment_routes(access))
    app.include_router(admin_routes(access, settings, now))
    app.include_router(rulebook_routes(service, now))
    app.include_router(experiment_routes(service, access))
    app.include_router(webhook_routes(access, endpoints, settings, now))
    # The last one added is the first that a request meets.
    app.add_middleware(Idempotency, access=access, longest=settings.max_body_bytes, clock=now)
    keys = KeyRing(access) if asks_for_keys(settings, ledger) else None
    app.add_middleware(Gate, keys=keys, clock=now, public=public_in(settings))
    app.add_middleware(Edge, log=log, metrics=metrics)
    install(app)
    describe(app)
    return app


def app_from_environment() -> FastAPI:
    """The application as its environment asks for; what a server process calls."""
    settings = settings_from(os.environ)
    service = load_service(settings)
    ledger = open_ledger(settings, service.rulebook)
    if settings.auth is Auth.AUTO:
        settings = replace(settings, auth=settled_auth(settings, ledger, host=None))
    return create_app(settings, service=service, ledger=ledger)


def _warm(service: Service) -> None:
    """Calendars, code tables and adapters are made on first use; the first caller shall not wait for them."""
    for example in EXAMPLES:
        context = context_of(parse_request(example.body), _machine_clock())
        answer_of(service.decide(context), context).model_dump_json()
    # What is loaded by now stays; without this the collector walks all of it every few dozen decisions (0.1 s each).
    gc.collect()
    gc.freeze()


def _log_start(log: FilteringBoundLogger, service: Service) -> None:
    scorer, refused = service.answering.scorer, service.answering.refused
    if isinstance(scorer, BoostedScorer):
        seconds = round(service.answering.prepared_seconds, 3)
        log.info("model prepared", model=scorer.version, engine=scorer.engine, seconds=seconds)
    log.info("ready", policy_source=scorer.source, model=scorer.version, rulebook=service.rulebook.version)
    if refused is not None:
        log.warning("no model answers", asked=service.answering.asked, reason=refused)


def _machine_clock() -> datetime:
    return datetime.now(UTC)
