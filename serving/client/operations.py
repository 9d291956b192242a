"""What can be asked. Written by `recoup openapi` from docs/openapi.json: change that."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence

from serving.client.calls import Answer, Call, call
from serving.client.codec import decode, decode_either, decode_many
from serving.client.shapes import (
    AttemptOut,
    AttemptReport,
    AttemptsPage,
    BatchDecision,
    BatchEntry,
    BatchRefusal,
    BudgetsAnswer,
    CheckAnswer,
    CheckRequest,
    DecisionAnswer,
    DecisionHeadline,
    DecisionReplay,
    DecisionRequest,
    DecisionsPage,
    DeclineOut,
    ExperimentOut,
    ExperimentsAnswer,
    Health,
    KeptDecisionOut,
    Models,
    PaymentEvent,
    PaymentEventAnswer,
    PaymentOut,
    PaymentsPage,
    PaymentTimeline,
    Readiness,
    ReleaseRequest,
    ReportAnswer,
    ReportsAnswer,
    ReservationOut,
    ReservationsPage,
    ReservedDecisionAnswer,
    RulebookOut,
    SandboxAnswers,
    SandboxAttempt,
    SandboxAttempted,
    SandboxClock,
    SandboxEvent,
    SandboxEventsPage,
    SandboxMoved,
    SandboxState,
    SettledAnswer,
    SettleRequest,
    StopRequest,
    StopsAnswer,
    TimelineEntry,
    ToldOfCustomer,
    ToldOfMoneyBack,
)


class Operations(ABC):
    """Every operation of the interface, for threads; raises what `send` raises."""

    @abstractmethod
    def send(self, one: Call[Answer]) -> Answer:
        """Send a call."""

    def decide(
        self,
        request: DecisionRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ReservedDecisionAnswer | DecisionAnswer:
        """Decide: `POST /v1/decisions`."""
        return self.send(
            call(
                "POST",
                "/v1/decisions",
                lambda value: decode_either(ReservedDecisionAnswer, DecisionAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def decisions(
        self,
        *,
        payment_id: str | None = None,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> DecisionsPage:
        """Decisions: `GET /v1/decisions`."""
        return self.send(
            call(
                "GET",
                "/v1/decisions",
                lambda value: decode(DecisionsPage, value),
                query={
                    "payment_id": payment_id,
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_decisions(
        self,
        *,
        payment_id: str | None = None,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[DecisionHeadline]:
        """Decisions, from every page."""
        cursor: str | None = None
        while True:
            page = self.decisions(
                payment_id=payment_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            yield from page.decisions
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def models(
        self,
    ) -> Models:
        """Which model answers: `GET /v1/models`."""
        return self.send(
            call(
                "GET",
                "/v1/models",
                lambda value: decode(Models, value),
            )
        )

    def health(
        self,
    ) -> Health:
        """Alive: `GET /health`."""
        return self.send(
            call(
                "GET",
                "/health",
                lambda value: decode(Health, value),
            )
        )

    def ready(
        self,
    ) -> Readiness:
        """Ready: `GET /ready`."""
        return self.send(
            call(
                "GET",
                "/ready",
                lambda value: decode(Readiness, value),
                accepts=frozenset({503}),
            )
        )

    def decide_many(
        self,
        request: Sequence[BatchEntry],
    ) -> tuple[BatchDecision | BatchRefusal, ...]:
        """Decide about many: `POST /v1/decisions/batch`."""
        return self.send(
            call(
                "POST",
                "/v1/decisions/batch",
                lambda value: decode_many(BatchDecision, BatchRefusal, value),
                body=request,
                keyed=False,
            )
        )

    def decision(
        self,
        decision_id: str,
        *,
        merchant_id: str | None = None,
    ) -> KeptDecisionOut:
        """One decision: `GET /v1/decisions/{decision_id}`."""
        return self.send(
            call(
                "GET",
                "/v1/decisions/{decision_id}",
                lambda value: decode(KeptDecisionOut, value),
                path={"decision_id": decision_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def replay(
        self,
        decision_id: str,
        *,
        merchant_id: str | None = None,
    ) -> DecisionReplay:
        """Compute a decision again: `POST /v1/decisions/{decision_id}/replay`."""
        return self.send(
            call(
                "POST",
                "/v1/decisions/{decision_id}/replay",
                lambda value: decode(DecisionReplay, value),
                path={"decision_id": decision_id},
                query={
                    "merchant_id": merchant_id,
                },
                only_reads=True,
            )
        )

    def report_attempts(
        self,
        request: AttemptReport | Sequence[AttemptReport],
        *,
        idempotency_key: str | None = None,
    ) -> ReportsAnswer:
        """Report attempts: `POST /v1/attempts`."""
        return self.send(
            call(
                "POST",
                "/v1/attempts",
                lambda value: decode(ReportsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def tell_of_payment(
        self,
        payment_id: str,
        request: PaymentEvent,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell where a payment stands: `POST /v1/payments/{payment_id}/events`."""
        return self.send(
            call(
                "POST",
                "/v1/payments/{payment_id}/events",
                lambda value: decode(PaymentEventAnswer, value),
                path={"payment_id": payment_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def tell_of_customer(
        self,
        customer_id: str,
        request: ToldOfCustomer,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell what befell a customer: `POST /v1/customers/{customer_id}/events`."""
        return self.send(
            call(
                "POST",
                "/v1/customers/{customer_id}/events",
                lambda value: decode(PaymentEventAnswer, value),
                path={"customer_id": customer_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def tell_of_money_back(
        self,
        attempt_id: str,
        request: ToldOfMoneyBack,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell that money went back: `POST /v1/attempts/{attempt_id}/money-back`."""
        return self.send(
            call(
                "POST",
                "/v1/attempts/{attempt_id}/money-back",
                lambda value: decode(PaymentEventAnswer, value),
                path={"attempt_id": attempt_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def reservation(
        self,
        reservation_id: str,
        *,
        merchant_id: str | None = None,
    ) -> ReservationOut:
        """One reservation: `GET /v1/reservations/{reservation_id}`."""
        return self.send(
            call(
                "GET",
                "/v1/reservations/{reservation_id}",
                lambda value: decode(ReservationOut, value),
                path={"reservation_id": reservation_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def check(
        self,
        reservation_id: str,
        request: CheckRequest,
    ) -> CheckAnswer:
        """Go or no-go: `POST /v1/reservations/{reservation_id}/check`."""
        return self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/check",
                lambda value: decode(CheckAnswer, value),
                path={"reservation_id": reservation_id},
                body=request,
                only_reads=True,
            )
        )

    def settle(
        self,
        reservation_id: str,
        request: SettleRequest,
        *,
        idempotency_key: str | None = None,
    ) -> SettledAnswer:
        """The attempt was made: `POST /v1/reservations/{reservation_id}/settle`."""
        return self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/settle",
                lambda value: decode(SettledAnswer, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def release(
        self,
        reservation_id: str,
        request: ReleaseRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ReservationOut:
        """The attempt will not be made: `POST /v1/reservations/{reservation_id}/release`."""
        return self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/release",
                lambda value: decode(ReservationOut, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def budgets_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
    ) -> BudgetsAnswer:
        """What is left: `GET /v1/methods/{method_id}/budgets`."""
        return self.send(
            call(
                "GET",
                "/v1/methods/{method_id}/budgets",
                lambda value: decode(BudgetsAnswer, value),
                path={"method_id": method_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def payments(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PaymentsPage:
        """Payments: `GET /v1/payments`."""
        return self.send(
            call(
                "GET",
                "/v1/payments",
                lambda value: decode(PaymentsPage, value),
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_payments(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[PaymentOut]:
        """Payments, from every page."""
        cursor: str | None = None
        while True:
            page = self.payments(
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            yield from page.payments
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def payment(
        self,
        payment_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PaymentTimeline:
        """One payment's timeline: `GET /v1/payments/{payment_id}`."""
        return self.send(
            call(
                "GET",
                "/v1/payments/{payment_id}",
                lambda value: decode(PaymentTimeline, value),
                path={"payment_id": payment_id},
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_payment(
        self,
        payment_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[TimelineEntry]:
        """One payment's timeline, from every page."""
        cursor: str | None = None
        while True:
            page = self.payment(
                payment_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            yield from page.entries
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def reservations(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ReservationsPage:
        """What is held: `GET /v1/reservations`."""
        return self.send(
            call(
                "GET",
                "/v1/reservations",
                lambda value: decode(ReservationsPage, value),
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_reservations(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ReservationOut]:
        """What is held, from every page."""
        cursor: str | None = None
        while True:
            page = self.reservations(
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            yield from page.reservations
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def attempts_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AttemptsPage:
        """A method's attempts: `GET /v1/methods/{method_id}/attempts`."""
        return self.send(
            call(
                "GET",
                "/v1/methods/{method_id}/attempts",
                lambda value: decode(AttemptsPage, value),
                path={"method_id": method_id},
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_attempts_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[AttemptOut]:
        """A method's attempts, from every page."""
        cursor: str | None = None
        while True:
            page = self.attempts_of_method(
                method_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            yield from page.attempts
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def stops(
        self,
        *,
        merchant_id: str | None = None,
    ) -> StopsAnswer:
        """The stops in force: `GET /v1/admin/stops`."""
        return self.send(
            call(
                "GET",
                "/v1/admin/stops",
                lambda value: decode(StopsAnswer, value),
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def stop(
        self,
        request: StopRequest,
        *,
        idempotency_key: str | None = None,
    ) -> StopsAnswer:
        """Stop advising retries: `POST /v1/admin/stop`."""
        return self.send(
            call(
                "POST",
                "/v1/admin/stop",
                lambda value: decode(StopsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def resume(
        self,
        request: StopRequest,
        *,
        idempotency_key: str | None = None,
    ) -> StopsAnswer:
        """Advise retries again: `POST /v1/admin/resume`."""
        return self.send(
            call(
                "POST",
                "/v1/admin/resume",
                lambda value: decode(StopsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def rulebook(
        self,
        *,
        at: str | None = None,
        network: str | None = None,
    ) -> RulebookOut:
        """The rules in force: `GET /v1/rulebook`."""
        return self.send(
            call(
                "GET",
                "/v1/rulebook",
                lambda value: decode(RulebookOut, value),
                query={
                    "at": at,
                    "network": network,
                },
            )
        )

    def decline(
        self,
        processor: str,
        code: str,
        *,
        network: str | None = None,
        subcode: str | None = None,
        advice_code: str | None = None,
        country: str | None = None,
        at: str | None = None,
    ) -> DeclineOut:
        """What a decline code means: `GET /v1/declines/{processor}/{code}`."""
        return self.send(
            call(
                "GET",
                "/v1/declines/{processor}/{code}",
                lambda value: decode(DeclineOut, value),
                path={"processor": processor, "code": code},
                query={
                    "network": network,
                    "subcode": subcode,
                    "advice_code": advice_code,
                    "country": country,
                    "at": at,
                },
            )
        )

    def experiments(
        self,
        *,
        merchant_id: str | None = None,
    ) -> ExperimentsAnswer:
        """Experiments: `GET /v1/experiments`."""
        return self.send(
            call(
                "GET",
                "/v1/experiments",
                lambda value: decode(ExperimentsAnswer, value),
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def experiment(
        self,
        key: str,
        *,
        merchant_id: str | None = None,
    ) -> ExperimentOut:
        """One experiment: `GET /v1/experiments/{key}`."""
        return self.send(
            call(
                "GET",
                "/v1/experiments/{key}",
                lambda value: decode(ExperimentOut, value),
                path={"key": key},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    def experiment_report(
        self,
        key: str,
        *,
        merchant_id: str | None = None,
    ) -> ReportAnswer:
        """Report of an experiment: `GET /v1/experiments/{key}/report`."""
        return self.send(
            call(
                "GET",
                "/v1/experiments/{key}/report",
                lambda value: decode(ReportAnswer, value),
                path={"key": key},
                query={
                    "merchant_id": merchant_id,
                },
                accepts=frozenset({202}),
            )
        )

    def sandbox(
        self,
    ) -> SandboxState:
        """How the sandbox stands: `GET /v1/sandbox`."""
        return self.send(
            call(
                "GET",
                "/v1/sandbox",
                lambda value: decode(SandboxState, value),
            )
        )

    def wipe_sandbox(
        self,
    ) -> SandboxState:
        """Wipe the sandbox: `DELETE /v1/sandbox`."""
        return self.send(
            call(
                "DELETE",
                "/v1/sandbox",
                lambda value: decode(SandboxState, value),
            )
        )

    def set_sandbox_clock(
        self,
        request: SandboxClock,
    ) -> SandboxMoved:
        """Set the clock: `PUT /v1/sandbox/clock`."""
        return self.send(
            call(
                "PUT",
                "/v1/sandbox/clock",
                lambda value: decode(SandboxMoved, value),
                body=request,
            )
        )

    def set_sandbox_answers(
        self,
        request: SandboxAnswers,
    ) -> SandboxState:
        """Say what processors answer: `PUT /v1/sandbox/answers`."""
        return self.send(
            call(
                "PUT",
                "/v1/sandbox/answers",
                lambda value: decode(SandboxState, value),
                body=request,
            )
        )

    def attempt_in_sandbox(
        self,
        payment_id: str,
        request: SandboxAttempt,
        *,
        idempotency_key: str | None = None,
    ) -> SandboxAttempted:
        """Carry out a payment's retry: `POST /v1/sandbox/payments/{payment_id}/attempt`."""
        return self.send(
            call(
                "POST",
                "/v1/sandbox/payments/{payment_id}/attempt",
                lambda value: decode(SandboxAttempted, value),
                path={"payment_id": payment_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def attempt_reserved_in_sandbox(
        self,
        reservation_id: str,
        request: SandboxAttempt,
        *,
        idempotency_key: str | None = None,
    ) -> SandboxAttempted:
        """Carry out a reserved retry: `POST /v1/sandbox/reservations/{reservation_id}/attempt`."""
        return self.send(
            call(
                "POST",
                "/v1/sandbox/reservations/{reservation_id}/attempt",
                lambda value: decode(SandboxAttempted, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    def sandbox_events(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SandboxEventsPage:
        """Events out: `GET /v1/sandbox/events`."""
        return self.send(
            call(
                "GET",
                "/v1/sandbox/events",
                lambda value: decode(SandboxEventsPage, value),
                query={
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    def all_sandbox_events(
        self,
        *,
        limit: int | None = None,
    ) -> Iterator[SandboxEvent]:
        """Events out, from every page."""
        cursor: str | None = None
        while True:
            page = self.sandbox_events(
                limit=limit,
                cursor=cursor,
            )
            yield from page.events
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


class AsyncOperations(ABC):
    """Every operation of the interface, for asyncio; raises what `send` raises."""

    @abstractmethod
    async def send(self, one: Call[Answer]) -> Answer:
        """Send a call."""

    async def decide(
        self,
        request: DecisionRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ReservedDecisionAnswer | DecisionAnswer:
        """Decide: `POST /v1/decisions`."""
        return await self.send(
            call(
                "POST",
                "/v1/decisions",
                lambda value: decode_either(ReservedDecisionAnswer, DecisionAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def decisions(
        self,
        *,
        payment_id: str | None = None,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> DecisionsPage:
        """Decisions: `GET /v1/decisions`."""
        return await self.send(
            call(
                "GET",
                "/v1/decisions",
                lambda value: decode(DecisionsPage, value),
                query={
                    "payment_id": payment_id,
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_decisions(
        self,
        *,
        payment_id: str | None = None,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[DecisionHeadline]:
        """Decisions, from every page."""
        cursor: str | None = None
        while True:
            page = await self.decisions(
                payment_id=payment_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            for one in page.decisions:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def models(
        self,
    ) -> Models:
        """Which model answers: `GET /v1/models`."""
        return await self.send(
            call(
                "GET",
                "/v1/models",
                lambda value: decode(Models, value),
            )
        )

    async def health(
        self,
    ) -> Health:
        """Alive: `GET /health`."""
        return await self.send(
            call(
                "GET",
                "/health",
                lambda value: decode(Health, value),
            )
        )

    async def ready(
        self,
    ) -> Readiness:
        """Ready: `GET /ready`."""
        return await self.send(
            call(
                "GET",
                "/ready",
                lambda value: decode(Readiness, value),
                accepts=frozenset({503}),
            )
        )

    async def decide_many(
        self,
        request: Sequence[BatchEntry],
    ) -> tuple[BatchDecision | BatchRefusal, ...]:
        """Decide about many: `POST /v1/decisions/batch`."""
        return await self.send(
            call(
                "POST",
                "/v1/decisions/batch",
                lambda value: decode_many(BatchDecision, BatchRefusal, value),
                body=request,
                keyed=False,
            )
        )

    async def decision(
        self,
        decision_id: str,
        *,
        merchant_id: str | None = None,
    ) -> KeptDecisionOut:
        """One decision: `GET /v1/decisions/{decision_id}`."""
        return await self.send(
            call(
                "GET",
                "/v1/decisions/{decision_id}",
                lambda value: decode(KeptDecisionOut, value),
                path={"decision_id": decision_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def replay(
        self,
        decision_id: str,
        *,
        merchant_id: str | None = None,
    ) -> DecisionReplay:
        """Compute a decision again: `POST /v1/decisions/{decision_id}/replay`."""
        return await self.send(
            call(
                "POST",
                "/v1/decisions/{decision_id}/replay",
                lambda value: decode(DecisionReplay, value),
                path={"decision_id": decision_id},
                query={
                    "merchant_id": merchant_id,
                },
                only_reads=True,
            )
        )

    async def report_attempts(
        self,
        request: AttemptReport | Sequence[AttemptReport],
        *,
        idempotency_key: str | None = None,
    ) -> ReportsAnswer:
        """Report attempts: `POST /v1/attempts`."""
        return await self.send(
            call(
                "POST",
                "/v1/attempts",
                lambda value: decode(ReportsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def tell_of_payment(
        self,
        payment_id: str,
        request: PaymentEvent,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell where a payment stands: `POST /v1/payments/{payment_id}/events`."""
        return await self.send(
            call(
                "POST",
                "/v1/payments/{payment_id}/events",
                lambda value: decode(PaymentEventAnswer, value),
                path={"payment_id": payment_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def tell_of_customer(
        self,
        customer_id: str,
        request: ToldOfCustomer,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell what befell a customer: `POST /v1/customers/{customer_id}/events`."""
        return await self.send(
            call(
                "POST",
                "/v1/customers/{customer_id}/events",
                lambda value: decode(PaymentEventAnswer, value),
                path={"customer_id": customer_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def tell_of_money_back(
        self,
        attempt_id: str,
        request: ToldOfMoneyBack,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentEventAnswer:
        """Tell that money went back: `POST /v1/attempts/{attempt_id}/money-back`."""
        return await self.send(
            call(
                "POST",
                "/v1/attempts/{attempt_id}/money-back",
                lambda value: decode(PaymentEventAnswer, value),
                path={"attempt_id": attempt_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def reservation(
        self,
        reservation_id: str,
        *,
        merchant_id: str | None = None,
    ) -> ReservationOut:
        """One reservation: `GET /v1/reservations/{reservation_id}`."""
        return await self.send(
            call(
                "GET",
                "/v1/reservations/{reservation_id}",
                lambda value: decode(ReservationOut, value),
                path={"reservation_id": reservation_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def check(
        self,
        reservation_id: str,
        request: CheckRequest,
    ) -> CheckAnswer:
        """Go or no-go: `POST /v1/reservations/{reservation_id}/check`."""
        return await self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/check",
                lambda value: decode(CheckAnswer, value),
                path={"reservation_id": reservation_id},
                body=request,
                only_reads=True,
            )
        )

    async def settle(
        self,
        reservation_id: str,
        request: SettleRequest,
        *,
        idempotency_key: str | None = None,
    ) -> SettledAnswer:
        """The attempt was made: `POST /v1/reservations/{reservation_id}/settle`."""
        return await self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/settle",
                lambda value: decode(SettledAnswer, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def release(
        self,
        reservation_id: str,
        request: ReleaseRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ReservationOut:
        """The attempt will not be made: `POST /v1/reservations/{reservation_id}/release`."""
        return await self.send(
            call(
                "POST",
                "/v1/reservations/{reservation_id}/release",
                lambda value: decode(ReservationOut, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def budgets_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
    ) -> BudgetsAnswer:
        """What is left: `GET /v1/methods/{method_id}/budgets`."""
        return await self.send(
            call(
                "GET",
                "/v1/methods/{method_id}/budgets",
                lambda value: decode(BudgetsAnswer, value),
                path={"method_id": method_id},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def payments(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PaymentsPage:
        """Payments: `GET /v1/payments`."""
        return await self.send(
            call(
                "GET",
                "/v1/payments",
                lambda value: decode(PaymentsPage, value),
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_payments(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[PaymentOut]:
        """Payments, from every page."""
        cursor: str | None = None
        while True:
            page = await self.payments(
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            for one in page.payments:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def payment(
        self,
        payment_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PaymentTimeline:
        """One payment's timeline: `GET /v1/payments/{payment_id}`."""
        return await self.send(
            call(
                "GET",
                "/v1/payments/{payment_id}",
                lambda value: decode(PaymentTimeline, value),
                path={"payment_id": payment_id},
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_payment(
        self,
        payment_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[TimelineEntry]:
        """One payment's timeline, from every page."""
        cursor: str | None = None
        while True:
            page = await self.payment(
                payment_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            for one in page.entries:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def reservations(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ReservationsPage:
        """What is held: `GET /v1/reservations`."""
        return await self.send(
            call(
                "GET",
                "/v1/reservations",
                lambda value: decode(ReservationsPage, value),
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_reservations(
        self,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ReservationOut]:
        """What is held, from every page."""
        cursor: str | None = None
        while True:
            page = await self.reservations(
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            for one in page.reservations:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def attempts_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AttemptsPage:
        """A method's attempts: `GET /v1/methods/{method_id}/attempts`."""
        return await self.send(
            call(
                "GET",
                "/v1/methods/{method_id}/attempts",
                lambda value: decode(AttemptsPage, value),
                path={"method_id": method_id},
                query={
                    "merchant_id": merchant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_attempts_of_method(
        self,
        method_id: str,
        *,
        merchant_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AttemptOut]:
        """A method's attempts, from every page."""
        cursor: str | None = None
        while True:
            page = await self.attempts_of_method(
                method_id,
                merchant_id=merchant_id,
                limit=limit,
                cursor=cursor,
            )
            for one in page.attempts:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def stops(
        self,
        *,
        merchant_id: str | None = None,
    ) -> StopsAnswer:
        """The stops in force: `GET /v1/admin/stops`."""
        return await self.send(
            call(
                "GET",
                "/v1/admin/stops",
                lambda value: decode(StopsAnswer, value),
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def stop(
        self,
        request: StopRequest,
        *,
        idempotency_key: str | None = None,
    ) -> StopsAnswer:
        """Stop advising retries: `POST /v1/admin/stop`."""
        return await self.send(
            call(
                "POST",
                "/v1/admin/stop",
                lambda value: decode(StopsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def resume(
        self,
        request: StopRequest,
        *,
        idempotency_key: str | None = None,
    ) -> StopsAnswer:
        """Advise retries again: `POST /v1/admin/resume`."""
        return await self.send(
            call(
                "POST",
                "/v1/admin/resume",
                lambda value: decode(StopsAnswer, value),
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def rulebook(
        self,
        *,
        at: str | None = None,
        network: str | None = None,
    ) -> RulebookOut:
        """The rules in force: `GET /v1/rulebook`."""
        return await self.send(
            call(
                "GET",
                "/v1/rulebook",
                lambda value: decode(RulebookOut, value),
                query={
                    "at": at,
                    "network": network,
                },
            )
        )

    async def decline(
        self,
        processor: str,
        code: str,
        *,
        network: str | None = None,
        subcode: str | None = None,
        advice_code: str | None = None,
        country: str | None = None,
        at: str | None = None,
    ) -> DeclineOut:
        """What a decline code means: `GET /v1/declines/{processor}/{code}`."""
        return await self.send(
            call(
                "GET",
                "/v1/declines/{processor}/{code}",
                lambda value: decode(DeclineOut, value),
                path={"processor": processor, "code": code},
                query={
                    "network": network,
                    "subcode": subcode,
                    "advice_code": advice_code,
                    "country": country,
                    "at": at,
                },
            )
        )

    async def experiments(
        self,
        *,
        merchant_id: str | None = None,
    ) -> ExperimentsAnswer:
        """Experiments: `GET /v1/experiments`."""
        return await self.send(
            call(
                "GET",
                "/v1/experiments",
                lambda value: decode(ExperimentsAnswer, value),
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def experiment(
        self,
        key: str,
        *,
        merchant_id: str | None = None,
    ) -> ExperimentOut:
        """One experiment: `GET /v1/experiments/{key}`."""
        return await self.send(
            call(
                "GET",
                "/v1/experiments/{key}",
                lambda value: decode(ExperimentOut, value),
                path={"key": key},
                query={
                    "merchant_id": merchant_id,
                },
            )
        )

    async def experiment_report(
        self,
        key: str,
        *,
        merchant_id: str | None = None,
    ) -> ReportAnswer:
        """Report of an experiment: `GET /v1/experiments/{key}/report`."""
        return await self.send(
            call(
                "GET",
                "/v1/experiments/{key}/report",
                lambda value: decode(ReportAnswer, value),
                path={"key": key},
                query={
                    "merchant_id": merchant_id,
                },
                accepts=frozenset({202}),
            )
        )

    async def sandbox(
        self,
    ) -> SandboxState:
        """How the sandbox stands: `GET /v1/sandbox`."""
        return await self.send(
            call(
                "GET",
                "/v1/sandbox",
                lambda value: decode(SandboxState, value),
            )
        )

    async def wipe_sandbox(
        self,
    ) -> SandboxState:
        """Wipe the sandbox: `DELETE /v1/sandbox`."""
        return await self.send(
            call(
                "DELETE",
                "/v1/sandbox",
                lambda value: decode(SandboxState, value),
            )
        )

    async def set_sandbox_clock(
        self,
        request: SandboxClock,
    ) -> SandboxMoved:
        """Set the clock: `PUT /v1/sandbox/clock`."""
        return await self.send(
            call(
                "PUT",
                "/v1/sandbox/clock",
                lambda value: decode(SandboxMoved, value),
                body=request,
            )
        )

    async def set_sandbox_answers(
        self,
        request: SandboxAnswers,
    ) -> SandboxState:
        """Say what processors answer: `PUT /v1/sandbox/answers`."""
        return await self.send(
            call(
                "PUT",
                "/v1/sandbox/answers",
                lambda value: decode(SandboxState, value),
                body=request,
            )
        )

    async def attempt_in_sandbox(
        self,
        payment_id: str,
        request: SandboxAttempt,
        *,
        idempotency_key: str | None = None,
    ) -> SandboxAttempted:
        """Carry out a payment's retry: `POST /v1/sandbox/payments/{payment_id}/attempt`."""
        return await self.send(
            call(
                "POST",
                "/v1/sandbox/payments/{payment_id}/attempt",
                lambda value: decode(SandboxAttempted, value),
                path={"payment_id": payment_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def attempt_reserved_in_sandbox(
        self,
        reservation_id: str,
        request: SandboxAttempt,
        *,
        idempotency_key: str | None = None,
    ) -> SandboxAttempted:
        """Carry out a reserved retry: `POST /v1/sandbox/reservations/{reservation_id}/attempt`."""
        return await self.send(
            call(
                "POST",
                "/v1/sandbox/reservations/{reservation_id}/attempt",
                lambda value: decode(SandboxAttempted, value),
                path={"reservation_id": reservation_id},
                body=request,
                idempotency_key=idempotency_key,
            )
        )

    async def sandbox_events(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SandboxEventsPage:
        """Events out: `GET /v1/sandbox/events`."""
        return await self.send(
            call(
                "GET",
                "/v1/sandbox/events",
                lambda value: decode(SandboxEventsPage, value),
                query={
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )

    async def all_sandbox_events(
        self,
        *,
        limit: int | None = None,
    ) -> AsyncIterator[SandboxEvent]:
        """Events out, from every page."""
        cursor: str | None = None
        while True:
            page = await self.sandbox_events(
                limit=limit,
                cursor=cursor,
            )
            for one in page.events:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
