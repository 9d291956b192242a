"""The limits counted from their definitions, attempt by attempt and day by day; nothing like the engine.

It reads the same rule data but shares no code with the engine beyond the nouns: instants are `datetime`, days are
walked one by one, nothing is sorted, prepared or remembered but what the calendar says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import assert_never
from zoneinfo import ZoneInfo

import holidays

from features.attempt import Attempt
from features.declines.taxonomy import network_code
from features.method import Method
from features.vocabulary import Initiator, Network, Outcome, Precision
from model.caps.engine import Proposal
from model.caps.rule import CapRule, Counts, KeyPart, Kind, Trigger, WindowKind
from model.caps.rulebook import Rulebook
from model.caps.span import Span, Unit

HALF_A_DAY, DAY, TICK = timedelta(hours=12), timedelta(days=1), timedelta(microseconds=1)
EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """What the definitions say of one rule: whether it allows, and for a cap how many are used."""

    allowed: bool
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One attempt and the method it was made with."""

    attempt: Attempt
    method: Method
    merchant_id: str

    @property
    def earliest(self) -> datetime:
        return self.attempt.at - (HALF_A_DAY if self.attempt.precision is Precision.DAY else timedelta(0))

    @property
    def latest(self) -> datetime:
        return self.attempt.at + (HALF_A_DAY if self.attempt.precision is Precision.DAY else timedelta(0))

    @property
    def answered(self) -> datetime:
        return max(self.latest, self.attempt.known_at)

    @property
    def failed(self) -> bool:
        return self.attempt.outcome in {Outcome.DECLINED, Outcome.UNKNOWN}

    @property
    def network_code(self) -> str | None:
        decline = self.attempt.decline
        if decline is None:
            return None
        network = decline.network if self.method.network is Network.UNKNOWN else self.method.network
        return network_code(decline.code, processor=self.attempt.processor, network=network, subcode=decline.subcode)


@dataclass(frozen=True, slots=True)
class Mended:
    """What was mended about a method, when, and for which payment it was told."""

    method_id: str
    what: str
    at: datetime
    payment_id: str | None
    not_before: datetime | None = None


def told(
    rulebook: Rulebook, history: Sequence[Known], proposal: Proposal, at: datetime, mended: Sequence[Mended] = ()
) -> dict[str, Told]:
    """By rule, what the definitions say; rules that have nothing to say are absent."""
    found: dict[str, Told] = {}
    day = at.astimezone(UTC).date()
    for rule in rulebook.rules:
        if in_force(rule, day) and bound(rule, proposal):
            answer = _told(rule, history, proposal, at, mended)
            if answer is not None:
                found[rule.rule_id] = Told(True) if rule.advises else answer
    return found


def in_force(rule: CapRule, day: date) -> bool:
    return not (rule.effective_from and day < rule.effective_from) and not (
        rule.effective_to and day > rule.effective_to
    )


def bound(rule: CapRule, proposal: Proposal) -> bool:
    method, payment = proposal.method, proposal.payment
    home = {payment.merchant_country} if payment.merchant_country else {payment.market, method.issuer.country} - {None}
    issuer = {method.issuer.country} if method.issuer.country else {payment.market, payment.merchant_country} - {None}
    if rule.rails and method.rail not in rule.rails:
        return False
    if (rule.networks and method.network not in rule.networks) or method.network in rule.not_networks:
        return False
    if rule.processors and not any(proposal.processor.lower().startswith(name) for name in rule.processors):
        return False
    if rule.initiators and proposal.initiator not in rule.initiators:
        return False
    if rule.regions and home and not home & set(rule.regions):
        return False
    if rule.not_regions and home and home <= set(rule.not_regions):
        return False
    return not rule.issuers or bool(issuer & set(rule.issuers))


