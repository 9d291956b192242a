"""An answer as a person wants to read it in a terminal."""

import os
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from features.money import Money
from model.wording import day_words, percent
from serving.answer_schemas import DecisionAnswer, Limit, MoneyOut, Probability, RetryAction, Window

UNKNOWN_WIDTH = 120
_MOST_ALTERNATIVES = 3


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; where there is none, wide enough for our tables."""
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    return Console(stderr=stderr, highlight=False, width=None if known else UNKNOWN_WIDTH)


def rendered(answer: DecisionAnswer) -> RenderableType:
    """The whole answer: what to do, why, under which limits, and what else there was."""
    parts: list[RenderableType] = [headline(answer), _sentences("Why", [r.sentence for r in answer.reasons])]
    if answer.payer_could:
        parts.append(_sentences("What the payer could do", list(answer.payer_could)))
    if answer.limits:
        parts.append(_limits(answer.limits))
    if len(answer.plan.attempts) > 1:
        parts.append(_plan(answer))
    if answer.alternatives:
        parts.append(_alternatives(answer))
    if answer.notes:
        parts.append(_sentences("Not understood", list(answer.notes)))
    return Group(*parts, _origin(answer))


def headline(answer: DecisionAnswer) -> Panel:
    """What to do, when, and what it is worth."""
    action = answer.action
    if not isinstance(action, RetryAction):
        return Panel(Text(f"Make no further attempt: {action.reason.replace('_', ' ')}"), title="Stop", style="red")
    lines = [
        f"{action.method_id} through {action.processor}",
        window_words(action.window, by_day=action.by_day),
        worth_words(answer),
    ]
    return Panel(
        Text("\n".join(line for line in lines if line)), title="Retry", title_align="left", border_style="green"
    )


def window_words(window: Window, *, by_day: bool = False) -> str:
    """`Mon 30 Nov 2026, 06:00 to 07:00 (Europe/Berlin)`: the window on the issuer's clock."""
    zone = ZoneInfo(window.time_zone)
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    if by_day:
        return f"{day_words(start)} ({window.time_zone})"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{day_words(end)} {end:%H:%M}"
    return f"{day_words(start)}, {start:%H:%M} to {until} ({window.time_zone})"


def worth_words(answer: DecisionAnswer) -> str:
    """`48 % likely to be approved (31 % to 66 %); worth 8.12 EUR on average; pays up to 9.10 EUR an attempt`."""
    probability, net, most = answer.probability, answer.expected_net_value, answer.break_even_cost
    if probability is None or net is None or most is None:
        return ""
    return (
        f"{chance_words(probability)} likely to be approved; worth {money_words(net)} on average; "
        f"pays as long as an attempt costs less than {money_words(most)}"
    )


def chance_words(probability: Probability) -> str:
    """`48 % (31 % to 66 %)`."""
    return f"{percent(probability.approved)} ({percent(probability.low)} to {percent(probability.high)})"


def money_words(money: MoneyOut) -> str:
    """`12.50 EUR`."""
    return str(Money(money.amount_minor, money.currency))


def instant_words(instant: datetime) -> str:
    """`2026-11-23 10:15Z`."""
    return f"{instant:%Y-%m-%d %H:%M}Z"


def _sentences(title: str, sentences: list[str]) -> RenderableType:
    body = Text(title, style="bold")
    for sentence in sentences:
        body.append(f"\n  • {sentence}", style="not bold")
    return body


def _limits(limits: tuple[Limit, ...]) -> Table:
    table = Table(title="Limits considered", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("", "used", "limit", "left", "rule"):
        table.add_column(column, justify="left" if column in ("", "rule") else "right")
    for limit in limits:
        counts = ("–" if n is None else str(n) for n in (limit.used, limit.limit, limit.left))
        table.add_row(Text("✓", "green") if limit.allowed else Text("✗", "red"), *counts, Text(limit.sentence))
    return table


def _plan(answer: DecisionAnswer) -> Table:
    plan = answer.plan
    title = f"Plan, if each is declined: {percent(plan.recovery_probability)} "
    title += f"({percent(plan.recovery_low)} to {percent(plan.recovery_high)}) to recover, "
    title += f"{plan.expected_attempts:.1f} attempts on average, worth {money_words(plan.expected_net_value)}"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("when", "method", "processor", "chance then", "made with", "net value"):
        table.add_column(column, justify="right" if column == "net value" else "left")
    by_day = isinstance(answer.action, RetryAction) and answer.action.by_day
    for attempt in plan.attempts:
        table.add_row(
            window_words(attempt.window, by_day=by_day),
            attempt.method_id,
            attempt.processor,
            percent(attempt.probability.approved),
            percent(attempt.reached),
            money_words(attempt.expected_net_value),
        )
    return table


def _alternatives(answer: DecisionAnswer) -> Table:
    table = Table(title="Next best", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("when", "method", "processor", "chance", "net value", "why not"):
        table.add_column(column, justify="right" if column == "net value" else "left")
    by_day = isinstance(answer.action, RetryAction) and answer.action.by_day
    for other in answer.alternatives[:_MOST_ALTERNATIVES]:
        table.add_row(
            window_words(other.window, by_day=by_day),
            other.method_id,
            other.processor,
            percent(other.probability.approved),
            money_words(other.expected_net_value),
            Text(other.why_not),
        )
    return table


def _origin(answer: DecisionAnswer) -> Text:
    versions = answer.versions
    who = {"model": "model", "prior": "shipped prior, no model", "schedule": "schedule, no model"}[answer.policy_source]
    return Text(
        f"{who} {versions.model} · policy {answer.policy} · rulebook {versions.rulebook} · "
        f"economics {versions.economics} · valid until {instant_words(answer.valid_until)} · {answer.decision_id}",
        style="dim",
    )
