"""A limit as data: what it counts, by which key, in which window, after what, from when, and who says so."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from features.money import Money
from features.vocabulary import DeclineCategory, Initiator, Network, Rail, Retryability

Confidence = Literal["high", "medium", "low"]


class Kind(StrEnum):
    """What a rule does."""

    CAP = "cap"  # at most `limit` in the window
    PROHIBITION = "prohibition"  # nothing after the trigger, for the window or for ever
    CONDITION = "condition"  # nothing after the trigger until what `lifted_by` says has happened
    WAIT = "wait"  # nothing after the trigger until the advised or stated wait is over


class KeyPart(StrEnum):
    """What attempts must have in common to share a counter."""

    MERCHANT = "merchant"
    METHOD = "method"  # the credential: a card's number and its network token are two
    MANDATE = "mandate"
    PAYMENT = "payment"
    AMOUNT = "amount"  # amount and currency
    INITIATOR = "initiator"  # merchant and customer counted apart


class Counts(StrEnum):
    """What uses a cap up."""

    DECLINES = "declines"  # attempts that were not approved
    REATTEMPTS = "reattempts"  # attempts that follow a decline within the window, whatever came of them


class WindowKind(StrEnum):
    """How a window lies in time."""

    ROLLING = "rolling"  # the stretch that ends now
    FROM_FIRST = "from_first"  # from the counter's first attempt; afterwards nothing is allowed
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a counter looks; `hours` is None when unlimited."""

    kind: WindowKind
    hours: int | None = None

    def __str__(self) -> str:
        """For people: `in 24 hours`, `within 180 days of the first attempt`, or nothing."""
        if self.hours is None:
            return ""
        span = duration(self.hours)
        return f"in {span}" if self.kind is WindowKind.ROLLING else f"within {span} of the first attempt"


@dataclass(frozen=True, slots=True)
class Trigger:
    """The decline a rule answers to; every stated part must match. An empty trigger matches always.

    Args:
        latest_only: Only the counter's latest decline is looked at, else any.
        codes: The network's own codes. Where only a processor's word is known, `categories` decides instead.
        not_codes: The network's own codes that it does not answer to.
        categories: Stand in for `codes` when the network's code is not known.
        not_categories: Categories it does not answer to.
        advice: Merchant advice codes.
        retryability: What the decline tables say may be useful.
        pending: The attempt has no outcome yet.
    """

    latest_only: bool = True
    codes: tuple[str, ...] = ()
    not_codes: tuple[str, ...] = ()
    categories: tuple[DeclineCategory, ...] = ()
    not_categories: tuple[DeclineCategory, ...] = ()
    advice: tuple[str, ...] = ()
    retryability: tuple[Retryability, ...] = ()
    pending: bool = False

    @property
    def needs_decline(self) -> bool:
        """Whether some decline must have happened for it to match."""
        return bool(self.codes or self.categories or self.advice or self.retryability or self.pending)


@dataclass(frozen=True, slots=True)
class Fee:
    """What one excess attempt costs.

    Args:
        regions: Countries of the merchant (ISO 3166-1 alpha-2); empty means everywhere.
        cross_border: Whether issuer and merchant must be in different countries; None means either.
    """

    amount: Money
    regions: tuple[str, ...] = ()
    cross_border: bool | None = None
    effective_from: date | None = None
    effective_to: date | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """The looser figure that some sources give; used only when selected.

    Args:
        limit: The looser limit, or None where the limit is the same.
        key: The narrower counter key, or empty where the key is the same.
    """

    limit: int | None = None
    key: tuple[KeyPart, ...] = ()


@dataclass(frozen=True, slots=True)
class CapRule:
    """One dated rule.

    Args:
        rails, networks, regions, processors, initiators: Whom it binds; empty means all. Regions are the
            merchant's country, ISO 3166-1 alpha-2.
        not_networks, not_regions: Whom it does not bind.
        key: What attempts must share to share a counter.
        limit: For a cap, how many are allowed.
        wait_hours: For a wait, how long at least; what the advice asks for counts where it is longer.
        resets_on_approval: Whether an approval clears the counter or trigger.
        effective_from, effective_to: First and last day in force, both inclusive, UTC; None is open.
        who: Who sets it, as the subject of a sentence ("Visa", "Recoup's own limit").
        what: For a cap, what is counted, in words; else the clause that says what is forbidden and why.
        lifted_by: For a condition, what would lift it.
        ours: Whether it is a default of ours because no public figure exists.
        published: The looser published figure, where sources disagree.
    """

    rule_id: str
    kind: Kind
    who: str
    what: str
    key: tuple[KeyPart, ...]
    sources: tuple[str, ...]
    confidence: Confidence
    after: Trigger = Trigger()
    window: Window = Window(WindowKind.UNLIMITED)
    counts: Counts = Counts.REATTEMPTS
    limit: int | None = None
    wait_hours: int | None = None
    resets_on_approval: bool = True
    rails: tuple[Rail, ...] = ()
    networks: tuple[Network, ...] = ()
    not_networks: tuple[Network, ...] = ()
    regions: tuple[str, ...] = ()
    not_regions: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    initiators: tuple[Initiator, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    lifted_by: str = ""
    ours: bool = False
    published: Published | None = None
    fees: tuple[Fee, ...] = ()
    note: str = ""

    def in_force_on(self, day: date) -> bool:
        """Whether the rule binds on that day (UTC)."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


def duration(hours: int) -> str:
    """For people: `1 hour`, `24 hours`, `4 days`.

    >>> duration(1), duration(24), duration(96)
    ('1 hour', '24 hours', '4 days')
    """
    if hours > 24 and hours % 24 == 0:
        return f"{hours // 24} days"
    return "1 hour" if hours == 1 else f"{hours} hours"