def _told(
    rule: CapRule, history: Sequence[Known], proposal: Proposal, at: datetime, mended: Sequence[Mended]
) -> Told | None:
    if rule.kind is Kind.HOURS:
        return Told(_open(rule, at))
    if rule.kind is Kind.LEAD:
        long_enough = proposal.decided_at is None or not rule.span or not rule.span.length
        return None if long_enough or not rule.span else Told(at >= over(rule.span, proposal.decided_at or at))
    if rule.kind is Kind.THRESHOLD:
        return _threshold(rule, proposal)
    if rule.kind is Kind.VOLUME:
        return None
    shared = [known for known in history if known.attempt.outcome is not Outcome.ERROR and _same(rule, known, proposal)]
    if rule.kind in {Kind.FINALITY, Kind.EXPIRY} and rule.span:
        return _final(rule, rule.span, shared, at) if rule.kind is Kind.FINALITY else _lapsed(rule.span, shared, at)
    kept = _after_approval(rule, shared, proposal) if rule.resets_on_approval else shared
    if rule.kind is Kind.CAP:
        return _cap(rule, kept, at)
    own = [one for one in (*mended, *_taken_part(history)) if one.method_id == proposal.method.method_id]
    return _block(rule, kept, at, [one for one in own if _is_for(rule, one, proposal)])


def _taken_part(history: Sequence[Known]) -> Iterator[Mended]:
    """Whoever started an attempt with a method and was approved has taken part."""
    for known in history:
        a = known.attempt
        if a.outcome is Outcome.APPROVED and a.initiator is Initiator.CUSTOMER:
            yield Mended(a.method_id, "authentication", known.answered, None, not_before=known.earliest)


def _is_for(rule: CapRule, one: Mended, proposal: Proposal) -> bool:
    if KeyPart.PAYMENT in rule.key and one.what in {"authorization", "settled"}:
        return one.payment_id == proposal.payment.payment_id
    return True


def _open(rule: CapRule, at: datetime) -> bool:
    hours = rule.hours
    if hours is None:
        return True
    wall = at.astimezone(ZoneInfo(hours.zone))
    minute = wall.hour * 60 + wall.minute
    return any(minute in range(start, end) for start, end in hours.open)


def _threshold(rule: CapRule, proposal: Proposal) -> Told | None:
    amount = proposal.payment.amount
    if rule.above is None or rule.above.currency != amount.currency:
        return None
    return Told(amount.amount_minor <= rule.above.amount_minor)


def _final(rule: CapRule, span: Span, shared: Sequence[Known], at: datetime) -> Told | None:
    standing = [known for known in shared if known.attempt.outcome is not Outcome.DECLINED]
    return Told(all(at >= over(span, known.latest) for known in standing)) if standing else None


def _lapsed(span: Span, shared: Sequence[Known], at: datetime) -> Told | None:
    return Told(any(at < over(span, known.earliest) for known in shared)) if shared else None


def _same(rule: CapRule, known: Known, proposal: Proposal) -> bool:
    a, payment, method = known.attempt, proposal.payment, proposal.method
    for part in rule.key:
        match part:
            case KeyPart.MERCHANT:
                alike = known.merchant_id == payment.merchant_id
            case KeyPart.METHOD:
                alike = a.method_id == method.method_id
            case KeyPart.MANDATE:
                mandates = {known.method.mandate_id, method.mandate_id}
                alike = a.method_id == method.method_id if None in mandates else len(mandates) == 1
            case KeyPart.PAYMENT:
                alike = a.payment_id == payment.payment_id
            case KeyPart.AMOUNT:
                alike = a.amount == payment.amount
            case KeyPart.INITIATOR:
                alike = a.initiator is proposal.initiator or Initiator.UNKNOWN in {a.initiator, proposal.initiator}
            case KeyPart.PROCESSOR:
                alike = a.processor.split("_")[0].lower() == proposal.processor.split("_")[0].lower()
            case _:
                assert_never(part)
        if not alike:
            return False
    return True


