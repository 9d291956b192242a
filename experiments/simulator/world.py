"""Where policies are tried out: a world gives failed payments and answers any retry.

`World` is small so that anyone can bring one: a simulator, or recorded reality with known counterfactuals.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

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
from features.instants import MICROS_PER_HOUR, from_micros, to_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Network, Outcome, Retryability

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


class World(Protocol):
    """Failed payments, and an answer to every retry of them."""

    def failures(self) -> Iterable[Context]:
        """Each failed payment as known when its first failure became known."""
        ...

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """What the retry would have come to, made at the start of its slot."""
        ...


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

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """The answer to one retry, made at the start of its slot.

        Once the customer has paid by hand (`settled_at`) every attempt is declined as a duplicate.

        Raises:
            InvalidValueError: No such failed payment, or the action's method or processor cannot be used for it.
        """
        asks = self._asks(payment_id, [action])
        replies = answer(self._truth.hidden, asks)
        settled = self.settled_at(payment_id)
        if settled is not None and settled <= action.slot.start:
            return self._attempt(payment_id, action, asks, _duplicate(asks))
        return self._attempt(payment_id, action, asks, replies)

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
        return chance(self._truth.hidden, self._asks(payment_id, actions))

    def _failure(self, payment_id: str) -> int:
        row = self._row.get(names.parse_payment(payment_id))
        if row is None:
            raise InvalidValueError("payment_id", payment_id, "a payment of this world that failed")
        return row

    def _asks(self, payment_id: str, actions: Sequence[Retry]) -> Asks:
        row, failures = self._failure(payment_id), self._truth.failures
        customer = int(failures.customer[row])
        slots = [self._slot(customer, action) for action in actions]
        lanes = [self._processor(customer, slot, action) for slot, action in zip(slots, actions, strict=True)]

        def repeated(value: np.int64 | int) -> Int64s:
            return np.full(len(actions), value, dtype=np.int64)

        return Asks(
            customer=repeated(customer),
            payment=repeated(failures.payment[row]),
            slot=np.array(slots, dtype=np.int64),
            processor=np.array(lanes, dtype=np.int64),
            at=np.array([to_micros(action.slot.start) for action in actions], dtype=np.int64),
            amount=repeated(failures.amount[row]),
            gone_hour=repeated(failures.gone_hour[row]),
        )

    def _slot(self, customer: int, action: Retry) -> int:
        owner, slot = names.parse_method(action.method_id)
        hour = to_micros(action.slot.start) // MICROS_PER_HOUR
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

    def _attempt(self, payment_id: str, action: Retry, asks: Asks, replies: Replies) -> Attempt:
        hidden = self._truth.hidden
        market = markets()[hidden.people.market[asks.customer[0]]]
        network = NETWORKS[hidden.methods.network[asks.customer[0] * SLOTS + asks.slot[0]]]
        at = from_micros(int(asks.at[0]))
        return Attempt(
            attempt_id=f"{payment_id}:{action.method_id}:{action.processor}:{at:%Y%m%dT%H%M%SZ}",
            payment_id=payment_id,
            method_id=action.method_id,
            processor=action.processor,
            amount=Money(int(asks.amount[0]), market.currency),
            at=at,
            outcome=list(Outcome)[int(outcome_position(replies.cause)[0])],
            decline=_decline(replies, network, action.processor, market.country, at),
            outcome_at=from_micros(int(replies.known_at[0])),
            source="world",
        )


def _keys(truth: Truth) -> tuple[list[int], list[int]]:
    return truth.failures.customer.tolist(), truth.failures.payment.tolist()


def _duplicate(asks: Asks) -> Replies:
    nothing = np.zeros(1, dtype=np.int64)
    return Replies(nothing - 1, nothing, nothing, nothing, asks.at)


def _decline(replies: Replies, network: Network, processor: str, country: str, at: datetime) -> Decline | None:
    cause = int(replies.cause[0])
    if cause == Cause.APPROVED:
        return None
    if cause < 0:
        return Decline(network, None, category=DeclineCategory.DUPLICATE, retryability=Retryability.NEVER)
    return classify(
        codebook().codes[int(replies.code[0])],
        processor=processor,
        network=network,
        advice_code=codebook().advice[int(replies.advice[0])],
        at=at,
        country=country,
    )
