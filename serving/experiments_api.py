"""The addresses that show the experiments of the service, each with the exposures of one merchant."""

from fastapi import APIRouter, Request, Response

from experiments.definition import Definition
from serving.errors import FieldError, Kind, RequestError
from serving.experiment_answers import ExperimentOut, ExperimentsAnswer, about, experiment_out
from serving.ledger.exposures import exposure_counts
from serving.ledger_access import LedgerAccess
from serving.ledger_openapi import refusals
from serving.service import Service
from serving.tenancy.caller import merchant_in_query
from serving.urls import path_id, send

_REFUSALS = refusals("invalid", "unknown", "ledger")


def experiment_routes(service: Service, access: LedgerAccess) -> APIRouter:
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
        name, merchant = path_id("key", key), merchant_in_query(request, merchant_id)
        known = {one.key: one for one in service.experiments.definitions if about(one, merchant)}
        if name not in known:
            expected = f"the key of an experiment: {', '.join(sorted(known)) or 'there is none'}"
            fault = FieldError("key", name, expected)
            raise RequestError(Kind.UNKNOWN_ID, str(fault), (fault,))
        return send(await _counted(access, known[name], merchant))

    return router


async def _counted(access: LedgerAccess, definition: Definition, merchant_id: str) -> ExperimentOut:
    """The experiment; a service that keeps no ledger has exposed nobody."""
    if access.ledger is None:
        return experiment_out(definition, ())
    counts = await access.ask(lambda ledger: exposure_counts(ledger.store, definition.key, merchant_id))
    return experiment_out(definition, counts)