def _after_approval(rule: CapRule, shared: Sequence[Known], proposal: Proposal) -> list[Known]:
    """What is left when every approval has taken away whatever was over before it could have begun."""
    if KeyPart.INITIATOR in rule.key and proposal.initiator is Initiator.UNKNOWN:
        return [known for known in shared if known.failed]
    gone: set[int] = set()
    for place, approval in enumerate(shared):
        if approval.failed:
            continue
        gone.add(place)
        if KeyPart.INITIATOR in rule.key and approval.attempt.initiator is Initiator.UNKNOWN:
            continue
        for other, known in enumerate(shared):
            if known.attempt.precision is approval.attempt.precision is Precision.INSTANT:
                over_before = other < place  # they stand in the order of time
            else:
                over_before = known.latest <= approval.earliest
            if over_before:
                gone.add(other)
    return [known for place, known in enumerate(shared) if place not in gone]


def _cap(rule: CapRule, kept: Sequence[Known], at: datetime) -> Told | None:
    reasons = [known for known in kept if known.attempt.decline][-1:]
    looked_at: Sequence[Known | None] = reasons if rule.after.latest_only else [one for one in kept if one.failed]
    if rule.counts is not Counts.TRIGGERS and not any(answers(rule.after, known) for known in looked_at or (None,)):
        return None
    used = sum(
        1 for i, known in enumerate(kept) if _uses(rule, kept, i) and known.earliest <= at < _leaves(rule, known)
    )
    limit = rule.limit or 0
    if rule.counts is Counts.REATTEMPTS and not any(k.failed and at < _forgotten(rule, k) for k in kept):
        return Told(True, used)
    closed = rule.window.kind is WindowKind.FROM_FIRST and bool(kept) and at >= _closes(rule, kept)
    return Told(not closed and used < limit, used)


def _uses(rule: CapRule, kept: Sequence[Known], i: int) -> bool:
    if rule.counts is Counts.ATTEMPTS:
        return True
    if rule.counts is Counts.DECLINES:
        return kept[i].failed
    if rule.counts is Counts.TRIGGERS:
        return kept[i].failed and answers(rule.after, kept[i])
    return any(kept[j].failed and kept[i].earliest < _forgotten(rule, kept[j]) for j in range(i))


def _forgotten(rule: CapRule, known: Known) -> datetime:
    """From when an attempt after this one is no retry of it."""
    hours = rule.window.hours if rule.window.kind is WindowKind.ROLLING else None
    return EVER if hours is None else known.latest + timedelta(hours=hours)


def _leaves(rule: CapRule, known: Known) -> datetime:
    window = rule.window
    if window.kind is WindowKind.ROLLING:
        return known.latest + timedelta(hours=window.hours or 0)
    if window.kind is not WindowKind.CALENDAR or window.span is None:
        return EVER
    at, zone = known.latest, ZoneInfo(window.span.zone)
    began = at.astimezone(zone).date()
    period = began.strftime("%Y-%m" if window.span.unit is Unit.MONTHS else "%Y-%m-%d")
    day = began
    while day.strftime("%Y-%m" if window.span.unit is Unit.MONTHS else "%Y-%m-%d") == period:
        day += DAY
    return midnight(day, window.span.zone)


def _closes(rule: CapRule, kept: Sequence[Known]) -> datetime:
    first = min(known.earliest for known in kept)
    return over(rule.window.span, first) if rule.window.span else first + timedelta(hours=rule.window.hours or 0)


def _block(rule: CapRule, kept: Sequence[Known], at: datetime, mended: Sequence[Mended]) -> Told | None:
    reasons = [known for known in kept if known.attempt.decline][-1:]
    looked_at = reasons if rule.after.latest_only else [known for known in kept if known.failed]
    if rule.kind is Kind.NOTE:
        looked_at = reasons if rule.after.latest_only else [known for known in kept if known.attempt.decline]
        said = not rule.after.needs_decline or any(answers(rule.after, known) for known in looked_at)
        return Told(True) if said else None
    found = [known for known in looked_at if answers(rule.after, known)]
    ends = [_blocked(rule, known) for known in found]
    if not found or (rule.kind is Kind.WAIT and max(ends) <= max(found, key=lambda k: _blocked(rule, k)).answered):
        return None
    return Told(all(at >= end or _lifted(rule, k, mended, at) for end, k in zip(ends, found, strict=True)))


