"""The addresses of decisions that were answered: list them, see one whole, compute one again."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from features.errors import InvalidValueError
from serving.decided_with import Versions
from serving.decision_answers import (
    DecisionReplay,
    DecisionsPage,
    KeptDecisionOut,
    decisions_out,
    kept_decision_body,
    replay_out,
)
from serving.edge import note
from serving.ledger.decisions import KeptDecision, decisions_before, maybe_decision
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.ledger_openapi import refusals
from serving.paging import limit_in, page_of, place_in
from serving.recomputing import recomputed
from serving.tenancy.caller import merchant_in_query
from serving.trust.current import Current
from serving.urls import path_id, query_id, send

_REFUSALS = refusals("invalid", "unknown", "ledger")


def decision_routes(access: LedgerAccess, current: Current, models: Path) -> APIRouter:
    """The addresses of kept decisions.

    Args:
        current: What decides now; what it used when this was first asked is not read again.
        models: Where artifacts that answered before are kept.
    """
    router = APIRouter(tags=["decisions"], responses=_REFUSALS)

    @cache
    def versions_of(ledger: Ledger) -> Versions:
        return Versions(ledger.store, current.service, models)

    @router.get("/v1/decisions", response_model=DecisionsPage, summary="Decisions")
    async def decisions(
        request: Request,
        payment_id: str | None = None,
        merchant_id: str | None = None,
        limit: str | None = None,
        cursor: str | None = None,
    ) -> Response:
        """What was decided, the latest first; of one payment where it is named."""
        merchant, most = merchant_in_query(request, merchant_id), limit_in(limit)
        payment = None if payment_id is None else query_id("payment_id", payment_id)
        place = place_in(cursor, (int, str))
        before = None if place is None else (int(place[0]), str(place[1]))
        found = await access.ask(lambda ledger: decisions_before(ledger.store, merchant, payment, most + 1, before))
        return send(decisions_out(page_of(found, most, lambda one: one.place)))

    @router.get("/v1/decisions/{decision_id}", response_model=KeptDecisionOut, summary="One decision")
    async def decision(request: Request, decision_id: str, merchant_id: str | None = None) -> Response:
        """A decision as it was answered, with its whole explanation."""
        name, merchant = path_id("decision_id", decision_id), merchant_in_query(request, merchant_id)
        kept = await access.ask(lambda ledger: _found(ledger, merchant, name))
        return Response(kept_decision_body(kept), media_type="application/json")

    @router.post(
        "/v1/decisions/{decision_id}/replay", response_model=DecisionReplay, summary="Compute a decision again"
    )
    async def replay(request: Request, decision_id: str, merchant_id: str | None = None) -> Response:
        """Compute a decision again from what it was made from, and compare the answers byte for byte.

        The context, what the ledger knew, and the model, rules and figures of then are used, never those of now in
        their place. Nothing is written or held.
        """
        name, merchant = path_id("decision_id", decision_id), merchant_in_query(request, merchant_id)
        found = await access.ask(lambda ledger: recomputed(_found(ledger, merchant, name), versions_of(ledger)))
        note(request, decision_id=name, replay=found.outcome)
        return send(replay_out(found))

    return router


def _found(ledger: Ledger, merchant_id: str, decision_id: str) -> KeptDecision:
    kept = maybe_decision(ledger.store, merchant_id, decision_id)
    if kept is None:
        raise InvalidValueError("decision_id", decision_id, "a decision that is kept")
    return kept
