"""What a history's own log says of an experiment's variants, in sentences beside its run time; command line only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import typer

from experiments.arm_policies import BestPlan, ExploringPlan, FixedDays, Greedy, MonthDays, NoRetry
from experiments.definition import Definition, Variant
from experiments.history_contexts import HistoryContexts, LoggedRetry
from features.context import Context
from model.artifact import read_artifact
from model.boosted import BoostedScorer
from model.caps.rulebook import Rulebook
from model.decision import Choice
from model.economics import Economics
from model.plan_policies import Greedy as GreedyPolicy
from model.plan_policies import PlanPolicy
from model.policies import NoRetry as NoRetryPolicy
from model.policies import Policy
from model.prior import PriorScorer
from model.schedules import FixedDays as DaysAfter
from model.schedules import MonthDays as DaysOfMonth
from model.schedules import Schedule
from model.scorer import Scorer
from serving.base_rates import BaseRate, arriving, run_time
from serving.cli.progress import Tell, told_progress
from serving.merchant_rules import merchant_rulebook
from serving.settings import Settings
from training.trial.log import read_log
from training.trial.logged_arms import LoggedArm, LoggedArms, logged_arms

_HORIZON_DAYS = 30
_RESAMPLES, _SEED = 500, 1
_WEEKS_A_YEAR = 52.18


@dataclass(frozen=True, slots=True)
class _Called:
    """A variant's policy under the variant's name."""

    name: str
    policy: Policy

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        return self.policy.choices(contexts)


def print_logs(
    history: Path,
    rates: Sequence[tuple[Definition, BaseRate | None]],
    model: Path | None,
    settings: Settings,
    economics: Economics,
) -> None:
    """A few sentences for every definition.

    Raises:
        InputError: The history or the artifact cannot be read.
    """
    table = read_log(history)
    retries = list(HistoryContexts(table, _HORIZON_DAYS).retries(ends=True))
    scorer: Scorer = PriorScorer() if model is None else BoostedScorer(read_artifact(model))
    for definition, rate in rates:
        with told_progress() as tell:
            found = _of_log(definition, retries, table, scorer, merchant_rulebook(settings), economics, tell)
        for line in log_sentences(definition, rate, found):
            typer.echo(line)


def log_sentences(definition: Definition, rate: BaseRate | None, found: LoggedArms) -> Iterator[str]:
    """How long the test takes, and what the log says of each variant meanwhile."""
    run = run_time(definition, rate) if rate else None
    if rate is not None and run is not None:
        long = f"{run.weeks / _WEEKS_A_YEAR:.1f} years" if run.weeks > 2 * _WEEKS_A_YEAR else f"{run.weeks:,.0f} weeks"
        arrive = f"{arriving(definition, run):,.1f} new {definition.unit}s"
        yield f"{definition.key}: this test takes {long}, in which {arrive} a week take part."
    if not found.usable:
        why = "no payment of the target was retried in it" if not found.retried else "its retries state no propensities"
        yield f"{definition.key}: the log can say nothing of the variants, for {why}."
        return
    for arm in found.arms:
        yield f"{arm.variant}: {_told(arm, definition.control, found)}"
    for name in sorted(definition.variants.keys() - {arm.variant for arm in found.arms}):
        yield f"{name}: the log can say nothing, for its policy is one of replays only."


def _told(arm: LoggedArm, control: str, found: LoggedArms) -> str:
    drawn = "" if found.asked == found.usable else f" drawn from {found.usable:,}"
    on = f"{found.asked:,} usable payments{drawn}"
    if arm.value is None:
        return f"the log can say nothing on {on}: {arm.refusal}."
    part = "its retries" if arm.whole else "its first retry alone, for whole recoveries have too little support,"
    value = arm.value
    said = (
        f"the log says {part} bring back {value.value:.1%} of the failed amount of payments that the log "
        f"retried ({value.low:.1%} to {value.high:.1%}; "
        f"effective sample {arm.support.effective:,.0f} of {on})"
    )
    if arm.change is None:
        alone = f"; {control} cannot be told, so that neither can the difference"
        return f"{said}{'' if arm.variant == control else alone}."
    low, high = arm.change.low, arm.change.high
    differs = "more than" if low > 0 else "less than" if high < 0 else "not shown to differ from"
    return f"{said}, {arm.change.value:+.1%} ({low:+.1%} to {high:+.1%}) against {control}: {differs} it."


def _of_log(
    definition: Definition,
    retries: Sequence[LoggedRetry],
    table: pa.Table,
    scorer: Scorer,
    rulebook: Rulebook,
    economics: Economics,
    tell: Tell,
) -> LoggedArms:
    last: datetime = pc.max(table["attempted_at"]).as_py()
    return logged_arms(
        retries,
        _policies(definition, scorer, rulebook, economics),
        definition.control,
        definition.target,
        definition.window_days,
        last,
        scorer,
        economics.exchange,
        resamples=_RESAMPLES,
        seed=_SEED,
        tell=tell,
    )


def _policies(definition: Definition, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Mapping[str, Policy]:
    """Of every variant that a log can be asked about, by its name, the control first."""
    order = sorted(definition.variants, key=lambda name: (name != definition.control, name))
    made = {name: _policy(definition.variants[name], scorer, rulebook, economics) for name in order}
    return {name: _Called(name, policy) for name, policy in made.items() if policy is not None}


def _policy(variant: Variant, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Policy | None:
    """Exploring plans as the plan that they explore around; None for what a replay alone can play."""
    match variant.policy:
        case NoRetry():
            return NoRetryPolicy()
        case FixedDays(days=days):
            return Schedule("fixed-days", DaysAfter(days), rulebook)
        case MonthDays(days=days, within_days=within):
            return Schedule("month-days", DaysOfMonth(days, within), rulebook)
        case Greedy(max_retries=most, horizon_days=horizon):
            return GreedyPolicy(scorer, rulebook, economics, most, horizon)
        case BestPlan(max_retries=most, horizon_days=horizon) | ExploringPlan(max_retries=most, horizon_days=horizon):
            return PlanPolicy(scorer, rulebook, economics, most, horizon)
        case _:
            return None
