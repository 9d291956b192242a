"""The four ways to evaluate, each from its input to its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from experiments.history_contexts import HistoryContexts
from experiments.recorded_world import Recorded, RecordedWorld
from experiments.schedules.learnt import from_log
from experiments.schedules.tries import tries_of
from experiments.world import World
from features.context import Context
from features.errors import InputError
from features.instants import from_micros
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.schedules import NamedDays
from model.scorer import Scorer
from model.wording import count_words
from training.config import TrainingConfig
from training.trial.contest import Contest, Progress, contest
from training.trial.crossfit import Protocol, cross_fit
from training.trial.document import Report
from training.trial.folds import known_at
from training.trial.for_promotion import for_promotion
from training.trial.lineup import LineUp
from training.trial.log import as_attempts, read_log
from training.trial.logged import off_policy
from training.trial.logged_report import off_policy_report
from training.trial.model_figures import scored
from training.trial.model_section import model_json, model_section
from training.trial.plan_section import Promises, plan_finding, plan_json, plan_section
from training.trial.played import Played, played_report
from training.trial.routing import routing
from training.trial.routing_report import routing_report
from training.trial.whole_payments import whole_payments


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every way.

    Args:
        most: Numbers of retries allowed.
        horizon_days: Local days after the first failure in which retries count.
        wanted: Names of the policies wanted; None for all.
        resamples: Draws of customers behind every interval.
        seed: Of every draw.
    """

    rulebook: Rulebook
    economics: Economics
    most: tuple[int, ...] = (1, 2, 3, 4)
    horizon_days: int = 30
    wanted: frozenset[str] | None = None
    resamples: int = 1_000
    seed: int = 17


def cross_fitted(
    history: Path, outcomes: Mapping[str, Recorded], folds: int, windows: int, terms: Terms, tell: Progress
) -> Report:
    """Every episode judged by a model that saw neither its customer nor its time.

    Raises:
        InputError: The history cannot be read, or a part of it is too small to learn from.
    """
    protocol = Protocol(folds, windows, terms.horizon_days, terms.most, terms.wanted)
    config = TrainingConfig(history, resamples=50, seed=terms.seed)
    found = cross_fit(read_log(history), dict(outcomes), protocol, config, terms.rulebook, terms.economics, tell)
    tell("judging", 0, 1)
    played = Played(found.contest, terms.resamples, terms.seed, limited=bool(terms.rulebook.rules))
    evaluation = found.scored.evaluation(min(terms.resamples, 500), terms.seed)
    where = f"{count_words(windows, 'window')} of time, judged by what went before" if windows else "the whole time"
    lead = (
        f"{found.contest.payments:,} failed payments of {history.name}, cross-fitted over {folds} folds of customers "
        f"and {where}: {count_words(found.models, 'model')}, none of which saw a payment's customer"
        f"{' or time' if windows else ''}. {found.too_early:,} payments only teach; {found.left_out:,} were not "
        f"observed for {terms.horizon_days} days and are left out."
    )
    more = [model_section(found.scored, evaluation)]
    report = _with_plans(played_report("Policies on recorded outcomes", lead, played, more), found.contest, terms)
    return _with(report, {"model": model_json(evaluation)})


def replayed(
    world: World,
    contexts: Sequence[Context],
    log: pa.Table,
    scorer: Scorer,
    lead: str,
    terms: Terms,
    tell: Progress,
    champion: Scorer | None = None,
) -> Report:
    """Every policy played on the failed payments of a world; schedules are learnt from the log.

    Args:
        champion: The model that answers now, played beside the one on trial; the report then says what
            `recoup promote` asks for.

    Raises:
        InputError: There is no failed payment to play.
    """
    if not contexts:
        raise InputError("there is no failed payment to play")
    tell("learning schedules", 0, 1)
    lineup = LineUp(
        scorer,
        terms.rulebook,
        terms.economics,
        terms.horizon_days,
        _timetables(log, terms),
        world=world,
        wanted=terms.wanted,
        several=any(len(context.methods) > 1 or len(context.methods[0].processors) > 1 for context in contexts),
        champion=champion,
    )
    played = Played(
        contest(world, contexts, lineup, terms.most, tell),
        terms.resamples,
        terms.seed,
        limited=bool(terms.rulebook.rules),
    )
    report = _with_plans(played_report("Policies in a world", lead, played, []), played.contest, terms)
    evidence = for_promotion(played, scorer.version, None if champion is None else champion.version)
    if evidence is None or scorer.source != "model":
        return report
    return _with(report, {"promotion": evidence.to_json()})


def recorded_world(history: pa.Table, outcomes: Mapping[str, Recorded], horizon_days: int) -> RecordedWorld:
    """Recorded outcomes as a world, with contexts from the history."""
    return RecordedWorld(HistoryContexts(history, horizon_days).failures(), outcomes, horizon_days)


def logged(history: Path, scorer: Scorer, since: int | None, slot_hours: int, terms: Terms, tell: Progress) -> Report:
    """What every policy would have been worth, read off a log.

    Args:
        since: Judge payments that failed from this instant on (microseconds), and learn schedules from what was known
            before; None judges all, and learns from all.

    Raises:
        InputError: The history cannot be read, or holds no retry to judge.
    """
    tell("reading the log", 0, 1)
    table = read_log(history)
    every = list(HistoryContexts(table, terms.horizon_days).retries(ends=True))
    last = from_micros(int(known_at(table).max(initial=0)))
    chosen = whole_payments(every, None if since is None else from_micros(since), last)
    retries = [one for one in chosen.begun if not one.gave_up]
    if not retries:
        after = "" if since is None else f" of a payment that failed after {from_micros(since):%Y-%m-%d}"
        raise InputError(f"{history}: holds no retry{after} to judge; {chosen.too_early:,} payments failed before")
    timetables = _timetables(before(table, since), terms)
    lineup = LineUp(scorer, terms.rulebook, terms.economics, terms.horizon_days, timetables, wanted=terms.wanted)
    found = off_policy(
        retries,
        lineup.policies,
        terms.most,
        scorer,
        slot_hours=slot_hours,
        resamples=terms.resamples,
        seed=terms.seed,
        tell=tell,
        whole=chosen.retries,
    )
    judged = scored(retries, scorer)
    evaluation = judged.evaluation(min(terms.resamples, 500), terms.seed)
    lead = f"{len(retries):,} logged retries of {history.name}; the plan asks model {scorer.version}. {chosen}"
    report = off_policy_report("Policies read off a log", lead, found, [model_section(judged, evaluation)])
    return _with(report, {"model": model_json(evaluation)})


def routes(history: Path, folds: int, windows: int, terms: Terms, tell: Progress) -> Report:
    """The learnt route against every single processor, cross-fitted.

    Raises:
        InputError: As `routing`.
    """
    config = TrainingConfig(history, first_attempts=True, resamples=50, seed=terms.seed)
    found = routing(
        read_log(history),
        config,
        terms.economics,
        folds=folds,
        windows=windows,
        resamples=terms.resamples,
        seed=terms.seed,
        tell=tell,
    )
    over = f"{count_words(folds, 'fold')} of customers and {count_words(windows, 'window')} of time"
    lead = f"Attempts of {history.name}, cross-fitted over {over}."
    return routing_report("Routes read off a log", lead, found)


def before(table: pa.Table, since: int | None) -> pa.Table:
    """The rows of a log whose outcome was known before an instant; all for None."""
    return table if since is None else table.filter(pa.array(known_at(table) < since))


def _timetables(log: pa.Table, terms: Terms) -> Mapping[int, Sequence[NamedDays]]:
    tries = tries_of(as_attempts(log), terms.horizon_days)
    if not len(tries):
        raise InputError("the log to learn schedules from holds no retry")
    return from_log(tries, terms.horizon_days, terms.most)


def _with_plans(report: Report, contest: Contest, terms: Terms) -> Report:
    """The report with what plans promised and kept, before its last section, which tells how to read it."""
    promises = Promises(contest.followed, terms.resamples, terms.seed)
    found = plan_finding(promises)
    return replace(
        report,
        findings=(*report.findings, *((found,) if found else ())),
        sections=(*report.sections[:-1], plan_section(promises), *report.sections[-1:]),
        data={**report.data, "plans": plan_json(promises)},
    )


def _with(report: Report, data: Mapping[str, object]) -> Report:
    return Report(report.title, report.lead, report.findings, report.sections, report.figures, {**report.data, **data})
