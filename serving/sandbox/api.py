"""The addresses of the sandbox itself: its clock, what processors answer in it, and wiping it."""

from datetime import UTC

from fastapi import APIRouter, Request, Response

from serving.edge import read_body
from serving.ledger_openapi import body_of, refusals
from serving.openapi import Json
from serving.requests import parse
from serving.sandbox.door import here_of
from serving.sandbox.sandboxes import Here, Sandboxes
from serving.sandbox.schemas import (
    SandboxAnswer,
    SandboxAnswers,
    SandboxClock,
    SandboxMoved,
    SandboxRule,
    SandboxState,
)
from serving.sandbox.script import Rule, ToldAnswer
from serving.sandbox.state import script_set
from serving.settings import Settings
from serving.urls import send

_REFUSALS = refusals("invalid", "ledger")
_BODY_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "ledger")

CLOCKS: dict[str, Json] = {
    "later": {"summary": "Move on", "value": {"now": "2026-12-23T08:00:00Z"}},
    "anew": {"summary": "Begin anew at an instant", "value": {"now": "2026-11-23T09:00:00Z", "reset": True}},
}
ANSWERS: dict[str, Json] = {
    "third": {
        "summary": "Declined twice, then approved",
        "value": {
            "rules": [
                {
                    "answers": [
                        {"outcome": "declined", "code": "51"},
                        {"outcome": "declined", "code": "51"},
                        {"outcome": "approved"},
                    ]
                }
            ]
        },
    },
    "date": {
        "summary": "Approved from a day on, declined before",
        "value": {
            "rules": [
                {"not_before": "2026-12-01T00:00:00Z", "answers": [{"outcome": "approved"}]},
                {"answers": [{"outcome": "declined", "code": "51"}]},
            ]
        },
    },
}


def sandbox_routes(sandboxes: Sandboxes, settings: Settings) -> APIRouter:
    """The addresses, for keys of sandboxes."""
    router = APIRouter(tags=["sandbox"])

    @router.get("/v1/sandbox", response_model=SandboxState, responses=_REFUSALS, summary="How the sandbox stands")
    async def sandbox(request: Request) -> Response:
        """What time it is in there, and what processors answer."""
        return send(_state(here_of(request)))

    @router.delete("/v1/sandbox", response_model=SandboxState, responses=_REFUSALS, summary="Wipe the sandbox")
    async def wipe(request: Request) -> Response:
        """Remove everything in it; its clock shows the time of day again."""
        return send(_state(await sandboxes.wiped(here_of(request), sandboxes.clock())))

    @router.put(
        "/v1/sandbox/clock",
        response_model=SandboxMoved,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(SandboxClock, CLOCKS),
        summary="Set the clock",
    )
    async def clock(request: Request) -> Response:
        """Move the clock on, or wipe the sandbox and begin anew at any instant.

        Holds and recoveries whose time is over by then end, as they would have in that time.
        """
        here = here_of(request)
        given = parse(await read_body(request, settings.max_body_bytes), SandboxClock)
        at = given.now.astimezone(UTC)
        if given.reset:
            here = await sandboxes.wiped(here, at)
        moved = await sandboxes.moved(here, at)
        stands = _state(moved.here).model_dump()
        return send(SandboxMoved(**stands, holds_ended=moved.holds, recoveries_ended=moved.recoveries))

    @router.put(
        "/v1/sandbox/answers",
        response_model=SandboxState,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(SandboxAnswers, ANSWERS),
        summary="Say what processors answer",
    )
    async def answers(request: Request) -> Response:
        """From now on, instead of what was said before."""
        here = here_of(request)
        given = parse(await read_body(request, settings.max_body_bytes), SandboxAnswers)
        rules = [_rule(one) for one in given.rules]
        state = await sandboxes.live.ask(lambda ledger: script_set(ledger.store, here.state, rules))
        return send(_state(Here(state, here.sandbox)))

    return router


def _state(here: Here) -> SandboxState:
    state = here.state
    rules = tuple(_rule_out(rule) for rule in state.rules)
    return SandboxState(merchant_id=state.merchant_id, generation=state.generation, now=state.now, rules=rules)


def _rule(given: SandboxRule) -> Rule:
    answers = tuple(ToldAnswer(one.outcome, one.code, one.subcode, one.advice_code) for one in given.answers)
    return Rule(answers, given.payment_id, given.method_id, given.processor, given.not_before, given.before)


def _rule_out(rule: Rule) -> SandboxRule:
    answers = tuple(
        SandboxAnswer(outcome=one.outcome, code=one.code, subcode=one.subcode, advice_code=one.advice_code)
        for one in rule.answers
    )
    return SandboxRule(
        answers=answers,
        payment_id=rule.payment_id,
        method_id=rule.method_id,
        processor=rule.processor,
        not_before=rule.not_before,
        before=rule.before,
    )
