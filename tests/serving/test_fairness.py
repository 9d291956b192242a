"""Large requests have turns and cost their key more; usual ones know nothing of it."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from serving.errors import RequestError
from serving.examples import EXAMPLES
from serving.fairness import Fairness
from serving.idempotency import is_answered_anew
from serving.requests import parse_request
from serving.schemas import DecisionRequest
from serving.service import Service
from serving.sizes import cost_of_request, is_large
from serving.tenancy.caller import Caller
from serving.tenancy.keys import Scope
from serving.trust.ladder import Bounds

CALLER = Caller("acme", Scope.DECIDE, "a key")


def request(routes: int, merchant_id: str = "acme") -> DecisionRequest:
    """A request of one method for each 20 routes, or of the routes that were attempted where they are none."""
    document = orjson.loads(EXAMPLES[0].body)
    document["payment"]["merchant_id"] = merchant_id
    method = document["methods"][0]
    document["methods"] = [
        method | {"method_id": method["method_id"] + "x" * place, "processors": [f"p{number}" for number in range(20)]}
        for place in range(routes // 20)
    ] or [{name: value for name, value in method.items() if name != "processors"}]
    return parse_request(orjson.dumps(document))


@pytest.fixture
def charged() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def fairness(charged: list[tuple[str, int]]) -> Fairness:
    return Fairness(lambda key_id, tokens: charged.append((key_id, tokens)))


@pytest.fixture
def hurried(service: Service) -> Service:
    return replace(service, bounds=Bounds(seconds=0.02)).for_request(None)


def test_a_usual_request_costs_nothing_more_and_waits_for_nobody(
    fairness: Fairness, charged: list[tuple[str, int]], hurried: Service
) -> None:
    with fairness.turn_here(request(400), CALLER, hurried):
        del charged[:]
        for routes in (0, 20):
            with fairness.turn_here(request(routes), CALLER, hurried):
                assert charged == []


def test_a_large_request_is_charged_by_its_size_and_refused_where_its_turn_does_not_come(
    fairness: Fairness, charged: list[tuple[str, int]], hurried: Service
) -> None:
    large = request(400)
    cost = cost_of_request(large)
    assert (cost, is_large(cost)) == (17, True)
    with (
        fairness.turn_here(large, CALLER, hurried),
        pytest.raises(RequestError, match="turn of this one") as refused,
        fairness.turn_here(request(400, "beta"), CALLER, hurried),
    ):
        pass
    assert charged == [("a key", cost - 1)] * 2
    assert (refused.value.kind.status, refused.value.retry_after_s) == (429, 1)
    assert is_answered_anew(refused.value.kind.status)
    with fairness.turn_here(large, CALLER, hurried):
        pass


def test_in_an_event_loop_it_is_the_same(fairness: Fairness, hurried: Service) -> None:
    async def both() -> None:
        async with fairness.turn(request(400), CALLER, hurried), fairness.turn(request(20), CALLER, hurried):
            with pytest.raises(RequestError, match="turn of this one"):
                async with fairness.turn(request(400), CALLER, hurried):
                    pass

    asyncio.run(both())
