"""Reads the rule of one field from a mapping file: `fields.currency = { constant = "EUR" }`."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from features.errors import shorten
from features.history import Field
from features.sources.cells import MINOR_UNITS, MONEY_FIELDS, MoneyFormat, Unit, cell_reader
from features.sources.mapping import Column, Constant, FieldRule, Source, Template, ValueTable
from features.sources.problems import Problems, Settings
from features.sources.refusal import Refusal
from features.sources.suggestion import did_you_mean, listed
from features.sources.times import ISO_TIMES, TIME_FORMATS, Ambiguous, Nonexistent, TimeFormat
from features.time_zones import is_zone

_SOURCES = ("column", "constant", "template")
_TABLE_KEYS = ("values", "otherwise", "keep_unlisted", "default")
_MONEY_KEYS = ("unit", "decimal", "thousands")
_DATE_KEYS = ("format",)
_INSTANT_KEYS = ("format", "zone", "ambiguous", "nonexistent")
_BRACES = re.compile(r"[{}]")
_NEEDED_DIRECTIVES = (("%Y", "%y"), ("%m", "%b", "%B", "%j"))
_A_PLAIN_DAY = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


def read_field_rule(field: Field, stated: object, problems: Problems) -> FieldRule | None:
    """The rule of one field: a column's name, or a table of settings; None when no source could be read."""
    place = f"fields.{field.name}"
    if isinstance(stated, str) and stated:
        stated = {"column": stated}
    if not isinstance(stated, dict):
        problems.add(f"{place}: {shorten(stated)} is not accepted; expected a column's name or a table of settings")
        return None
    settings = Settings(place, stated, problems)
    settings.refuse_unknown((*_SOURCES, *_TABLE_KEYS, *_keys_of_kind(field)))
    source = _source(settings)
    if source is None:
        return None
    rule = FieldRule(
        field.name,
        source,
        _value_table(settings),
        _scalar(settings, "default"),
        _money(settings),
        _time(settings, field),
    )
    _check_words(field, rule, settings)
    return rule


def _keys_of_kind(field: Field) -> tuple[str, ...]:
    if field.name in MONEY_FIELDS:
        return _MONEY_KEYS
    return {"instant": _INSTANT_KEYS, "date": _DATE_KEYS}.get(field.kind, ())


def _source(settings: Settings) -> Source | None:
    stated = [key for key in _SOURCES if key in settings.values]
    if len(stated) != 1:
        found = " and ".join(stated) or "none of them"
        settings.problem("column", found, "exactly one of column, constant and template")
        return None
    if stated == ["constant"]:
        constant = _scalar(settings, "constant")
        return None if constant is None else Constant(constant)
    text = settings.text(stated[0])
    if text is None:
        return None
    return Column(text) if stated == ["column"] else _template(settings, text)


def _template(settings: Settings, text: str) -> Template | None:
    template = Template(text)
    if not template.columns or _BRACES.search(template.percent_format):
        settings.problem("template", text, "text with columns in braces, such as {country}-{card}")
        return None
    return template


def _scalar(settings: Settings, key: str) -> str | None:
    value = settings.values.get(key)
    if value is None or isinstance(value, str):
        return settings.text(key)
    if isinstance(value, bool | int | float):
        return str(value).lower()
    settings.problem(key, value, "a text, a number or true or false")
    return None


def _value_table(settings: Settings) -> ValueTable | None:
    values = settings.optional_table("values")
    otherwise, keep = _scalar(settings, "otherwise"), settings.flag("keep_unlisted")
    if values is None:
        for key in ("otherwise", "keep_unlisted"):
            if key in settings.values:
                settings.problem(key, settings.values[key], f"{key} beside a table of values")
        return None
    if otherwise is not None and keep:
        settings.problem("otherwise", otherwise, "otherwise or keep_unlisted, not both")
    table = {key: text for key in values.values if (text := _scalar(values, key)) is not None}
    if not table:
        settings.problem("values", {}, "at least one value")
    return ValueTable(table, otherwise, keep)


