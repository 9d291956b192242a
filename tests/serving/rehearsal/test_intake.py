"""Who is in a rehearsal, and what it is told of the time before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from context_builders import failed
from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError
from features.vocabulary import Outcome
from rehearsal_builders import FATES, StatedWorld
from serving.rehearsal.intake import intake

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


class Moved:
    """Payments of one customer, each failing so many days after the first of November, knowing all that went before."""

    def __init__(self, *days: float) -> None:
        at = [NOVEMBER + timedelta(days=day) for day in days]
        self.contexts: list[Context] = []
        known: tuple[Attempt, ...] = ()
        for number, (when, context) in enumerate(zip(at, StatedWorld(FATES).failures(), strict=False)):
            own = replace(context.attempts[0], at=when, method_id="pm_0", outcome_at=None)
            known += (own,)
            methods = (replace(context.methods[0], method_id="pm_0"),)
            self.contexts.append(replace(context, methods=methods, attempts=known, as_of=when))
            known += (self._retry(context, when, number),)

    def _retry(self, context: Context, when: datetime, number: int) -> Attempt:
        """What the world's own merchant did a day later."""
        made = failed(context.methods[0], payment_id=context.payment.payment_id, now=when + timedelta(days=1))
        return replace(made, attempt_id=f"retry {number}", method_id="pm_0", outcome=Outcome.APPROVED)

    def failures(self) -> Iterator[Context]:
        yield from reversed(self.contexts)

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        raise NotImplementedError


def test_who_fails_from_the_start_on_is_played_in_the_order_of_time() -> None:
    start, found = intake(Moved(-40, 0, 3, 20), None, since=NOVEMBER, least_days=28)
    assert start == NOVEMBER
    assert [context.payment.payment_id for context in found] == ["inv_0001", "inv_0002", "inv_0003"]
    assert len(intake(Moved(-40, 0, 3, 20), None, since=NOVEMBER, least_days=28, most=2)[1]) == 2


def test_the_start_is_the_latest_month_that_is_long_enough() -> None:
    def start(last: float, least: int) -> datetime:
        return intake(Moved(-40, last), None, since=None, least_days=least)[0]

    assert start(29.9, 28) == NOVEMBER
    assert start(27.9, 28) == datetime(2026, 10, 1, tzinfo=UTC)
    assert start(29.9, 31) == datetime(2026, 10, 1, tzinfo=UTC)


def test_retries_of_payments_that_are_played_never_happened_and_those_before_did() -> None:
    _, found = intake(Moved(-40, 0, 3, 20), "acme_two", since=NOVEMBER, least_days=28)
    known = [one.attempt_id for one in found[-1].attempts]
    first = [f"{context.attempts[0].attempt_id}" for context in found]
    assert [name for name in known if name.startswith("retry")] == ["retry 0"]
    assert len(known) == len(set(first)) + 4
    assert {context.payment.merchant_id for context in found} == {"acme_two"}


def test_a_start_after_the_last_failure_is_refused() -> None:
    with pytest.raises(InputError, match="fails from 2026-12-01 on; the last does so on 2026-11-21"):
        intake(Moved(0, 20), None, since=datetime(2026, 12, 1, tzinfo=UTC), least_days=28)
