"""A limit as data: what it counts, by which key, in which window, after what, from when, and who says so."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from features.money import Money
from features.vocabulary import DeclineCategory, Initiator, Network, Rail, Retryability
from model.caps.fees import Confidence, Fee
from model.caps.hours import Hours
from model.caps.span import Span, Unit


class Kind(StrEnum):
    """What a rule does."""

    CAP = "cap"  # at most `limit` in the window
    PROHIBITION = "prohibition"  # nothing after the trigger, for the window or for ever
    CONDITION = "condition"  # nothing after the trigger until what `lifted_by` says has happened
    WAIT = "wait"  # nothing after the trigger until the advised or stated wait is over
    HOURS = "hours"  # only within the stated hours of the local day
    LEAD = "lead"  # not before the decision plus the time that a notice or a submission takes
    FINALITY = "finality"  # nothing while what was presented is not final, unless it is known to have been refused
    EXPIRY = "expiry"  # nothing once the counter's last attempt is longer ago than the span
    THRESHOLD = "threshold"  # nothing above an amount until what `lifted_by` says has happened
    VOLUME = "volume"  # a count or a share over everything that a merchant sends
    NOTE = "note"  # forbids nothing; what to know


class KeyPart(StrEnum):
    """What attempts must have in common to share a counter."""

    MERCHANT = "merchant"
    METHOD = "method"  # the credential: a card's number and its network token are two
    MANDATE = "mandate"
    PAYMENT = "payment"
    AMOUNT = "amount"  # amount and currency
    INITIATOR = "initiator"  # merchant and customer counted apart
    PROCESSOR = "processor"  # what one processor carries


FOUND_BY = frozenset({KeyPart.METHOD, KeyPart.PAYMENT, KeyPart.MANDATE})
"""What attempts are read and locked by: a counter whose key has none of these would miss nearly all it should hold."""


class Counts(StrEnum):
    """What uses a cap up."""

    DECLINES = "declines"  # attempts that were not approved
    REATTEMPTS = "reattempts"  # attempts that follow a decline within the window, whatever came of them
    ATTEMPTS = "attempts"  # every attempt, the first included
    TRIGGERS = "triggers"  # attempts that ended in what the rule answers to


class FixKind(StrEnum):
    """What can lift a rule that a decline has set off."""

    DETAILS = "details"  # number, expiry or account corrected or renewed
    AUTHORIZATION = "authorization"  # a new consent, mandate or instruction of the payer
    SETTLED = "settled"  # the payer and the merchant, or the payer's bank, cleared it up
    AUTHENTICATION = "authentication"  # the payer took part and was approved


class WindowKind(StrEnum):
    """How a window lies in time."""

    ROLLING = "rolling"  # the stretch that ends now
    FROM_FIRST = "from_first"  # from the counter's first attempt; afterwards nothing is allowed
    CALENDAR = "calendar"  # the local day or month that it is now
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a counter looks.

    Args:
        hours: Its length; None when it is unlimited or stated in days or months of a calendar.
        span: Its length by the calendar: one day or month of a `calendar` window, or when `from_first` closes.
    """

    kind: WindowKind
    hours: int | None = None
    span: Span | None = None

    @property
    def reach_hours(self) -> int | None:
        """Before how many hours nothing counts any more; None where everything ever does."""
        if self.kind is WindowKind.CALENDAR and self.span is not None:
            return 32 * 24 if self.span.unit is Unit.MONTHS else 2 * 24
        return self.hours if self.kind is WindowKind.ROLLING else None

    def closes(self, first: int) -> int:
        """When a window that began then is over (int64 microseconds)."""
        return (self.span or Span(self.hours or 0)).end(first)

    def __str__(self) -> str:
        """For people: `in 24 hours`, `within 180 days of the first attempt`, `in a calendar month`, or nothing."""
        length = self.span or (Span(self.hours) if self.hours is not None else None)
        if length is None:
            return ""
        if self.kind is WindowKind.CALENDAR:
            return f"in a calendar {'month' if length.unit is Unit.MONTHS else 'day'} ({length.zone})"
        return f"in {length}" if self.kind is WindowKind.ROLLING else f"within {length} of the first attempt"


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
        raw_codes: A processor's own words, as it sends them.
        hides: Network codes; a decline matches that may have been one of them before the network rewrote it.
    """

    latest_only: bool = True
    codes: tuple[str, ...] = ()
    not_codes: tuple[str, ...] = ()
    categories: tuple[DeclineCategory, ...] = ()
    not_categories: tuple[DeclineCategory, ...] = ()
    advice: tuple[str, ...] = ()
    retryability: tuple[Retryability, ...] = ()
    pending: bool = False
    raw_codes: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()

    @property
    def needs_decline(self) -> bool:
        """Whether some decline must have happened for it to match."""
        stated = (self.codes, self.categories, self.advice, self.retryability, self.raw_codes, self.hides)
        return self.pending or any(stated)


@dataclass(frozen=True, slots=True)
class Published:
    """The looser figure that some sources give; used only when selected.

    Args:
        limit: The looser limit, or None where the limit is the same.
        key: The narrower counter key, or empty where the key is the same.
        length: The shorter span, in the rule's own unit, or None where the span is the same.
    """

    limit: int | None = None
    key: tuple[KeyPart, ...] = ()
    length: int | None = None


@dataclass(frozen=True, slots=True)
class CapRule:
    """One dated rule.

    Args:
        rails, networks, regions, processors, initiators: Whom it binds; empty means all. Regions are the
            merchant's country, ISO 3166-1 alpha-2.
        not_networks, not_regions: Whom it does not bind.
        issuers: Countries of the issuer; where that is not known, of the market or merchant. Empty means all.
        key: What attempts must share to share a counter.
        limit: For a cap, how many are allowed; for a volume, from how many on.
        share_bps: For a volume, from which share of everything presented on, in basis points.
        wait_hours: For a wait, how long at least; what the advice asks for counts where it is longer.
        span: How long a wait, lead, finality or expiry is, where days or months are not hours.
        hours: When it is open.
        above: The amount above which a threshold binds, in its own currency only.
        advises: Whether it only warns: its verdict allows, and neither counts nor limits.
        resets_on_approval: Whether an approval clears the counter or trigger; not of a prohibition unless stated.
        effective_from, effective_to: First and last day in force, both inclusive, UTC; None is open.
        who: Who sets it, as the subject of a sentence ("Visa", "Recoup's own limit").
        what: For a cap, what is counted, in words; else the clause that says what is forbidden and why.
        lifted_by: For a condition, what would lift it.
        lifts: What lifts a condition or prohibition when it happens after the decline; empty where nothing does.
        lifts_codes: The network's own codes of declines after which it does; empty means all that the rule answers to.
        ours: Whether it is a default of ours because no public figure exists.
        published: The looser published figure, where sources disagree.
        schedule: The schedule of prices that `fees` were taken from, if they were.
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
    share_bps: int | None = None
    wait_hours: int | None = None
    span: Span | None = None
    hours: Hours | None = None
    above: Money | None = None
    advises: bool = False
    resets_on_approval: bool = True
    rails: tuple[Rail, ...] = ()
    networks: tuple[Network, ...] = ()
    not_networks: tuple[Network, ...] = ()
    regions: tuple[str, ...] = ()
    not_regions: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    initiators: tuple[Initiator, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    lifted_by: str = ""
    lifts: tuple[FixKind, ...] = ()
    lifts_codes: tuple[str, ...] = ()
    ours: bool = False
    published: Published | None = None
    fees: tuple[Fee, ...] = ()
    schedule: str = ""
    note: str = ""

    def concerns(self, rail: Rail, network: Network) -> bool:
        """Whether it can bind a method of that rail and network at all."""
        return (
            (not self.rails or rail in self.rails)
            and (not self.networks or network in self.networks)
            and network not in self.not_networks
        )

    def in_force_on(self, day: date) -> bool:
        """Whether the rule binds on that day (UTC)."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )
