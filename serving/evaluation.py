"""What `recoup evaluate` does: reads what was named, judges it in the way that fits, and writes the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from experiments.world import World
from features.context import Context
from features.errors import InputError
from features.instants import from_micros, to_micros
from model.artifact import to_text
from model.boosted import BoostedScorer
from model.scorer import Scorer
from serving.merchant_rules import merchant_rulebook
from serving.registry import answering, read_scorer
from serving.service import economics_of
from serving.settings import Settings
from serving.simulate import HISTORY, read_world
from training.plan_value import Stage
from training.trial.contest import Progress
from training.trial.document import Report, report_html
from training.trial.folds import folds_of
from training.trial.log import read_log
from training.trial.outcomes import read_outcomes
from training.trial.runs import Terms, before, cross_fitted, logged, recorded_world, replayed, routes

_FOLDS_TO_SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate on.

    Args:
        model: Artifact of the model on trial.
        version: Number of a registered version on trial, to be played beside the champion.
    """

    history: Path | None
    world: Path | None
    model: Path | None
    version: str | None
    folds: int | None
    windows: int
    routing: bool
    slot_hours: int
    payments: int | None

    def parameters(self) -> dict[str, str]:
        """For MLflow."""
        return {
            "history": "none" if self.history is None else self.history.name,
            "world": "none" if self.world is None else self.world.name,
            "version": self.version or "none",
            "folds": str(self.folds or "none"),
            "windows": str(self.windows),
            "kind": self.kind,
        }

    @property
    def kind(self) -> str:
        """Which way of judging this is."""
        if self.routing:
            return "routing"
        if self.world is None:
            return "off-policy"
        return "cross-fit" if self.folds else "replay"


@dataclass(frozen=True, slots=True)
class Models:
    """Who is on trial, and the champion to play beside it; None where the champion itself is on trial or is none."""

    scorer: Scorer
    champion: Scorer | None = None

    @property
    def taught_until(self) -> int | None:
        """When the later of their test windows began, microseconds; nothing later taught either."""
        known = [until for scorer in (self.scorer, self.champion) if (until := _taught_until(scorer)) is not None]
        return max(known, default=None)

    def then(self) -> "Models":
        """Both knowing what was known when their test windows began."""
        return Models(_then(self.scorer), None if self.champion is None else _then(self.champion))


def evaluated(
    asked: Asked, terms: Terms, settings: Settings, tell: Progress, registered: Callable[[str], Path]
) -> Report:
    """The report of what was asked.

    Args:
        registered: Finds the artifact of a registered version by its number.

    Raises:
        InputError: What was named does not fit together, or cannot be read.
    """
    _check(asked)
    if asked.kind == "routing":
        return routes(_named(asked.history, "--routing"), asked.folds or 2, max(asked.windows, 1), terms, tell)
    if asked.kind == "off-policy":
        scorer = _then(_models(asked, settings, registered).scorer)
        return logged(_named(asked.history, "off-policy"), scorer, _taught_until(scorer), asked.slot_hours, terms, tell)
    world = _named(asked.world, "--world")
    if asked.kind == "cross-fit":
        history = _named(asked.history, "--crossfit")
        return cross_fitted(history, read_outcomes(world), asked.folds or 2, asked.windows, terms, tell)
    return _played(asked, world, terms, _models(asked, settings, registered), tell)


def stage_of(
    world: Path, history: Path, settings: Settings, payments: int, max_retries: int, horizon_days: int
) -> Stage:
    """Where tuning plays plans: a simulated world, or recorded outcomes of the history's payments.

    Raises:
        InputError: The world cannot be read.
    """
    found: World
    if world.is_dir():
        found = read_world(world)
    else:
        found = recorded_world(read_log(history), read_outcomes(world), horizon_days)
    rulebook, economics = merchant_rulebook(settings), economics_of(settings)
    return Stage(found, list(found.failures()), rulebook, economics, payments, max_retries, horizon_days)


