"""Reads rules and schedules of fees from TOML; every fault is noted by file, rule and field, all at once."""

import tomllib
from dataclasses import dataclass, replace

from features.vocabulary import Initiator, Network, Rail
from model.caps.fees import Confidence, Fee, Schedule
from model.caps.fields import Fields
from model.caps.reading_terms import read_hours, read_published, read_span, read_trigger, read_window
from model.caps.rule import CapRule, Counts, FixKind, KeyPart, Kind
from model.caps.sense import check_sense

_CONFIDENCE: dict[str, Confidence] = {"high": "high", "medium": "medium", "low": "low"}


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file holds.

    Args:
        rules, schedules: The well-formed ones.
        faults: Sentences that name file, rule and field.
    """

    rules: tuple[CapRule, ...]
    schedules: tuple[Schedule, ...]
    faults: tuple[str, ...]


def read_file(file: str, text: str) -> RuleFile:
    """Everything in a file of `[[rule]]` and `[[schedule]]` tables."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return RuleFile((), (), (f"{file}: not valid TOML: {error}",))
    rules, schedules = raw.get("rule", []), raw.get("schedule", [])
    if not raw or not raw.keys() <= {"rule", "schedule"} or not _are_tables(rules) or not _are_tables(schedules):
        return RuleFile((), (), (f"{file}: expected [[rule]] and [[schedule]] tables and nothing else",))
    faults: list[str] = []
    prices = [_read_schedule(f"{file}, schedule {i}", table, faults) for i, table in enumerate(schedules, 1)]
    found = [_read_rule(f"{file}, rule {i}", table, faults) for i, table in enumerate(rules, 1)]
    return RuleFile(tuple(r for r in found if r), tuple(p for p in prices if p), tuple(faults))


def joined(
    files: dict[str, RuleFile], before: tuple[Schedule, ...] = ()
) -> tuple[tuple[CapRule, ...], tuple[Schedule, ...], list[str]]:
    """The rules of all files with the prices of their schedules, the schedules, and every fault.

    Args:
        before: Schedules that the files may name too, and come first among those returned.
    """
    faults = [fault for file in files.values() for fault in file.faults]
    schedules = [*before, *(schedule for file in files.values() for schedule in file.schedules)]
    known = {schedule.schedule_id: schedule for schedule in schedules}
    if len(known) < len(schedules):
        faults.append("schedule: two schedules have the same id")
    rules = []
    for name, file in files.items():
        for rule in file.rules:
            if rule.schedule and rule.schedule not in known:
                expected = f"one of {', '.join(known) or 'no schedule at all'}"
                faults.append(
                    f"{name}, {rule.rule_id}, schedule: {rule.schedule!r} is not accepted; expected {expected}"
                )
            fees = known[rule.schedule].fees if rule.schedule in known else ()
            rules.append(replace(rule, fees=(*rule.fees, *fees)))
    return tuple(rules), tuple(schedules), faults


def _are_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(table, dict) for table in value)


def _read_rule(where: str, table: dict[str, object], faults: list[str]) -> CapRule | None:
    name = table.get("id")
    fields = Fields(f"{where} ({name})" if isinstance(name, str) else where, table)
    kind = fields.word("kind", Kind, Kind.CAP)
    rule = CapRule(
        rule_id=fields.text("id", needed=True),
        kind=kind,
        who=fields.text("who", needed=True),
        what=fields.text("what", needed=True),
        key=fields.words("key", KeyPart),
        sources=fields.texts("sources"),
        confidence=_confidence(fields),
        after=read_trigger(fields),
        window=read_window(fields),
        counts=fields.word("counts", Counts, Counts.REATTEMPTS),
        limit=fields.whole("limit"),
        share_bps=fields.whole("share_bps"),
        wait_hours=fields.whole("wait_hours"),
        span=read_span(fields, "span"),
        hours=read_hours(fields),
        above=fields.money("above") if fields.has("above") else None,
        advises=fields.flag("advises", default=False),
        resets_on_approval=fields.flag("resets_on_approval", default=kind is not Kind.PROHIBITION),
        rails=fields.words("rails", Rail),
        networks=fields.words("networks", Network),
        not_networks=fields.words("not_networks", Network),
        regions=fields.texts("regions"),
        not_regions=fields.texts("not_regions"),
        issuers=fields.texts("issuers"),
        processors=fields.texts("processors"),
        initiators=fields.words("initiators", Initiator),
        effective_from=fields.day("effective_from"),
        effective_to=fields.day("effective_to"),
        lifted_by=fields.text("lifted_by"),
        lifts=fields.words("lifts", FixKind),
        lifts_codes=fields.texts("lifts_codes"),
        ours=fields.flag("ours", default=False),
        published=read_published(fields),
        fees=_read_fees(fields),
        schedule=fields.text("schedule"),
        note=fields.text("note"),
    )
    check_sense(fields, rule)
    faults.extend(fields.finish())
    return None if fields.faults else rule


def _read_schedule(where: str, table: dict[str, object], faults: list[str]) -> Schedule | None:
    name = table.get("id")
    fields = Fields(f"{where} ({name})" if isinstance(name, str) else where, table, noun="schedule")
    schedule = Schedule(
        schedule_id=fields.text("id", needed=True),
        who=fields.text("who", needed=True),
        what=fields.text("what", needed=True),
        fees=_read_fees(fields),
        sources=fields.texts("sources"),
        confidence=_confidence(fields),
        note=fields.text("note"),
    )
    if not schedule.fees:
        fields.fault("fees", "at least one price")
    if not schedule.sources:
        fields.fault("sources", "at least one public address")
    faults.extend(fields.finish())
    return None if fields.faults else schedule


def _confidence(fields: Fields) -> Confidence:
    return _CONFIDENCE.get(fields.one_of("confidence", tuple(_CONFIDENCE)), "low")


def _read_fees(fields: Fields) -> tuple[Fee, ...]:
    return tuple(_read_fee(fee) for fee in fields.tables("fees"))


def _read_fee(fee: Fields) -> Fee:
    read = Fee(
        amount=fee.money("amount"),
        regions=fee.texts("regions"),
        not_regions=fee.texts("not_regions"),
        cross_border=fee.flag("cross_border", default=False) if fee.has("cross_border") else None,
        effective_from=fee.day("effective_from"),
        effective_to=fee.day("effective_to"),
        stated=fee.text("stated"),
    )
    fee.faults.extend(fee.unread())
    return read
