"""The one place that builds the HTTP application."""

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, FastAPI
from structlog.typing import FilteringBoundLogger

from features.errors import RecoupError
from model.boosted import BoostedScorer
from model.prior import PriorScorer
from model.scorer import ScoreSource
from serving.admin_api import admin_routes
from serving.api import routes
from serving.batch_api import batch_routes
from serving.batch_sharing import for_neighbours
from serving.customers_api import customer_routes
from serving.decisions_api import decision_routes
from serving.draining import Draining
from serving.edge import Edge
from serving.events_out.delivering import delivering
from serving.events_out.lapsing import lapsing
from serving.events_out.targets import targets_in
from serving.experiments_api import experiment_routes
from serving.expiring import expiring
from serving.fairness import Fairness
from serving.forking import REPLACES
from serving.head import HeadAsGet
from serving.idempotency import Idempotency
from serving.ids_in_paths import register as take_ids_with_slashes
from serving.kept_models import MODELS, keep_artifact
from serving.kept_reports import Reports, reports_of
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess, open_ledger
from serving.logs import service_log
from serving.memory import giving_back, share_one_arena
from serving.metrics import Metrics
from serving.metrics_api import metrics_routes, public_in
from serving.money_back_api import money_back_routes
from serving.neighbours import Neighbours, neighbours_in
from serving.openapi import describe
from serving.parameters import only_known_parameters
from serving.payments_api import payment_routes
from serving.problems import install
from serving.registry import Answering
from serving.reports_api import report_routes
from serving.reservations_api import method_routes, reservation_routes
from serving.rulebook_api import rulebook_routes
from serving.sandbox.api import sandbox_routes
from serving.sandbox.attempts_api import sandbox_attempt_routes
from serving.sandbox.door import SandboxDoor
from serving.sandbox.sandboxes import Sandboxes, SandboxTime
from serving.service import Service, load_service
from serving.settings import Auth, Settings, settings_from
from serving.starting import collecting_nothing
from serving.tenancy.asking import asks_for_keys, settled_auth
from serving.tenancy.gate import Gate
from serving.tenancy.key_ring import KeyRing
from serving.traces import UNTOLD, tracing
from serving.trust.apart import Apart
from serving.trust.current import Current
from serving.trust.following import Follower, following
from serving.trust.ladder import Bounds
from serving.trust.shadow import Shadowing, shadowing
from serving.trust.warming import answer_examples
from serving.webhooks.api import webhook_routes
from serving.webhooks.endpoints import endpoints_in
from serving.webhooks.retrying import retrying


def create_app(
    settings: Settings,
    *,
    service: Service | None = None,
    ledger: Ledger | None = None,
    clock: Callable[[], datetime] | None = None,
    reports: Reports | None = None,
    live: bool = False,
) -> FastAPI:
    """The application: everything it needs is loaded here, so that it is ready before it takes a request.

    Args:
        service: What answers, where it is loaded already.
        ledger: Counts and holds; without one, decisions count what requests tell and nothing can be reserved. It is
            closed with the application.
        clock: Gives the instant of a request that names no `as_of` (aware, UTC); the machine's clock when absent.
        reports: Computes and keeps the reports of experiments; by processes of their own when absent.
        live: Keep to the time that a decision may take, and follow the registry, as a server does.

    Raises:
        InputError: A file that the settings name cannot be used.
    """
    if live:
        share_one_arena()
    log, service = service_log(settings.log_format), service or load_service(settings)
    metrics, draining = Metrics(), Draining(settings.drain_seconds)
    metrics.follows(settings.model_alias, settings.challenger_alias)
    if live and REPLACES in os.environ:
        metrics.worker_replaced()
    if ledger is not None:
        ledger.when_ended = metrics.hold_ended
    access, now = LedgerAccess(ledger, service.rulebook, metrics, log), clock or _machine_clock
    current = Current(replace(service, bounds=_bounds(settings, log, live=live)))
    shadow = Shadowing(current, ledger, metrics, log)
    follower = Follower(current, settings, metrics, log, now) if live and _is_followed(settings) else None
    reports = reports or reports_of(settings, log)
    neighbours = neighbours_in(os.environ, log)
    keys = KeyRing(access) if asks_for_keys(settings, ledger) else None
    fairness = Fairness() if keys is None else Fairness(keys.charge)
    endpoints = endpoints_in(settings.webhooks, os.environ)
    targets = targets_in(settings.event_targets, os.environ)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as held:
            # Let go of the last one first, and of every one of them, however the service comes to its end.
            for close in (access.close, sandboxes.close, reports.close):
                held.callback(close)
            _warm(current, log, now)
            _keep_model(current.service, settings, log)
            _log_start(log, current.service)
            answering = current.service.answering
            metrics.answers_with(
                answering.scorer.source,
                answering.scorer.version,
                answering.registered_version,
                now(),
                answering.prepared_seconds,
            )
            current.begin(now(), followed=follower is not None)
            draining.listen(log)
            async with (
                expiring(access, log, now, timedelta(days=settings.decisions_kept_days)),
                retrying(access, endpoints, log, now),
                lapsing(access, targets, log, now),
                delivering(access, targets, log, now),
                giving_back(log),
            ):
                doing_lots = neighbours.listening(for_neighbours(current, access, now, log, fairness))
                with tracing(os.environ), shadowing(shadow), following(follower, settings), doing_lots:
                    yield

    take_ids_with_slashes()
    app = FastAPI(
        openapi_url="/openapi.json",
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=UNTOLD,
    )

    known = [Depends(only_known_parameters)]

    def sandbox_app(its: LedgerAccess, time: SandboxTime) -> FastAPI:
        inner = FastAPI(openapi_url=None, redirect_slashes=False, telemetry=UNTOLD)
        for router in merchant_routers(current, its, settings, time, log, reports, Neighbours(None, log), fairness):
            inner.include_router(router, dependencies=known)
        inner.include_router(sandbox_routes(sandboxes, settings), dependencies=known)
        inner.include_router(sandbox_attempt_routes(sandboxes, settings), dependencies=known)
        inner.add_middleware(Idempotency, access=its, longest=settings.max_body_bytes, clock=now)
        install(inner)
        return inner

    sandboxes = app.state.sandboxes = Sandboxes(access, settings, service.rulebook, targets, sandbox_app, now, log)
    for router in merchant_routers(
        current, access, settings, now, log, reports, neighbours, fairness, shadow, draining
    ):
        app.include_router(router, dependencies=known)
    app.include_router(metrics_routes(metrics, access, now))
    app.include_router(webhook_routes(access, endpoints, settings, now))
    app.include_router(sandbox_routes(sandboxes, settings), dependencies=known)
    app.include_router(sandbox_attempt_routes(sandboxes, settings), dependencies=known)
    # The last one added is the first that a request meets.
    app.add_middleware(Idempotency, access=access, longest=settings.max_body_bytes, clock=now)
    app.add_middleware(SandboxDoor, sandboxes=sandboxes)
    app.add_middleware(Gate, keys=keys, clock=now, public=public_in(settings))
    app.add_middleware(Edge, log=log, metrics=metrics)
    app.add_middleware(HeadAsGet)
    install(app)
    describe(app)
    return app


