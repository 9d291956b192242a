"""The addresses that show the experiments of the service, each with the exposures of one merchant."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from experiments.definition import Definition
from serving.errors import FieldError, Kind, RequestError
from serving.experiment_answers import ExperimentOut, ExperimentsAnswer, about, experiment_out
from serving.experiment_report_answers import ReportAnswer, report_answer
from serving.kept_reports import Reports, Standing
from serving.ledger.exposures import exposure_counts
from serving.ledger_access import LedgerAccess
from serving.ledger_openapi import refusals
from serving.openapi import Json
from serving.service import Service
from serving.tenancy.caller import caller_of, merchant_in_query
from serving.urls import path_id, send
from serving.wanted_reports import Wanted

_REFUSALS = refusals("invalid", "unknown", "ledger")
_AGAIN_IN_S = 5
_REPORT_RESPONSES: dict[int | str, Json] = {
    202: {"description": "The first report is being computed; ask again after Retry-After", "model": ReportAnswer}
}


def experiment_routes(
    service: Service, access: LedgerAccess, reports: Reports, clock: Callable[[], datetime]
) -> APIRouter:
    """The addresses of experiments."""
    router = APIRouter(tags=["experiments"], responses=_REFUSALS)

    @router.get("/v1/experiments", response_model=ExperimentsAnswer, summary="Experiments")
    async def experiments(request: Request, merchant_id: str | None = None) -> Response:
        """Every experiment that may be about the merchant, drafts and concluded ones too."""
        merchant = merchant_in_query(request, merchant_id)
        known = [one for one in service.experiments.definitions if about(one, merchant)]
        return send(ExperimentsAnswer(experiments=tuple([await _counted(access, one, merchant) for one in known])))

    @router.get("/v1/experiments/{key}", response_model=ExperimentOut, summary="One experiment")
    async def experiment(request: Request, key: str, merchant_id: str | None = None) -> Response:
        """What an experiment asks, where it stands, and how many of the merchant's payments each variant answered."""
        definition, merchant = _asked(request, key, merchant_id)
        return send(await _counted(access, definition, merchant))

    @router.get(
        "/v1/experiments/{key}/report",
        response_model=ReportAnswer,
        responses=_REPORT_RESPONSES,
        summary="Report of an experiment",
    )
    async def experiment_report(request: Request, key: str, merchant_id: str | None = None) -> Response:
        """What may be read of an experiment today, from the merchant's own payments: the last report and its age.

        A report is computed beside the service, one at a time. One that is older than the service's setting is
        answered all the same, and computed anew meanwhile; while there is none yet, the answer is 202.
        """
        definition, merchant = _asked(request, key, merchant_id)
        database = await access.ask(lambda ledger: ledger.store.url)
        wanted = Wanted(merchant, definition, database, clock(), in_sandbox=caller_of(request).sandbox)
        standing = await run_in_threadpool(reports.standing, wanted)
        return _reported(definition, merchant, standing, wanted.as_of)

    def _asked(request: Request, key: str, merchant_id: str | None) -> tuple[Definition, str]:
        """The experiment and the merchant that a question is about."""
        name, merchant = path_id("key", key), merchant_in_query(request, merchant_id)
        known = {one.key: one for one in service.experiments.definitions if about(one, merchant)}
        if name not in known:
            expected = f"the key of an experiment: {', '.join(sorted(known)) or 'there is none'}"
            fault = FieldError("key", name, expected)
            raise RequestError(Kind.UNKNOWN_ID, str(fault), (fault,))
        return known[name], merchant

    return router


async def _counted(access: LedgerAccess, definition: Definition, merchant_id: str) -> ExperimentOut:
    """The experiment; a service that keeps no ledger has exposed nobody."""
    if access.ledger is None:
        return experiment_out(definition, ())
    counts = await access.ask(lambda ledger: exposure_counts(ledger.store, definition.key, merchant_id))
    return experiment_out(definition, counts)


def _reported(definition: Definition, merchant_id: str, standing: Standing, now: datetime) -> Response:
    """The report as it stands.

    Raises:
        RequestError: There is none, and it could not be computed.
    """
    kept = standing.kept
    if kept is not None and kept.facts is None and kept.failed is not None:
        raise RequestError(Kind.REPORT_FAILED, f"The report of {definition.key} cannot be computed: {kept.failed}")
    answer = report_answer(definition, merchant_id, standing, now)
    if answer.report is not None:
        return send(answer)
    return Response(
        answer.model_dump_json(),
        status_code=202,
        headers={"retry-after": str(_AGAIN_IN_S)},
        media_type="application/json",
    )
