"""Reads the tables within a rule: what it answers to, its window, spans and hours, and the looser figure."""

import re

from features.errors import InvalidValueError
from features.time_zones import zone
from features.vocabulary import DeclineCategory, Retryability
from model.caps.fields import Fields
from model.caps.hours import Hours, Minutes
from model.caps.rule import KeyPart, Published, Trigger, Window, WindowKind
from model.caps.span import Span, Unit

_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")
_DAY_MINUTES = 24 * 60
_LENGTHS = tuple(unit.value for unit in Unit)


def read_trigger(fields: Fields) -> Trigger:
    """What decline the rule answers to."""
    after = fields.below("after")
    trigger = Trigger(
        latest_only=after.flag("latest_only", default=True),
        codes=after.texts("codes"),
        not_codes=after.texts("not_codes"),
        categories=after.words("categories", DeclineCategory),
        not_categories=after.words("not_categories", DeclineCategory),
        advice=after.texts("advice"),
        retryability=after.words("retryability", Retryability),
        pending=after.flag("pending", default=False),
        raw_codes=after.texts("raw_codes"),
        hides=after.texts("hides"),
    )
    fields.faults.extend(after.finish())
    return trigger


def read_window(fields: Fields) -> Window:
    """The window; `days` are times 24 hours unless a zone is stated, whose calendar they are then of."""
    window = fields.below("window")
    kind = window.word("kind", WindowKind, WindowKind.UNLIMITED)
    if kind is WindowKind.CALENDAR or window.has("zone"):
        read = _calendar_window(window, kind)
    else:
        read = _hours_window(window, kind)
    if read.hours is not None and read.hours < 1:
        window.fault("days" if window.has("days") else "hours", "at least one, or nothing would ever count")
    fields.faults.extend(window.finish())
    return read


def read_span(fields: Fields, name: str) -> Span | None:
    """A span such as `{ days = 14, zone = "Europe/Brussels" }`."""
    if not fields.has(name):
        return None
    table = fields.below(name)
    span = _span(table)
    fields.faults.extend(table.finish())
    return span


def read_hours(fields: Fields) -> Hours | None:
    """Hours such as `{ zone = "Asia/Kolkata", open = ["00:00-10:00"] }`."""
    if not fields.has("hours"):
        return None
    table = fields.below("hours")
    hours = Hours(_zone(table), tuple(_minutes(table, text) for text in table.texts("open")))
    if not hours.open:
        table.fault("open", 'spans such as ["00:00-10:00"]')
    fields.faults.extend(table.finish())
    return hours


def read_published(fields: Fields) -> Published | None:
    """The looser figure."""
    if not fields.has("published"):
        return None
    looser = fields.below("published")
    published = Published(looser.whole("limit"), looser.words("key", KeyPart), looser.whole("length"))
    fields.faults.extend(looser.finish())
    return published


def _hours_window(window: Fields, kind: WindowKind) -> Window:
    hours, days = window.whole("hours"), window.whole("days")
    if (kind is WindowKind.UNLIMITED) != (hours is None and days is None) or (hours is not None and days is not None):
        window.fault("hours", "either hours or days for a window that ends, neither for an unlimited one")
    return Window(kind, hours if days is None else days * 24)


def _calendar_window(window: Fields, kind: WindowKind) -> Window:
    span = _span(window)
    if kind not in {WindowKind.CALENDAR, WindowKind.FROM_FIRST}:
        window.fault("kind", "calendar or from_first for months and banking days")
    if kind is WindowKind.CALENDAR and (span.length != 1 or span.unit not in {Unit.DAYS, Unit.MONTHS}):
        window.fault("days", "days = 1 or months = 1 for a calendar window")
    return Window(kind, None, span)


def _span(table: Fields) -> Span:
    stated = [unit for unit in Unit if table.has(unit)]
    lengths = [table.whole(unit) for unit in stated]
    if len(stated) != 1:
        table.fault("hours", f"one of {', '.join(_LENGTHS)}")
    unit = stated[0] if stated else Unit.HOURS
    if unit is Unit.BANKING_DAYS and not table.has("calendar"):
        table.fault("calendar", "whose banking days are meant, such as XECB or GB")
    name = "UTC" if unit is Unit.HOURS else _zone(table)
    return Span((lengths[0] if lengths else 0) or 0, unit, name, table.text("calendar"))


def _zone(table: Fields) -> str:
    name = table.text("zone", needed=True)
    try:
        zone(name or "UTC")
    except InvalidValueError:
        table.fault("zone", "an IANA time zone such as Europe/Berlin")
        return "UTC"
    return name or "UTC"


def _minutes(table: Fields, text: str) -> Minutes:
    found = _CLOCK.match(text)
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not start < end <= _DAY_MINUTES:
        table.fault("open", 'spans of one day such as "13:00-17:00", the latest until 24:00')
    return start, end
