"""The five failures as a reader sees them: what Recoup decided beside what a fixed schedule would have done."""

from collections.abc import Iterable
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from model.decision import Topic
from model.policies import FIXED_1_3_5_7
from model.wording import moment_words, percent
from serving.answer_schemas import DecisionAnswer, RetryAction
from serving.demo.schedule import Step
from serving.examples import Example
from serving.rendering import chance_words, money_words, window_words

_LEFT_OUT = {Topic.FAILURE, Topic.VALUE, Topic.SCORE}


def told(number: int, example: Example, answer: DecisionAnswer, steps: Iterable[Step]) -> RenderableType:
    """One failure: its story, then the decision and the schedule side by side."""
    sides = Table(box=None, padding=(0, 3, 0, 0), expand=True, show_edge=False)
    sides.add_column("Recoup", ratio=1, header_style="bold green")
    sides.add_column(f"A {FIXED_1_3_5_7.name.replace('-', ' ', 1)} schedule", ratio=1, header_style="bold yellow")
    sides.add_row(_decision(answer), _schedule(steps))
    title = Rule(Text(f" {number}  {example.title} ", style="bold"), align="left", style="dim")
    return Group("", title, Text(example.story, style="italic"), "", Padding(sides, (0, 0, 0, 2)))


def quality(card: str) -> RenderableType:
    """The figures of a model card for log loss and AUC on the test window, beside the baselines'."""
    section = card.partition("## How good")[2].partition("\n## ")[0].strip()
    lines = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    header, figures = lines[0], [line for line in lines[2:] if len(line) == len(lines[0])]
    table = Table(box=None, padding=(0, 3, 0, 0))
    for title in ("on the test window", "log loss (lower is better)", "AUC (higher is better)"):
        table.add_column(title, header_style="bold")
    for line in figures:
        table.add_row(line[0], line[header.index("log_loss")], line[header.index("auc")])
    return Group(Text(section.splitlines()[0], style="dim"), table)


def _decision(answer: DecisionAnswer) -> Text:
    action, text = answer.action, Text()
    if isinstance(action, RetryAction):
        text.append(window_words(action.window, by_day=action.by_day), style="bold")
        text.append(f"\n{action.method_id} through {action.processor}")
        if answer.probability and answer.expected_net_value:
            worth = money_words(answer.expected_net_value)
            text.append(f"\n{chance_words(answer.probability)} likely, worth {worth} on average")
    else:
        text.append(f"Stop: {action.reason.replace('_', ' ')}", style="bold")
    for reason in answer.reasons:
        if reason.topic not in _LEFT_OUT:
            text.append(f"\n• {reason.sentence}", style="not bold")
    return text


def _schedule(steps: Iterable[Step]) -> Text:
    """The retries in order; those that one rule forbids stand together over its sentence."""
    parts: list[Text] = []
    for _, group in groupby(steps, key=lambda step: step.forbidden and step.forbidden.rule_id):
        together = list(group)
        forbidden = together[0].forbidden
        if forbidden is None:
            parts += [_allowed(step, first=not parts and i == 0) for i, step in enumerate(together)]
        else:
            parts.append(Text("\n").join([*map(_moment, together), Text(f"✗ {forbidden.sentence}", style="red")]))
    return Text("\n").join(parts)


def _allowed(step: Step, *, first: bool) -> Text:
    text = _moment(step)
    if step.score is not None:
        text.append(f"\n{percent(step.score.probability)} likely{'' if first else ', given the declines before'}")
    for remark in step.remarks:
        text.append(f"\n• {remark}")
    return text


def _moment(step: Step) -> Text:
    return Text().append(moment_words(step.retry.slot.start, step.time_zone), style="bold")
