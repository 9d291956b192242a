"""What changes in the rulebook from one day to another."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum

from model.caps.fees import Schedule
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook

# Dates say when a version holds, not what it says.
_DATES = frozenset({"effective_from", "effective_to", "note", "sources", "confidence"})


class Change(StrEnum):
    """What became of a rule."""

    BEGINS = "begins"
    ENDS = "ends"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule or price that is not the same on both days.

    Args:
        what: Each field that changed, with what it was and what it is.
    """

    rule_id: str
    change: Change
    what: tuple[str, ...] = ()


def differences(rulebook: Rulebook, before: date, after: date) -> tuple[Difference, ...]:
    """Rules that begin, end or change between two days (UTC), and prices that do, in the order of the rulebook."""
    return (*_of_rules(rulebook, before, after), *_of_prices(rulebook.schedules, before, after))


def _of_rules(rulebook: Rulebook, before: date, after: date) -> Iterator[Difference]:
    for rule_id in dict.fromkeys(rule.rule_id for rule in rulebook.rules):
        versions = [rule for rule in rulebook.rules if rule.rule_id == rule_id]
        old, new = (next((v for v in versions if v.in_force_on(day)), None) for day in (before, after))
        if old is new:
            continue
        if old is None or new is None:
            yield Difference(rule_id, Change.BEGINS if old is None else Change.ENDS)
        elif what := tuple(_changed(old, new)):
            yield Difference(rule_id, Change.CHANGES, what)


def _changed(old: CapRule, new: CapRule) -> Iterator[str]:
    for field in fields(CapRule):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if field.name not in _DATES and was != now:
            yield f"{field.name}: {shown(was)} becomes {shown(now)}"


def _of_prices(schedules: tuple[Schedule, ...], before: date, after: date) -> Iterator[Difference]:
    for schedule in schedules:
        old, new = (_prices(schedule, day) for day in (before, after))
        ended = [f"no longer {price}" for price in old if price not in new]
        begun = [f"now {price}" for price in new if price not in old]
        if ended or begun:
            yield Difference(schedule.schedule_id, Change.CHANGES, (*ended, *begun))


def _prices(schedule: Schedule, day: date) -> tuple[str, ...]:
    return tuple(shown(fee) for fee in schedule.fees if fee.in_force_on(day))


def shown(value: object) -> str:
    """A field's value for people: without what is not stated."""
    if value is None or value == () or value == "":
        return "nothing"
    if isinstance(value, tuple):
        return ", ".join(shown(item) for item in value)
    if type(value).__str__ is not object.__str__ or not is_dataclass(value):
        return str(value)
    stated = ((f.name, getattr(value, f.name)) for f in fields(value) if f.name not in _DATES)
    return " ".join(f"{name} {shown(item)}" for name, item in stated if item not in {None, (), ""})
