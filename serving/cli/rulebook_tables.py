"""The tables that `recoup rulebook` and `recoup declines` print."""

from rich.markup import escape
from rich.table import Table

from serving.rendering import console
from serving.rulebook_answers import DeclineOut, EntryOut, FeeOut, RulebookOut, RuleOut


def print_rulebook(answer: RulebookOut) -> None:
    """Rules, then prices."""
    out = console()
    about = f" for {answer.network}" if answer.network else ""
    table = Table(
        title=f"Rules in force on {answer.at}{about}", title_justify="left", header_style="bold", show_lines=True
    )
    for heading in ("rule", "what it says", "in force", "confidence"):
        table.add_column(heading, overflow="fold", ratio=3 if heading == "what it says" else None)
    for rule in answer.rules:
        table.add_row(escape(rule.rule_id), escape(_said(rule)), _dates(rule), rule.confidence)
    out.print(table)
    prices = Table(title="Prices", title_justify="left", header_style="bold", show_lines=True)
    prices.add_column("schedule", overflow="fold")
    prices.add_column("what it says", overflow="fold", ratio=1)
    for schedule in answer.schedules:
        prices.add_row(schedule.schedule_id, escape("\n".join([schedule.sentence, *map(_price, schedule.fees)])))
    if answer.schedules:
        out.print(prices)
    out.print(f"{len(answer.rules)} rules; rulebook {answer.version}.")


def print_decline(answer: DeclineOut) -> None:
    """How a code is read, and who says so."""
    out = console()
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in _lines(answer):
        table.add_row(name, escape(value))
    out.print(table)


def _lines(answer: DeclineOut) -> list[tuple[str, str]]:
    lines = [
        ("code", f"{answer.code} ({answer.processor or answer.network})"),
        ("meaning", answer.title or "not known: it stands in no table"),
        ("category", answer.category),
        ("retry", answer.retryability.replace("_", " ")),
    ]
    optional = (
        ("network's code", answer.network_code),
        ("advice", answer.advice),
        ("wait", f"{answer.min_wait_hours} hours" if answer.min_wait_hours else None),
        ("may hide", ", ".join(answer.may_hide) or None),
        ("processor says", _entry_words(answer.processor_says)),
        ("network says", _entry_words(answer.network_says)),
    )
    return lines + [(name, value) for name, value in optional if value]


def _entry_words(entry: EntryOut | None) -> str | None:
    if entry is None:
        return None
    note = f"; {entry.note}" if entry.note else ""
    return f"{entry.title} ({entry.category}, {entry.retryability}){note} [{entry.table}] {entry.source}"


def _said(rule: RuleOut) -> str:
    notes = [rule.sentence]
    if rule.advises:
        notes.append("Advice: it never forbids.")
    if rule.lifts:
        after = f" after {', '.join(rule.lifts_codes)}" if rule.lifts_codes else ""
        notes.append(f"Lifted by a fix told later ({' or '.join(rule.lifts)}){after}.")
    if rule.published_limit is not None:
        notes.append(f"{rule.published_limit} where the acquirer confirms it.")
    return " ".join(notes)


def _dates(rule: RuleOut) -> str:
    since = f"since {rule.effective_from}" if rule.effective_from else ""
    until = f"until {rule.effective_to}" if rule.effective_to else ""
    return " ".join(part for part in (since, until) if part) or "undated"


def _price(fee: FeeOut) -> str:
    from features.money import Money

    amount = fee.stated or str(Money(fee.amount_minor, fee.currency))
    where = f" in {', '.join(fee.regions)}" if fee.regions else ""
    border = {True: " across borders", False: " at home", None: ""}[fee.cross_border]
    return f"{amount}{border}{where}"