def write_report(report: Report, out: Path) -> Path:
    """Write the report as HTML, and as JSON beside it.

    Raises:
        InputError: The folder cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(report_html(report), encoding="utf-8")
        findings = {"title": report.title, "lead": report.lead, "findings": list(report.findings)}
        out.with_suffix(".json").write_text(to_text(findings | dict(report.data)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror or error})") from None
    return out


def _check(asked: Asked) -> None:
    if asked.history is None and asked.world is None:
        raise InputError("give --world to play policies in, --history to read their value off a log, or both")
    recorded = asked.world is not None and not asked.world.is_dir()
    if recorded and asked.history is None:
        raise InputError("--world with a CSV of recorded outcomes needs --history, the log of the same payments")
    if asked.folds and not asked.routing and not recorded:
        raise InputError("--crossfit needs --world with a CSV of recorded outcomes, or --routing")
    if asked.version is not None and (asked.model is not None or asked.kind != "replay"):
        raise InputError(
            "--version needs --world, and neither --model nor --crossfit: it is played beside the champion"
        )


def _played(asked: Asked, folder: Path, terms: Terms, models: Models, tell: Progress) -> Report:
    """A world is played whole by what another log taught; its own log teaches only until the model's test window."""
    tell("reading the world", 0, 1)
    if not folder.is_dir():
        history = _named(asked.history, "--world")
        log = read_log(history)
        recorded = recorded_world(log, read_outcomes(folder), terms.horizon_days)
        since, models = models.taught_until, models.then()
        contexts = _chosen(list(recorded.failures()), since, asked.payments)
        lead = _lead(contexts, models, since)
        return replayed(
            recorded, contexts, before(log, since), models.scorer, lead, terms, tell, champion=models.champion
        )
    world = read_world(folder)
    own = folder / HISTORY
    elsewhere = asked.history is not None and asked.history.resolve() != own.resolve()
    since = None if elsewhere else models.taught_until
    models = models if elsewhere else models.then()
    log = before(read_log(asked.history if elsewhere and asked.history else own), since)
    contexts = _chosen(list(world.failures()), since, asked.payments)
    lead = _lead(contexts, models, since)
    return replayed(world, contexts, log, models.scorer, lead, terms, tell, champion=models.champion)


def _chosen(contexts: list[Context], since: int | None, payments: int | None) -> list[Context]:
    """Those that failed after the model's lessons ended; of whole customers, by the hash of their ids."""
    later = [c for c in contexts if since is None or to_micros(c.as_of) >= since]
    if payments is None or len(later) <= payments:
        return later
    place = folds_of([c.payment.customer_id for c in later], _FOLDS_TO_SAMPLE)
    share = max(1, _FOLDS_TO_SAMPLE * payments // len(later))
    return [c for c, fold in zip(later, place.tolist(), strict=True) if fold < share]


def _lead(contexts: Sequence[Context], models: Models, since: int | None) -> str:
    when = "" if since is None else f" after {from_micros(since):%Y-%m-%d}, when the model's lessons ended"
    beside = "" if models.champion is None else f", beside the champion {models.champion.version}"
    scorer = models.scorer
    return f"{len(contexts):,} payments that failed{when}; the plan asks {scorer.source} {scorer.version}{beside}."


def _models(asked: Asked, settings: Settings, registered: Callable[[str], Path]) -> Models:
    if asked.model is not None:
        return Models(read_scorer(asked.model))
    found = answering(settings)
    if asked.version is not None:
        scorer = read_scorer(registered(asked.version))
        alone = found.refused is not None or found.scorer.version == scorer.version
        return Models(scorer, None if alone else found.scorer)
    if found.refused is not None:
        raise InputError(f"no model to judge: {found.refused}; name one with --model FOLDER")
    return Models(found.scorer)


def _then(scorer: Scorer) -> Scorer:
    """The scorer knowing what was known when its test window began; what came later would be hindsight."""
    return scorer.then() if isinstance(scorer, BoostedScorer) else scorer


def _taught_until(scorer: Scorer | None) -> int | None:
    """When the window began that the model was judged on, microseconds; nothing later taught it."""
    windows = scorer.facts.get("windows") if isinstance(scorer, BoostedScorer) else None
    start = windows.get("test_from") if isinstance(windows, dict) else None
    if not isinstance(start, str):
        return None
    return to_micros(datetime.fromisoformat(start))


def _named(path: Path | None, wanted: str) -> Path:
    if path is None:
        raise InputError(f"{wanted} needs --history, the merchant's log")
    return path