def _lifted(rule: CapRule, known: Known, mended: Sequence[Mended], at: datetime) -> bool:
    if rule.lifts_codes and known.network_code not in rule.lifts_codes:
        return False
    return any(
        one.what in rule.lifts and known.answered < (one.not_before or one.at) and one.at <= at for one in mended
    )


def _blocked(rule: CapRule, known: Known) -> datetime:
    if rule.kind is Kind.CONDITION:
        return EVER
    if rule.kind is Kind.PROHIBITION:
        return EVER if rule.window.hours is None else known.answered + timedelta(hours=rule.window.hours)
    decline = known.attempt.decline
    waits = [known.answered + timedelta(hours=rule.wait_hours or 0)]
    if decline and decline.min_wait_hours:
        waits.append(known.answered + timedelta(hours=decline.min_wait_hours))
    if rule.span:
        waits.append(over(rule.span, known.answered))
    return max(waits)


def answers(trigger: Trigger, known: Known | None) -> bool:
    """Whether a rule answers to an attempt, or to none at all."""
    if known is None:
        return not trigger.needs_decline
    decline, code = known.attempt.decline, known.network_code
    category = decline.category if decline else None
    return not any(_contradicted(trigger, known, decline.code if decline else None, code, category))


def _contradicted(
    trigger: Trigger, known: Known, raw: str | None, code: str | None, category: str | None
) -> Iterator[bool]:
    decline = known.attempt.decline
    if trigger.codes and code is not None:
        yield code not in trigger.codes
    elif trigger.codes or trigger.categories:
        yield category not in trigger.categories
    yield code in trigger.not_codes
    yield category in trigger.not_categories
    yield bool(trigger.advice) and (decline is None or decline.advice_code not in trigger.advice)
    yield bool(trigger.retryability) and (decline is None or decline.retryability not in trigger.retryability)
    yield trigger.pending and known.attempt.outcome is not Outcome.UNKNOWN
    yield bool(trigger.raw_codes) and raw not in trigger.raw_codes
    yield bool(trigger.hides) and not set(trigger.hides) & _hidden(known, code)


def _hidden(known: Known, code: str | None) -> set[str]:
    """Visa delivered these as 05, told here by hand."""
    day = known.attempt.at.astimezone(UTC).date()
    decline = known.attempt.decline
    if code != "05" or decline is None or decline.network is not Network.VISA:
        return set()
    hidden = {"12", "15"} if day >= date(2025, 4, 12) else set()
    return hidden | ({"57"} if date(2025, 10, 1) <= day <= date(2026, 10, 24) else set())


def over(span: Span, began: datetime) -> datetime:
    """When a span is over, walked day by day."""
    if span.unit is Unit.HOURS:
        return began + timedelta(hours=span.length)
    day = began.astimezone(ZoneInfo(span.zone)).date()
    if span.unit is Unit.DAYS:
        for _ in range(span.length):
            day += DAY
        return midnight(day, span.zone)
    if span.unit is Unit.MONTHS:
        return midnight(_same_day_later(day, span.length), span.zone)
    while not banks_work(span.calendar, day):
        day += DAY
    for _ in range(span.length):
        day += DAY
        while not banks_work(span.calendar, day):
            day += DAY
    return midnight(day, span.zone)


def _same_day_later(day: date, months: int) -> date:
    year, month, wanted = day.year, day.month, day.day
    for _ in range(months):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    while True:
        try:
            return date(year, month, wanted)
        except ValueError:
            wanted -= 1


@cache
def midnight(day: date, zone: str) -> datetime:
    """The first instant of the local day, found by walking minutes around it."""
    tz = ZoneInfo(zone)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(tz).date() < day:
        at += timedelta(minutes=15)
    return at


@cache
def banks_work(calendar: str, day: date) -> bool:
    """Whether banks of the country or scheme work that day, by the calendar library itself."""
    if calendar in {"XECB", "XFED"}:
        return bool(holidays.financial_holidays(calendar, years=day.year).is_working_day(day))
    subdivision = {"GB": "ENG"}.get(calendar)
    return bool(holidays.country_holidays(calendar, subdiv=subdivision, years=day.year).is_working_day(day))