def merchant_routers(
    current: Current,
    access: LedgerAccess,
    settings: Settings,
    now: Callable[[], datetime],
    log: FilteringBoundLogger,
    reports: Reports,
    neighbours: Neighbours,
    fairness: Fairness,
    shadow: Shadowing | None = None,
    draining: Draining | None = None,
) -> tuple[APIRouter, ...]:
    """What a merchant's key reaches, live and in its sandbox alike."""
    return (
        routes(current, shadow, access, settings, now, fairness, draining),
        batch_routes(current, access, settings, now, log, neighbours, fairness),
        decision_routes(access, current, settings.home / MODELS),
        report_routes(access, settings, now),
        customer_routes(access, settings, now),
        money_back_routes(access, settings, now),
        reservation_routes(access, settings, now),
        method_routes(access, now),
        payment_routes(access),
        admin_routes(access, settings, now),
        rulebook_routes(current.service, now),
        experiment_routes(current.service, access, reports, now),
    )


def app_from_environment() -> FastAPI:
    """The application as its environment asks for; what a server process calls."""
    with collecting_nothing():
        settings = settings_from(os.environ)
        service = load_service(settings)
        ledger = open_ledger(settings, service.rulebook)
        if settings.auth is Auth.AUTO:
            settings = replace(settings, auth=settled_auth(settings, ledger, host=None))
        return create_app(settings, service=service, ledger=ledger, live=True)


def _warm(current: Current, log: FilteringBoundLogger, clock: Callable[[], datetime]) -> None:
    """Calendars, code tables and adapters are made on first use; the first caller shall not wait for them.

    A model that fails on a worked example does not answer; the prior, which needs no model, has to.
    """
    try:
        answer_examples(current.service, clock)
    except Exception as error:
        if current.service.answering.scorer.source == "prior":
            raise
        log.exception("model failed on a worked example")
        failed = current.service.answering
        reason = f"it failed on a worked example ({type(error).__name__})"
        current.answer_with(Answering(PriorScorer(), failed.asked, failed.registered_version, reason), clock())
        answer_examples(current.service, clock)
    # What is loaded by now stays; without this the collector walks all of it every few dozen decisions (0.1 s each).
    gc.collect()
    gc.freeze()


def _keep_model(service: Service, settings: Settings, log: FilteringBoundLogger) -> None:
    """A model that answers stays where it can be found when its decisions are computed again."""
    if service.answering.folder is None:
        return
    try:
        keep_artifact(service.answering.folder, settings.home / MODELS)
    except RecoupError as error:
        log.warning("the model is not kept", reason=str(error))


def _log_start(log: FilteringBoundLogger, service: Service) -> None:
    scorer, refused = service.answering.scorer, service.answering.refused
    if isinstance(scorer, BoostedScorer):
        seconds = round(service.answering.prepared_seconds, 3)
        log.info("model prepared", model=scorer.version, engine=scorer.engine, seconds=seconds)
    log.info("ready", policy_source=scorer.source, model=scorer.version, rulebook=service.rulebook.version)
    if refused is not None:
        log.warning("no model answers", asked=service.answering.asked, reason=refused)


def _bounds(settings: Settings, log: FilteringBoundLogger, *, live: bool) -> Bounds:
    """What answers are bound by; only a server keeps the time, because only there does anybody wait."""

    def failed(policy_source: ScoreSource) -> None:
        log.exception("policy failed", policy_source=policy_source)  # noqa: LOG004 - called while it is handled

    bounds = Bounds(max_age_days=settings.model_max_age_days, failed=failed)
    return replace(bounds, seconds=settings.decision_seconds, run=Apart()) if live else bounds


def _is_followed(settings: Settings) -> bool:
    return settings.model is None and settings.follow_seconds > 0


def _machine_clock() -> datetime:
    return datetime.now(UTC)
