"""Markets as data: time zone, holiday subdivision and payday customs per country (data/markets.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from features.errors import InputError

Adjust = Literal["before", "after"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class PaydayRule:
    """When wages usually arrive. Exactly one of day, working_day and weekday is set; 0 stands for the last.

    Args:
        day: Day of the month, 0 for the last.
        working_day: n-th banking day of the month, 0 for the last.
        weekday: Monday = 0.
        adjust: Where to move a payday that is not a banking day.
    """

    day: int | None = None
    working_day: int | None = None
    weekday: int | None = None
    adjust: Adjust = "before"


@dataclass(frozen=True, slots=True)
class Market:
    """What is known of a country before any attempt there was seen."""

    country: str
    paydays: tuple[PaydayRule, ...]
    time_zone: str | None = None
    subdivision: str | None = None
    source: str = "ours"
    confidence: str = "low"


@cache
def market(country: str) -> Market:
    """The market of an ISO 3166-1 country; countries without an entry get the default customs."""
    tables = _tables()
    default = tables["default"]
    own = tables.get(country, {})
    stated = own if "paydays" in own else default
    return Market(
        country=country,
        paydays=_paydays(country, stated["paydays"]),
        time_zone=_text(own.get("time_zone")),
        subdivision=_text(own.get("subdivision")),
        source=str(stated["source"]),
        confidence=str(stated["confidence"]),
    )


@cache
def _tables() -> Mapping[str, Mapping[str, object]]:
    raw = tomllib.loads((files("features") / "data" / "markets.toml").read_text(encoding="utf-8"))
    return {name: table for name, table in raw.items() if isinstance(table, dict)}


def _paydays(country: str, rules: object) -> tuple[PaydayRule, ...]:
    if not isinstance(rules, list) or not rules:
        raise InputError(f"markets.toml [{country}] paydays: expected a list of payday rules")
    return tuple(_payday(country, rule) for rule in rules)


def _payday(country: str, rule: Mapping[str, object]) -> PaydayRule:
    adjust: Adjust = "after" if rule.get("adjust") == "after" else "before"
    match rule:
        case {"day": int() | "last" as day}:
            return PaydayRule(day=0 if day == "last" else int(day), adjust=adjust)
        case {"working_day": int() | "last" as nth}:
            return PaydayRule(working_day=0 if nth == "last" else int(nth), adjust=adjust)
        case {"weekday": str() as name} if name in WEEKDAYS:
            return PaydayRule(weekday=WEEKDAYS.index(name), adjust=adjust)
        case _:
            raise InputError(f"markets.toml [{country}] paydays: {rule!r} is not one of day, working_day, weekday")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
