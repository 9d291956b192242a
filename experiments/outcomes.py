"""What became of an exposed payment within its window: recovered by whom, taken back, and whether that is final.

A recovery counts when the payment was paid within the window after its first failure, and was not taken back within the
same window. Only payments whose window is over are mature; the others are collecting, whatever has happened to them, or
quick recoveries would count before slow ones could.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from features.vocabulary import Initiator, Outcome


class RecoveredBy(StrEnum):
    """Who brought the money."""

    RETRY = "retry"  # an attempt that the merchant made
    CUSTOMER = "customer"  # an attempt that the customer started
    ITSELF = "itself"  # paid by other means; nobody told of an attempt
    NOBODY = "nobody"


class Word(StrEnum):
    """What was said of a payment."""

    PAID = "paid"
    CANCELLED = "cancelled"
    REOPENED = "reopened"  # owed again: refunded, or charged back


@dataclass(frozen=True, slots=True)
class Back:
    """Money of an approved attempt that went back to the payer: refunded, or charged back.

    Args:
        amount_minor: None for all of it.
    """

    at: datetime
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt after the first failure.

    Args:
        reversed_at: When what had been approved was sent back; its outcome is a decline from then on.
        processor: Through which it was made, for its fees; empty where that is of no interest.
        back: What of it went back, though it stays approved.
    """

    at: datetime
    outcome: Outcome
    initiator: Initiator
    amount_minor: int
    reversed_at: datetime | None = None
    processor: str = ""
    back: tuple[Back, ...] = ()

    @property
    def was_approved(self) -> bool:
        """Whether it was, whatever came later."""
        return self.outcome is Outcome.APPROVED or self.reversed_at is not None


@dataclass(frozen=True, slots=True)
class Retry:
    """One attempt of the merchant, as its processor charged for it; what was sent back later had been approved."""

    at: datetime
    approved: bool
    amount_minor: int
    processor: str


@dataclass(frozen=True, slots=True)
class Followed:
    """An exposed payment with everything that was told of it since its first failure.

    Args:
        words: What was said and when, in any order.
    """

    failed_at: datetime
    amount_minor: int
    tries: Sequence[Try]
    words: Sequence[tuple[datetime, Word]] = ()


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """What became of a payment by the end of its window.

    Args:
        mature: Whether the window was over; otherwise this is what has happened so far, not to be reported.
        paid_at: When it was first paid within the window, also where that was taken back.
        taken_back_at: When that was, within the window.
        recovered_minor: What was paid and kept, in minor units.
        retried: Attempts of the merchant within the window, up to the recovery.
        given_up_at: When it was cancelled within the window without having been paid.
    """

    mature: bool
    by: RecoveredBy
    paid_at: datetime | None
    taken_back_at: datetime | None
    recovered_minor: int
    retried: tuple[Retry, ...]
    given_up_at: datetime | None

    @property
    def recovered(self) -> bool:
        """Paid in time and kept."""
        return self.paid_at is not None and self.taken_back_at is None

    @property
    def retries(self) -> int:
        """How often the merchant tried."""
        return len(self.retried)


@dataclass(eq=False)
class _Paid:
    """What was paid at once; the amount is what is left of it."""

    at: datetime
    by: RecoveredBy
    amount_minor: int


@dataclass
class _Account:
    """Where a payment stands as its story is told.

    Args:
        kept: What was paid and not taken back, oldest first.
        last: What was paid last, kept or not, and when something was taken back last.
    """

    kept: list[_Paid] = field(default_factory=list)
    last: _Paid | None = None
    taken_back_at: datetime | None = None

    def pay(self, paid: _Paid) -> None:
        self.kept.append(paid)
        self.last = paid

    def take_back(self, at: datetime, taken: Sequence[_Paid]) -> None:
        if any(one in taken for one in self.kept):
            self.kept = [one for one in self.kept if one not in taken]
            self.taken_back_at = at

    def give_back(self, at: datetime, paid: _Paid, minor: int | None) -> None:
        """A part of what was paid, or all of it."""
        if minor is not None and minor < paid.amount_minor:
            paid.amount_minor -= minor
        else:
            self.take_back(at, (paid,))


def outcome_of(followed: Followed, window_days: int, as_of: datetime) -> PaymentOutcome:
    """What became of a payment within so many days of its first failure, as known at an instant."""
    ends_at = followed.failed_at + timedelta(days=window_days)
    until = min(ends_at, as_of)
    account = _told(followed, until)
    kept = account.kept[0] if account.kept else None
    paid = kept or account.last
    stops_at = kept.at if kept else until
    ours = (one for one in followed.tries if one.initiator is not Initiator.CUSTOMER and one.at <= stops_at)
    cancelled = [at for at, word in followed.words if word is Word.CANCELLED and at <= until]
    return PaymentOutcome(
        mature=ends_at <= as_of,
        by=kept.by if kept else RecoveredBy.NOBODY,
        paid_at=paid.at if paid else None,
        taken_back_at=account.taken_back_at if paid and not kept else None,
        recovered_minor=kept.amount_minor if kept else 0,
        retried=tuple(Retry(one.at, one.was_approved, one.amount_minor, one.processor) for one in ours),
        given_up_at=min(cancelled) if cancelled and not paid else None,
    )


def _told(followed: Followed, until: datetime) -> _Account:
    """The story up to an instant; of what happened at once, attempts come before words."""
    account = _Account()
    for _, _, step in sorted(_steps(followed, account, until), key=lambda one: one[:2]):
        step()
    return account


def _steps(
    followed: Followed, account: _Account, until: datetime
) -> Iterator[tuple[datetime, int, Callable[[], None]]]:
    for one in followed.tries:
        paid = _Paid(one.at, _maker(one), one.amount_minor)
        if one.was_approved and one.at <= until:
            yield one.at, 0, partial(account.pay, paid)
            if one.reversed_at is not None and one.reversed_at <= until:
                yield one.reversed_at, 1, partial(account.take_back, one.reversed_at, (paid,))
            for back in one.back:
                # Clocks of a provider's machines differ; nothing goes back before it was paid.
                at = max(back.at, one.at)
                if at <= until:
                    yield at, 1, partial(account.give_back, at, paid, back.amount_minor)
    for at, word in followed.words:
        if word is Word.PAID and at <= until:
            yield at, 2, partial(_said_paid, account, _Paid(at, RecoveredBy.ITSELF, followed.amount_minor))
        elif word is Word.REOPENED and at <= until:
            yield at, 3, partial(_reopened, account, at)


def _said_paid(account: _Account, paid: _Paid) -> None:
    """A word that repeats what an attempt brought adds nothing."""
    if not account.kept:
        account.pay(paid)


def _reopened(account: _Account, at: datetime) -> None:
    account.take_back(at, tuple(account.kept))


def _maker(one: Try) -> RecoveredBy:
    return RecoveredBy.CUSTOMER if one.initiator is Initiator.CUSTOMER else RecoveredBy.RETRY
