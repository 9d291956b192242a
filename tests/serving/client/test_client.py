"""The client against the real service: typed, again where that does no harm, and never twice what was meant once."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_builders import START, event
from client_builders import Faulty, InProcess, Mishap, client_of
from sandbox_builders import Sandboxed, sandboxed
from serving.client import AsyncRecoup, Recoup
from serving.client.errors import (
    ForbiddenError,
    InvalidRequestError,
    NotReachedError,
    RefusedError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnknownIdError,
)
from serving.client.retrying import NO_RETRIES, RetryPolicy
from serving.client.shapes import (
    AttemptIn,
    AttemptReport,
    BatchDecision,
    BatchEntry,
    BatchRefusal,
    CheckRequest,
    DecisionRequest,
    MethodIn,
    Network,
    Outcome,
    PaymentEvent,
    PaymentEventKind,
    PaymentIn,
    Rail,
    ReleaseRequest,
    ReportedAttempt,
    ReportedMethod,
    ReservedDecisionAnswer,
    RetryAction,
    SettledAttempt,
    SettleRequest,
)
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Sandboxed]:
    home = tmp_path_factory.mktemp("client")
    settings = Settings(home=home, database=f"sqlite:///{home}/ledger.db?synchronous=normal", log_format="json")
    with (
        closing(open_ledger(settings, service.rulebook)) as ledger,
        closing(sandboxed(settings, service, ledger)) as made,
    ):
        yield made


def a_request(payment_id: str, *, reserve: bool = False) -> DecisionRequest:
    return DecisionRequest(
        payment=PaymentIn(
            payment_id=payment_id,
            merchant_id="acme",
            customer_id="cus_1",
            amount_minor=2_999,
            currency="USD",
            due_at=START - timedelta(hours=2),
        ),
        methods=(
            MethodIn(method_id=f"pm_{payment_id}", rail=Rail.CARD, network=Network.VISA, processors=("northgate",)),
        ),
        attempts=(
            AttemptIn(
                attempt_id=f"att_{payment_id}",
                method_id=f"pm_{payment_id}",
                processor="northgate",
                attempted_at=START - timedelta(hours=2),
                outcome=Outcome.DECLINED,
                code="51",
            ),
        ),
        reserve=reserve,
    )


def an_entry(payment_id: str, amount_minor: int = 2_999) -> BatchEntry:
    one = a_request(payment_id)
    owed = replace(one.payment, amount_minor=amount_minor)
    return BatchEntry(payment=owed, methods=one.methods, attempts=one.attempts)


def a_report(number: int, payment_id: str) -> AttemptReport:
    attempt = ReportedAttempt(
        payment_id=payment_id,
        customer_id="cus_1",
        method=ReportedMethod(method_id="pm_pages", rail=Rail.CARD, network=Network.VISA),
        processor="northgate",
        amount_minor=2_999,
        currency="USD",
        attempted_at=START - timedelta(days=number + 1),
        outcome=Outcome.DECLINED,
        code="51",
    )
    return AttemptReport(merchant_id="acme", event_id=f"e{number}", attempt_id=f"a{number}", attempt=attempt)


def test_many_are_decided_in_one_call_and_one_that_is_refused_spoils_no_other(made: Sandboxed) -> None:
    made.clock.now = START
    with client_of(made.app, made.live_key) as recoup:
        first, second, third = recoup.decide_many([an_entry("many_1"), an_entry("many_2", -5), an_entry("many_3")])
    assert isinstance(first, BatchDecision)
    assert isinstance(third, BatchDecision)
    assert (first.decision.payment_id, third.decision.payment_id) == ("many_1", "many_3")
    assert isinstance(second, BatchRefusal)
    assert second.problem.errors[0].field == "payment.amount_minor"


def test_a_call_for_many_that_may_have_been_worked_on_is_not_made_again(made: Sandboxed) -> None:
    with client_of(made.app, made.live_key, mishaps=[Mishap.ANSWER_LOST]) as recoup, pytest.raises(NotReachedError):
        recoup.decide_many([an_entry("many_4")])


def test_a_check_whose_answer_was_lost_is_asked_anew_and_told_what_happened_meanwhile(made: Sandboxed) -> None:
    made.clock.now = START
    with client_of(made.app, made.live_key) as recoup:
        decided = recoup.decide(a_request("checked", reserve=True))
    assert isinstance(decided, ReservedDecisionAnswer)
    assert decided.reservation is not None
    made.clock.now = decided.reservation.fire_from
    told = event("payment_paid", "p_checked")

    def paid_meanwhile(_: float) -> None:
        assert made.live().post("/v1/payments/checked/events", told)["recorded"] == "new"

    network = Faulty(InProcess(made.app), [Mishap.ANSWER_LOST])
    with Recoup("http://localhost", made.live_key, transport=network, sleep=paid_meanwhile) as recoup:
        checked = recoup.check(decided.reservation.reservation_id, CheckRequest(merchant_id="acme"))
    assert (checked.go, [reason.code for reason in checked.reasons]) == (False, ["paid"])
    assert ["idempotency-key" in request.headers for request in network.sent] == [False, False]


def test_the_whole_loop_is_typed_from_the_decision_to_the_settlement(made: Sandboxed) -> None:
    made.clock.now = START
    with client_of(made.app, made.live_key) as recoup:
        decided = recoup.decide(a_request("loop", reserve=True))
        assert isinstance(decided, ReservedDecisionAnswer)
        assert isinstance(decided.action, RetryAction)
        assert decided.reservation is not None
        name = decided.reservation.reservation_id
        assert not recoup.check(name, CheckRequest(merchant_id="acme")).go
        made.clock.now = decided.reservation.fire_from
        assert recoup.check(name, CheckRequest(merchant_id="acme")).go
        attempt = SettledAttempt(attempt_id="att_2", attempted_at=made.clock.now, outcome=Outcome.APPROVED)
        settled = recoup.settle(name, SettleRequest(merchant_id="acme", attempt=attempt))
        assert (settled.reservation.state, settled.reservation.attempt_id) == ("spent", "att_2")
        paid = PaymentEvent(
            merchant_id="acme", event_id="p1", kind=PaymentEventKind.PAYMENT_PAID, happened_at=made.clock.now
        )
        assert recoup.tell_of_payment("loop", paid).recorded == "new"
        words = [one.word for one in recoup.all_payment("loop", limit=1) if one.entry == "attempt"]
        assert words == ["declined", "approved"]
    made.clock.now = START


def test_every_page_of_a_list_is_read(made: Sandboxed) -> None:
    reports = [a_report(number, f"page_{number}") for number in range(7)]
    with client_of(made.app, made.live_key) as recoup:
        assert recoup.report_attempts(reports).new == 7
        listed = [one.payment_id for one in recoup.all_payments(limit=2) if one.payment_id.startswith("page_")]
        assert listed == sorted(one.attempt.payment_id for one in reports if one.attempt)
        assert len(list(recoup.all_attempts_of_method("pm_pages", limit=3))) == 7


def test_refusals_are_of_their_kind_and_name_the_field(made: Sandboxed) -> None:
    wrong = a_request("wrong")
    with client_of(made.app, made.live_key) as recoup:
        with pytest.raises(InvalidRequestError) as invalid:
            recoup.decide(DecisionRequest(payment=wrong.payment, methods=wrong.methods, attempts=()))
        assert [fault.field for fault in invalid.value.faults] == ["attempts"]
        assert invalid.value.request_id
        with pytest.raises(UnknownIdError):
            recoup.reservation("rsv_nobody")
        with pytest.raises(ForbiddenError, match="recoup keys create --sandbox"):
            recoup.sandbox()
        with pytest.raises(ForbiddenError):
            recoup.payments(merchant_id="other")
    with client_of(made.app, "recoup_nobody_x") as recoup, pytest.raises(UnauthenticatedError):
        recoup.models()
    with client_of(made.app) as recoup:
        assert recoup.health().status == "alive"
        assert recoup.ready().status == "ready"


def test_ids_with_any_letters_are_asked_for_as_they_are(made: Sandboxed) -> None:
    with client_of(made.app, made.live_key) as recoup:
        with pytest.raises(UnknownIdError):
            recoup.payment("a/b?c#d")
        assert recoup.decline("stripe", "insufficient_funds").known


@given(mishaps=st.lists(st.sampled_from(Mishap), max_size=4), number=st.integers(0, 10**9))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_fails_on_the_way_a_place_is_held_at_most_once(
    made: Sandboxed, mishaps: list[Mishap], number: int
) -> None:
    payment_id = f"faulty_{number}_{'_'.join(one.name for one in mishaps)}"
    with client_of(made.app, made.live_key, mishaps=mishaps) as recoup:
        decided = recoup.decide(a_request(payment_id, reserve=True))
    assert isinstance(decided, ReservedDecisionAnswer)
    assert decided.reservation is not None
    entries = made.live().get(f"/v1/payments/{payment_id}")["entries"]
    held = [one["id"] for one in entries if one["entry"] == "reservation"]
    assert held == [decided.reservation.reservation_id]
    assert [one["id"] for one in entries if one["entry"] == "attempt"] == [f"att_{payment_id}"]


@given(mishaps=st.lists(st.sampled_from(Mishap), min_size=3, max_size=5), tries=st.integers(1, 3))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_gives_up_after_so_many_tries_and_says_what_was_the_matter(
    made: Sandboxed, mishaps: list[Mishap], tries: int
) -> None:
    waits: list[float] = []
    policy = RetryPolicy(tries=tries)
    with client_of(made.app, made.live_key, mishaps=mishaps, retries=policy, waits=waits) as recoup:
        if Mishap.NONE in mishaps[:tries]:
            recoup.models()
            assert len(waits) == mishaps.index(Mishap.NONE)
        else:
            with pytest.raises((NotReachedError, UnavailableError, TooManyRequestsError)):
                recoup.models()
            assert len(waits) == tries - 1


def sent_by(status: int, headers: dict[str, str], content: bytes = b"{}") -> tuple[int, list[float]]:
    """How often a POST is sent to a service that always answers so, and the pauses between."""
    sent: list[httpx.Request] = []
    waits: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(status, headers=headers, content=content)

    network = httpx.MockTransport(answer)
    with (
        Recoup("http://localhost", transport=network, sleep=waits.append, draw=lambda: 1.0) as recoup,
        pytest.raises(RefusedError) as refused,
    ):
        recoup.release("rsv_1", ReleaseRequest(merchant_id="acme"))
    assert refused.value.status == status
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    return len(sent), waits


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422, 500])
def test_what_another_try_would_not_mend_is_not_tried_again(status: int) -> None:
    assert sent_by(status, {}) == (1, [])


def test_pauses_double_up_to_a_bound_and_last_as_long_as_the_service_asks() -> None:
    assert sent_by(503, {}) == (5, [0.2, 0.4, 0.8, 1.6])
    assert sent_by(429, {"retry-after": "3"}) == (5, [3.2, 3.4, 3.8, 4.6])
    assert sent_by(429, {"retry-after": "3600"}) == (1, [])
    assert sent_by(503, {"retry-after": "Fri, 27 Nov 2026 10:00:00 GMT"})[1] == [0.2, 0.4, 0.8, 1.6]


def test_a_request_that_is_still_being_answered_is_asked_for_again() -> None:
    problem = json.dumps({"type": "urn:recoup:problem:in-progress", "detail": "…", "errors": []}).encode()
    assert sent_by(409, {"retry-after": "1"}, problem)[0] == 5


def test_the_key_is_in_no_repr_and_goes_over_no_open_network() -> None:
    key = "recoup_abcdefghijkl_" + "S" * 40
    with Recoup("https://user:word@recoup.internal", key) as recoup:
        assert repr(recoup) == "Recoup(https://recoup.internal, key abcdefghijkl)"
        assert "SSSS" not in repr(vars(recoup))
    with Recoup("http://127.0.0.1:8080", "anything") as recoup:
        assert "anything" not in repr(recoup)
    with pytest.raises(ValueError, match=r"recoup\.internal unprotected"):
        Recoup("http://recoup.internal", key)
    with pytest.raises(ValueError, match="is no address"):
        Recoup("recoup.internal", key)


def test_it_follows_no_redirect_with_the_key() -> None:
    asked: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "https://elsewhere.example/"}, content=b"{}")

    network = httpx.MockTransport(elsewhere)
    with (
        Recoup("https://recoup.internal", "k", transport=network) as recoup,
        pytest.raises(RefusedError, match="302"),
    ):
        recoup.models()
    assert asked == ["https://recoup.internal/v1/models"]


def test_the_asynchronous_client_does_the_same(made: Sandboxed) -> None:
    waits: list[float] = []

    class Bridge(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.network = Faulty(InProcess(made.app), [Mishap.ANSWER_LOST, Mishap.BAD_GATEWAY])

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await asyncio.to_thread(self.network.handle_request, request)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def asked() -> list[str]:
        url = "http://localhost"
        async with AsyncRecoup(url, made.live_key, transport=Bridge(), sleep=sleep, draw=lambda: 1.0) as recoup:
            assert "key" in repr(recoup)
            await recoup.decide(a_request("async", reserve=True))
            return [one.payment_id async for one in recoup.all_reservations() if one.payment_id == "async"]

    assert asyncio.run(asked()) == ["async"]
    assert waits == [0.2, 0.4]


def test_without_retries_a_failure_is_told_at_once(made: Sandboxed) -> None:
    with (
        client_of(made.app, made.live_key, mishaps=[Mishap.LOST], retries=NO_RETRIES) as recoup,
        pytest.raises(NotReachedError, match="tried 1 time; no route"),
    ):
        recoup.models()
