"""The rulebook and the reading of a decline code in the shapes that the service answers with."""

from collections.abc import Iterable
from datetime import date, datetime

from pydantic import Field

from features.declines.entry import CodeEntry
from features.declines.explained import Explained
from features.errors import InvalidValueError
from features.instants import require_aware
from features.vocabulary import Network
from model.caps.fees import Fee, Schedule
from model.caps.networks import RAILS
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook
from model.caps.wording import summary
from serving.schemas import Shape


class FeeOut(Shape):
    """A price in force."""

    amount_minor: int = Field(description="per attempt; where the price is finer, rounded up to the minor unit")
    currency: str
    stated: str | None = Field(description="the price as published, where the amount cannot say it")
    regions: tuple[str, ...] = Field(description="countries of the merchant; empty means everywhere")
    cross_border: bool | None = Field(description="null: at home and across borders")


class RuleOut(Shape):
    """One rule in force."""

    rule_id: str
    kind: str
    sentence: str
    advises: bool = Field(description="it warns and never forbids")
    ours: bool = Field(description="a default of Recoup's, because no public figure is known")
    key: tuple[str, ...] = Field(description="what attempts must share to share a counter")
    counts: str | None = Field(description="what uses a cap up; null for other kinds")
    limit: int | None
    published_limit: int | None = Field(description="the looser figure of some sources; selectable")
    rails: tuple[str, ...] = Field(description="empty means all, here and below")
    networks: tuple[str, ...]
    regions: tuple[str, ...]
    issuers: tuple[str, ...]
    processors: tuple[str, ...]
    lifts: tuple[str, ...] = Field(description="fixes of the method that lift it when told after the decline")
    lifts_codes: tuple[str, ...] = Field(description="codes after which they do; empty means all it answers to")
    effective_from: date | None
    effective_to: date | None
    fees: tuple[FeeOut, ...] = Field(description="prices in force on that day")
    sources: tuple[str, ...]
    confidence: str
    note: str


class ScheduleOut(Shape):
    """A schedule of prices, with those in force."""

    schedule_id: str
    sentence: str
    fees: tuple[FeeOut, ...]
    sources: tuple[str, ...]
    confidence: str


class RulebookOut(Shape):
    """The rulebook in force on a day."""

    version: str
    at: date = Field(description="the day (UTC) that was asked about")
    network: str | None
    rules: tuple[RuleOut, ...]
    schedules: tuple[ScheduleOut, ...]


class EntryOut(Shape):
    """What one table says of a code."""

    table: str
    code: str
    subcode: str | None
    title: str
    category: str
    retryability: str
    source: str
    confidence: str
    note: str | None


class DeclineOut(Shape):
    """How a raw code is read, and who says so."""

    processor: str | None
    network: str
    code: str | None
    category: str
    retryability: str
    title: str
    network_code: str | None = Field(description="the network's own code behind it")
    advice: str | None = Field(description="what the advice code beside it asks for")
    min_wait_hours: int | None
    may_hide: tuple[str, ...] = Field(description="codes of the network that may have come as this one that day")
    known: bool = Field(description="false: it stands in no table and is kept as unknown")
    processor_says: EntryOut | None
    network_says: EntryOut | None


def rulebook_out(rulebook: Rulebook, day: date, network: Network | None) -> RulebookOut:
    """The rules and prices in force on a day (UTC), of one network or of all."""
    rules = [r for r in rulebook.rules if r.in_force_on(day) and (network is None or _concerns(r, network))]
    schedules = [s for s in rulebook.schedules if network is None or any(r.schedule == s.schedule_id for r in rules)]
    return RulebookOut(
        version=rulebook.version,
        at=day,
        network=network,
        rules=tuple(_rule(rule, day) for rule in rules),
        schedules=tuple(_schedule(schedule, day) for schedule in schedules),
    )


def decline_out(found: Explained, processor: str | None) -> DeclineOut:
    """How a code is read."""
    decline = found.decline
    return DeclineOut(
        processor=processor,
        network=decline.network,
        code=decline.code,
        category=decline.category,
        retryability=decline.retryability,
        title=decline.title,
        network_code=found.network_code,
        advice=decline.advice,
        min_wait_hours=decline.min_wait_hours,
        may_hide=found.may_hide,
        known=bool(decline.title),
        processor_says=_entry(found.own),
        network_says=_entry(found.networks),
    )


def day_of(text: str | None, today: date) -> date:
    """A day written as `2026-11-23`, or the UTC day of an instant; today where nothing is stated.

    Raises:
        InvalidValueError: It is neither.
    """
    instant = instant_of(text)
    return today if instant is None else instant.date()


def instant_of(text: str | None) -> datetime | None:
    """The instant, or the beginning of the day (UTC), that a text names.

    Raises:
        InvalidValueError: It names neither.
    """
    if not text:
        return None
    try:
        return require_aware("at", datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00"))
    except ValueError:
        raise InvalidValueError("at", text, "a day such as 2026-11-23, or an instant with a time zone") from None


def network_of(text: str | None) -> Network | None:
    """The network of that name.

    Raises:
        InvalidValueError: There is none.
    """
    if not text:
        return None
    if text not in set(Network):
        raise InvalidValueError("network", text, f"one of {', '.join(Network)}")
    return Network(text)


def _concerns(rule: CapRule, network: Network) -> bool:
    return any(rule.concerns(rail, network) for rail in RAILS[network])


def _rule(rule: CapRule, day: date) -> RuleOut:
    return RuleOut(
        rule_id=rule.rule_id,
        kind=rule.kind,
        sentence=summary(rule),
        advises=rule.advises,
        ours=rule.ours,
        key=rule.key,
        counts=rule.counts if rule.limit is not None else None,
        limit=rule.limit,
        published_limit=rule.published.limit if rule.published else None,
        rails=rule.rails,
        networks=rule.networks,
        regions=rule.regions,
        issuers=rule.issuers,
        processors=rule.processors,
        lifts=rule.lifts,
        lifts_codes=rule.lifts_codes,
        effective_from=rule.effective_from,
        effective_to=rule.effective_to,
        fees=_fees(rule.fees, day),
        sources=rule.sources,
        confidence=rule.confidence,
        note=rule.note,
    )


def _schedule(schedule: Schedule, day: date) -> ScheduleOut:
    return ScheduleOut(
        schedule_id=schedule.schedule_id,
        sentence=f"{schedule.who} {schedule.what}.",
        fees=_fees(schedule.fees, day),
        sources=schedule.sources,
        confidence=schedule.confidence,
    )


def _fees(fees: Iterable[Fee], day: date) -> tuple[FeeOut, ...]:
    return tuple(
        FeeOut(
            amount_minor=fee.amount.amount_minor,
            currency=fee.amount.currency,
            stated=fee.stated or None,
            regions=fee.regions,
            cross_border=fee.cross_border,
        )
        for fee in fees
        if fee.in_force_on(day)
    )


def _entry(entry: CodeEntry | None) -> EntryOut | None:
    if entry is None:
        return None
    return EntryOut(
        table=entry.table,
        code=entry.code,
        subcode=entry.subcode,
        title=entry.title,
        category=entry.category,
        retryability=entry.retryability,
        source=entry.source,
        confidence=entry.confidence,
        note=entry.note,
    )
