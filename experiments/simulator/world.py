"""The simulated world to try policies in: it answers any retry from its truth (`experiments.world`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.simulator import names
from experiments.simulator.answers import Asks, Replies, answer, chance
from experiments.simulator.causes import Cause
from experiments.simulator.codes import codebook
from experiments.simulator.contexts import Files
from experiments.simulator.history_table import outcome_position
from experiments.simulator.landscape import NETWORKS
from experiments.simulator.markets import markets, processors
from experiments.simulator.methods import NEVER, SLOTS
from experiments.simulator.truth import Truth
from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.decline import Decline
from features.declines.taxonomy import classify
from features.errors import InvalidValueError
from features.instants import MICROS_PER_HOUR, from_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Network, Outcome, Retryability

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

_DUPLICATE = -1  # in place of a cause: the payment is already made


class SimulatedWorld:
    """A simulated world, answering from its truth with common random numbers.

    The answer to a payment, method, processor and hour is the same whatever was asked before, so policies that are
    compared meet the same luck.

    Args:
        truth: The world's hidden state.
        history: The history that its merchant logged.
    """

    def __init__(self, truth: Truth, history: pa.Table) -> None:
        self._truth = truth
        failures = truth.failures
        self._row = {key: row for row, key in enumerate(zip(*_keys(truth), strict=True))}
        self._files = Files(truth.hidden, failures, history)

    def __len__(self) -> int:
        """How many payments failed."""
        return len(self._row)

    def failures(self) -> Iterator[Context]:
        """Each failed payment as known when its first failure became known, by customer and month."""
        return self._files.contexts()

    def logged(self, payment_id: str) -> Iterator[tuple[Attempt, Context]]:
        """The merchant's own attempts of a failed payment, each with what was known when it was made."""
        return self._files.logged(self._failure(payment_id))

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """The answer to one retry, made at the start of its slot.

        Once the customer has paid by hand (`settled_at`) every attempt is declined as a duplicate.

        Raises:
            InvalidValueError: No such failed payment, or the action's method or processor cannot be used for it.
        """
        return self.submit_many([(payment_id, action)])[0]

    def submit_many(self, proposals: Sequence[tuple[str, Retry]]) -> list[Attempt]:
        """The answers to many retries, each as `submit` would give it, at a fraction of the cost."""
        asks = self._asks(proposals)
        cured = self._truth.failures.cured_at[[self._failure(payment_id) for payment_id, _ in proposals]]
        replies = _but_duplicates(answer(self._truth.hidden, asks), cured <= asks.at, asks.at)
        return [self._attempt(*proposal, asks, replies, row) for row, proposal in enumerate(proposals)]

    def settled_at(self, payment_id: str) -> datetime | None:
        """When the customer pays by hand if nothing was recovered before, or None."""
        at = int(self._truth.failures.cured_at[self._failure(payment_id)])
        return None if at >= NEVER * MICROS_PER_HOUR else from_micros(at)

    def left_at(self, payment_id: str) -> datetime:
        """When the customer withdraws every permission if the payment is still open then."""
        return from_micros(int(self._truth.failures.gone_hour[self._failure(payment_id)]) * MICROS_PER_HOUR)

    def chance(self, payment_id: str, actions: Sequence[Retry]) -> Float64s:
        """P(approved) of each retry given the hidden state, with the noise averaged out: more than anyone can know.

        Raises:
            InvalidValueError: As `submit`.
        """
        return chance(self._truth.hidden, self._asks([(payment_id, action) for action in actions]))

    def _failure(self, payment_id: str) -> int:
        row = self._row.get(names.parse_payment(payment_id))
        if row is None:
            raise InvalidValueError("payment_id", payment_id, "a payment of this world that failed")
        return row

    def _asks(self, proposals: Sequence[tuple[str, Retry]]) -> Asks:
        failures = self._truth.failures
        rows = np.array([self._failure(payment_id) for payment_id, _ in proposals], dtype=np.int64)
        customer = failures.customer[rows]
        lanes = [self._lane(int(c), action) for c, (_, action) in zip(customer, proposals, strict=True)]
        return Asks(
            customer=customer,
            payment=failures.payment[rows],
            slot=np.array([slot for slot, _ in lanes], dtype=np.int64),
            processor=np.array([processor for _, processor in lanes], dtype=np.int64),
            at=np.array([action.slot.start_micros for _, action in proposals], dtype=np.int64),
            amount=failures.amount[rows],
            gone_hour=failures.gone_hour[rows],
        )

    def _lane(self, customer: int, action: Retry) -> tuple[int, int]:
        slot = self._slot(customer, action)
        return slot, self._processor(customer, slot, action)

    def _slot(self, customer: int, action: Retry) -> int:
        owner, slot = names.parse_method(action.method_id)
        hour = action.slot.start_micros // MICROS_PER_HOUR
        if owner != customer or self._truth.hidden.methods.added_hour[customer * SLOTS + slot] > hour:
            raise InvalidValueError("method_id", action.method_id, "a method that the customer has on file then")
        return slot

    def _processor(self, customer: int, slot: int, action: Retry) -> int:
        hidden = self._truth.hidden
        network = hidden.methods.network[customer * SLOTS + slot]
        carriers = hidden.land.carries[:, hidden.people.market[customer], network]
        for index, processor in enumerate(processors()):
            if processor.name == action.processor and carriers[index]:
                return index
        able = ", ".join(p.name for p, carries in zip(processors(), carriers, strict=True) if carries)
        raise InvalidValueError("processor", action.processor, f"one that takes this method: {able}")

    def _attempt(self, payment_id: str, action: Retry, asks: Asks, replies: Replies, row: int) -> Attempt:
        hidden, customer = self._truth.hidden, int(asks.customer[row])
        market = markets()[hidden.people.market[customer]]
        network = NETWORKS[hidden.methods.network[customer * SLOTS + asks.slot[row]]]
        at, cause = from_micros(int(asks.at[row])), int(replies.cause[row])
        decline = _decline(replies, row, network, action.processor, market.country, at)
        return Attempt(
            attempt_id=f"{payment_id}:{action.method_id}:{action.processor}:{at:%Y%m%dT%H%M%SZ}",
            payment_id=payment_id,
            method_id=action.method_id,
            processor=action.processor,
            amount=Money(int(asks.amount[row]), market.currency),
            at=at,
            outcome=list(Outcome)[int(outcome_position(replies.cause[row]))],
            decline=None if cause == Cause.APPROVED else decline,
            outcome_at=from_micros(int(replies.known_at[row])),
            source="world",
        )


def _keys(truth: Truth) -> tuple[list[int], list[int]]:
    return truth.failures.customer.tolist(), truth.failures.payment.tolist()


def _but_duplicates(replies: Replies, paid: Flags, at: Int64s) -> Replies:
    """The replies with those to payments already made by hand turned into duplicates, known at once."""
    return replace(
        replies, cause=np.where(paid, _DUPLICATE, replies.cause), known_at=np.where(paid, at, replies.known_at)
    )


def _decline(replies: Replies, row: int, network: Network, processor: str, country: str, at: datetime) -> Decline:
    if replies.cause[row] == _DUPLICATE:
        return Decline(network, None, category=DeclineCategory.DUPLICATE, retryability=Retryability.NEVER)
    return classify(
        codebook().codes[int(replies.code[row])],
        processor=processor,
        network=network,
        advice_code=codebook().advice[int(replies.advice[row])],
        at=at,
        country=country,
    )