def _money(settings: Settings) -> MoneyFormat:
    plain = MINOR_UNITS
    decimal = settings.text("decimal") or plain.decimal
    thousands = settings.text("thousands") or plain.thousands
    for key, mark in (("decimal", decimal), ("thousands", thousands)):
        if len(mark) > 1 or mark.isalnum():
            settings.problem(key, mark, "one character that is no letter or digit")
    if decimal == thousands:
        settings.problem("thousands", thousands, "another character than decimal")
    unit = settings.choice("unit", {str(unit): unit for unit in Unit})
    return MoneyFormat(unit or plain.unit, decimal, thousands)


def _time(settings: Settings, field: Field) -> TimeFormat:
    if field.kind not in {"instant", "date"}:
        return ISO_TIMES
    plain = ISO_TIMES
    stated = settings.text("format") or plain.format
    zone = settings.text("zone")
    if zone is not None and not is_zone(zone):
        settings.problem("zone", zone, f"an IANA time zone, such as Europe/Berlin{_nearest_zone(zone)}")
        zone = "UTC"
    how = TimeFormat(
        stated,
        zone,
        settings.choice("ambiguous", {str(word): word for word in Ambiguous}) or plain.ambiguous,
        settings.choice("nonexistent", {str(word): word for word in Nonexistent}) or plain.nonexistent,
    )
    wrong = _wrong_format(how, field)
    if wrong is not None:
        settings.problem("format", stated, wrong)
        return TimeFormat(zone=zone)
    if field.kind == "instant" and how.needs_zone and zone is None:
        settings.problem("zone", None, f"an IANA time zone, for {stated!r} carries no offset")
    return how


def _wrong_format(how: TimeFormat, field: Field) -> str | None:
    if how.is_pattern:
        return _wrong_pattern(how.format, month_suffices=field.kind == "date")
    formats = TIME_FORMATS if field.kind == "instant" else ("iso",)
    if how.format in formats:
        return None
    suggestion = did_you_mean(how.format, formats)
    return f"one of {listed(formats)}, or a strptime pattern such as %d.%m.%Y{suggestion}"


def _wrong_pattern(pattern: str, *, month_suffices: bool) -> str | None:
    try:
        datetime.strptime(_A_PLAIN_DAY.strftime(pattern), pattern)  # noqa: DTZ007 - only whether it parses
    except (ValueError, re.error):
        return "a strptime pattern that Python can read"
    needed = _NEEDED_DIRECTIVES if month_suffices else (*_NEEDED_DIRECTIVES, ("%d", "%j"))
    if "%c" in pattern or "%x" in pattern or all(any(d in pattern for d in group) for group in needed):
        return None
    return f"a pattern with a year and a month{'' if month_suffices else ' and a day'}"


def _nearest_zone(zone: str) -> str:
    from zoneinfo import available_timezones

    return did_you_mean(zone, available_timezones())


def _check_words(field: Field, rule: FieldRule, settings: Settings) -> None:
    """Our own words in the mapping must be acceptable before a file is read; money needs its row's currency."""
    if field.name in MONEY_FIELDS:
        return
    read = cell_reader(field, rule.time)
    for key, word in _own_words(rule):
        answer = read(word.strip()) if word.strip() else None
        if isinstance(answer, Refusal):
            settings.problem(key, word, answer.expected)


def _own_words(rule: FieldRule) -> Iterator[tuple[str, str]]:
    if isinstance(rule.source, Constant):
        yield "constant", rule.source.text
    if rule.default is not None:
        yield "default", rule.default
    if rule.table is not None:
        yield from ((f"values.{key}", word) for key, word in rule.table.values.items())
        if rule.table.otherwise is not None:
            yield "otherwise", rule.table.otherwise
