"""Recorded reality as a world: for each failed payment, whether a retry would have cleared on each day after it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.attempt import Attempt
from features.calendars import to_day
from features.context import Context
from features.errors import InputError, InvalidValueError
from features.vocabulary import Outcome
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.wording import local_date


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of one failed payment.

    Args:
        clears: One character a day after the failure, the first day first: `1` where a retry would clear, else `0`.

    Raises:
        InvalidValueError: Another character.
    """

    clears: str

    def __post_init__(self) -> None:
        if set(self.clears) - {"0", "1"}:
            raise InvalidValueError("would_clear", self.clears, "a text of 0 and 1, one a day")

    def on(self, day: int) -> Outcome:
        """What a retry that many local days after the failure comes to; unknown beyond what was observed."""
        if day < 1:
            return Outcome.DECLINED
        if day > len(self.clears):
            return Outcome.UNKNOWN
        return Outcome.APPROVED if self.clears[day - 1] == "1" else Outcome.DECLINED


class RecordedWorld:
    """Answers retries by the local day they are made on; a failed retry fails for the reason the first attempt did.

    Payments observed for fewer days than wanted are left out and counted: what would have happened to them is not
    known, and leaving them in would punish whoever plans late.

    Args:
        contexts: Failed payments as known at their first failure.
        recorded: What is known of them, by payment_id; payments that it does not name are left out.
        observed_days: Least days of observation wanted.

    Raises:
        InputError: Two merchants have a failed payment of one id, so that what is known may be of either.
    """

    def __init__(self, contexts: Iterable[Context], recorded: Mapping[str, Recorded], observed_days: int) -> None:
        named = _named([context for context in contexts if context.payment.payment_id in recorded])
        self._recorded = recorded
        self._contexts = {key: c for key, c in named.items() if len(recorded[key].clears) >= observed_days}
        self.left_out = len(recorded) - len(self._contexts)

    def __len__(self) -> int:
        """How many failed payments are played."""
        return len(self._contexts)

    def failures(self) -> Iterator[Context]:
        """Each failed payment as known when its first failure became known."""
        yield from self._contexts.values()

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """What the retry would have come to.

        Raises:
            InvalidValueError: No such failed payment, or a method it does not list.
        """
        context = self._contexts.get(payment_id)
        if context is None:
            raise InvalidValueError("payment_id", payment_id, "a payment of this world that failed")
        first = failures(context)[0]
        outcome = self._recorded[payment_id].on(self._day(context, first, action))
        at = action.slot.start
        return Attempt(
            attempt_id=f"{payment_id}:{at:%Y%m%dT%H%M%SZ}",
            payment_id=payment_id,
            method_id=action.method_id,
            processor=action.processor,
            amount=context.payment.amount,
            at=at,
            outcome=outcome,
            decline=first.decline if outcome is Outcome.DECLINED else None,
            precision=first.precision,
            source="world",
        )

    def chance(self, payment_id: str, actions: Sequence[Retry]) -> NDArray[np.float64]:
        """1 for each retry that would clear and 0 for the others: hindsight, as no one can have it.

        Raises:
            InvalidValueError: As `submit`.
        """
        cleared = [self.submit(payment_id, action).outcome is Outcome.APPROVED for action in actions]
        return np.array(cleared, dtype=np.float64)

    def _day(self, context: Context, first: Attempt, action: Retry) -> int:
        zone = issuer_clock(context, context.method(action.method_id)).zone
        return to_day(local_date(action.slot.start, zone)) - to_day(local_date(first.at, zone))


def _named(contexts: Iterable[Context]) -> dict[str, Context]:
    named: dict[str, Context] = {}
    for context in contexts:
        payment = context.payment
        other = named.setdefault(payment.payment_id, context).payment
        if other.merchant_id != payment.merchant_id:
            raise InputError(
                f"payment {payment.payment_id} failed with {other.merchant_id} and with {payment.merchant_id}, and "
                "outcomes are recorded by payment alone; give a history of one merchant"
            )
        named[payment.payment_id] = context
    return named
