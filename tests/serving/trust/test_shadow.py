"""The challenger in shadow: asked after the reply, never in its way, and told apart by what really happened."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path

import numpy as np
import pytest

from api_builders import Api, Clock, report
from features.action import Retry
from features.context import Context
from features.table import Asked
from metric_readers import counted
from model.prior import PriorScorer
from model.scorer import Scores, ScoreSource
from serving.app import create_app
from serving.contexts import context_of
from serving.ledger.ledger import Ledger
from serving.ledger.shadows import Compared, shadows_since
from serving.ledger_access import open_ledger
from serving.logs import service_log
from serving.metrics import Metrics
from serving.registry import Answering, prepared
from serving.requests import parse_request
from serving.service import Service
from serving.settings import Settings
from serving.shadow_report import MIN_OUTCOMES, shadow_reports
from serving.trust.current import Current
from serving.trust.shadow import MOST_WAITING, Shadowing

EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Faulty:
    """A challenger with a fault."""

    version: str = "faulty"
    source: ScoreSource = "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        raise RuntimeError("a fault")

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        raise RuntimeError("a fault")


@dataclass
class Shadowed:
    """A service with a challenger, nothing running by itself."""

    current: Current
    metrics: Metrics
    ledger: Ledger
    shadow: Shadowing
    rests: list[float]

    def answer(self, context: Context, within_ms: int | None = None) -> None:
        service = self.current.service.for_request(within_ms)
        self.shadow.offer(service, service.decide(context))

    def results(self) -> dict[str, float]:
        found = counted(self.metrics.text().decode(), "recoup_shadow_decisions_total")
        return {labels["result"]: count for labels, count in found}


@pytest.fixture
def shadowed(service: Service, settings: Settings, artifact: Path) -> Iterator[Shadowed]:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        rests: list[float] = []
        current, metrics = Current(service), Metrics()
        current.challenge_with(prepared(artifact, "recoup-retry@challenger", "2"), EVER)
        shadow = Shadowing(current, ledger, metrics, service_log("json", io.StringIO()), rests.append)
        yield Shadowed(current, metrics, ledger, shadow, rests)


@pytest.fixture
def asked(body: bytes, clock: Callable[[], datetime]) -> Context:
    return context_of(parse_request(body), clock())


def test_what_was_answered_is_put_to_the_challenger_and_kept_once(shadowed: Shadowed, asked: Context) -> None:
    for _ in range(2):
        shadowed.answer(asked)
    while shadowed.shadow.work():
        pass
    (kept,) = shadows_since(shadowed.ledger.store, EVER)
    ours = shadowed.current.service.decide(asked)
    challenger = shadowed.current.snapshot.challenger
    assert challenger is not None
    assert ours.retry is not None
    assert ours.score is not None
    scorer = challenger.answering.scorer
    assert (kept.champion, kept.challenger) == (PriorScorer().version, scorer.version)
    assert (kept.method_id, kept.processor, kept.chance) == (
        ours.retry.method_id,
        ours.retry.processor,
        ours.score.probability,
    )
    assert kept.challenger_chance == pytest.approx(scorer.score(asked, [ours.retry]).probability[0])
    assert sum(shadowed.results().values()) == 2
    assert len(shadowed.rests) == 2  # it rests as long as it has worked
    assert min(shadowed.rests) > 0


def test_a_full_queue_drops_and_counts_and_nobody_waits(shadowed: Shadowed, asked: Context) -> None:
    service = shadowed.current.service.for_request(None)
    decision = service.decide(asked)
    for _ in range(MOST_WAITING + 5):
        shadowed.shadow.offer(service, decision)
    assert shadowed.results() == {"dropped": 5.0}


def test_a_challenger_with_a_fault_is_counted_and_disturbs_nobody(shadowed: Shadowed, asked: Context) -> None:
    shadowed.current.challenge_with(Answering(Faulty(), "a test"), EVER)
    shadowed.answer(asked)
    assert shadowed.shadow.work()
    assert shadowed.results() == {"failed": 1.0}
    assert shadows_since(shadowed.ledger.store, EVER) == ()


def test_without_a_challenger_nothing_is_put_to_anybody(shadowed: Shadowed, asked: Context) -> None:
    shadowed.current.challenge_with(None, EVER)
    shadowed.answer(asked)
    assert not shadowed.shadow.work()


def test_what_became_of_an_advised_retry_is_found_by_its_slot(
    shadowed: Shadowed, asked: Context, settings: Settings, service: Service
) -> None:
    shadowed.answer(asked)
    assert shadowed.shadow.work()
    retry = shadowed.current.service.decide(asked).retry
    assert retry is not None
    clock = Clock(retry.slot.end + timedelta(days=1))
    api = Api(create_app(settings, service=service, ledger=shadowed.ledger, clock=clock), clock)
    late = report("e1", "late", retry.slot.end, method=retry.method_id, outcome="approved")
    made = report("e2", "made", retry.slot.start + timedelta(minutes=1), method=retry.method_id, outcome="declined")
    for told in (late, made):
        told["attempt"]["processor"] = retry.processor
        api.post("/v1/attempts", told)
    (kept,) = shadows_since(shadowed.ledger.store, EVER)
    assert kept.outcome == "declined"


def pair(number: int, *, outcome: str | None, chance: float, theirs: float, day: str = "2026-12-01") -> Compared:
    return Compared(
        "acme", f"inv_{number}", "old", "new", "pm", "north", day, "pm", "north", "2026-12-01", chance, theirs, outcome
    )


def test_a_report_agrees_with_the_sums_by_hand() -> None:
    found = [
        pair(
            i,
            outcome="approved" if i % 2 else "declined",
            chance=0.5,
            theirs=0.8 if i % 2 else 0.2,
        )
        for i in range(2 * MIN_OUTCOMES)
    ]
    found += [pair(60 + i, outcome="approved", chance=0.9, theirs=0.1, day="2026-12-02") for i in range(20)]
    (told,) = shadow_reports(found, seed=1)
    assert told.log_loss is not None
    assert told.challenger_log_loss is not None
    assert told.gain is not None
    assert told.same_day is not None
    assert told.difference is not None
    assert (told.decisions, told.outcomes, told.others) == (80, 60, 20)  # what one alone advises judges nobody
    assert told.log_loss.value == pytest.approx(-log(0.5))
    assert told.challenger_log_loss.value == pytest.approx(-log(0.8))
    assert told.gain.value == pytest.approx(log(0.8) - log(0.5))
    assert told.gain.low == pytest.approx(told.gain.high)  # the same for every payment
    assert (told.same_kind.value, told.same_day.value) == (1.0, 0.75)
    assert told.same_day.low < 0.75 < told.same_day.high
    assert told.difference.value == pytest.approx(0.25 * (0.1 - 0.9))


def test_a_challenger_that_is_no_better_is_not_told_to_be() -> None:
    """Both guess every chance with the same error; each advises the day whose guess is highest."""
    draw = np.random.default_rng(3)
    days = [f"2026-12-0{day}" for day in range(1, 6)]
    found = []
    for number in range(12_000):
        truth = draw.uniform(0.2, 0.5, len(days))
        ours, theirs = np.clip(truth + draw.normal(0.0, 0.1, (2, len(days))), 0.01, 0.99)
        pick, other = int(ours.argmax()), int(theirs.argmax())
        outcome = "approved" if draw.random() < truth[pick] else "declined"
        told = pair(number, outcome=outcome, chance=float(ours[pick]), theirs=float(theirs[pick]), day=days[pick])
        found.append(replace(told, challenger_day=days[other]))
    (reported,) = shadow_reports(found, seed=1)
    assert reported.gain is not None
    assert reported.outcomes > 3_000
    assert reported.gain.low < 0.0 < reported.gain.high


def test_few_outcomes_give_no_loss_and_stops_no_share_of_methods() -> None:
    stop = replace(pair(1, outcome=None, chance=0.5, theirs=0.5), method_id=None, processor=None, day=None, chance=None)
    (told,) = shadow_reports([stop], seed=1)
    assert (told.same_kind.value, told.same_method, told.log_loss) == (0.0, None, None)
    few = [pair(i, outcome="approved", chance=0.5, theirs=0.5) for i in range(MIN_OUTCOMES - 1)]
    (told,) = shadow_reports(few, seed=1)
    assert (told.outcomes, told.gain) == (MIN_OUTCOMES - 1, None)
