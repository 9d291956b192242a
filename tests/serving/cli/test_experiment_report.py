"""`recoup experiment report`: what a ledger was told of an experiment, held against the same counted by hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import orjson
import pytest
from mlflow.tracking import MlflowClient
from pydantic import TypeAdapter

from cap_builders import NOW
from experiment_builders import text_with
from experiment_story import START, a_story, by_hand, expose_unevenly, tell
from serving.ledger.ledger import Ledger


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]


@dataclass(frozen=True)
class Range:
    low: float
    high: float


@dataclass(frozen=True)
class EffectFacts:
    metric: str
    control: float
    variant: float
    difference: float
    interval: Range
    units: dict[str, int]


@dataclass(frozen=True)
class RailFacts:
    metric: str
    state: str
    effect: EffectFacts | None


@dataclass(frozen=True)
class VariantFacts:
    variant: str
    verdict: str
    sentence: str
    primary: EffectFacts | None
    guardrails: list[RailFacts]
    secondary: list[EffectFacts]


@dataclass(frozen=True)
class ArmFacts:
    variant: str
    exposed: int
    mature: int
    collecting: int


@dataclass(frozen=True)
class SplitFacts:
    healthy: bool
    arms: list[ArmFacts]


@dataclass(frozen=True)
class LiftFacts:
    effect: EffectFacts
    brought: float


@dataclass(frozen=True)
class Facts:
    """The file, as its reader needs it."""

    planned_units: int | None
    planned_units_stated: bool
    withheld: bool
    unmeasured: list[str]
    split: SplitFacts
    variants: list[VariantFacts]
    hold_out: LiftFacts | None


_FACTS = TypeAdapter(Facts)
_HEAD = """
window_days = 30
hold_out = 0.2
secondary_metrics = ["net_value", "retention_30"]
guardrails = { attempts_per_payment = { margin = 1.5 }, chargebacks = { margin = 0.001 } }
"""
_FIXED = 'policy = { kind = "fixed_days", days = [1, 3, 5, 7] }'
_SALT = 'salt = "first-salt"'
DEFINITIONS = {
    "first": text_with(("window_days = 30", _HEAD)),
    "same": text_with(
        ('key = "first"', 'key = "same"'),
        (_SALT, 'salt = "same-salt"\nplanned_units = 500\nnamespace = { name = "aa" }'),
        ('policy = { kind = "plan" }', _FIXED),
    ),
    "uneven": text_with(('key = "first"', 'key = "uneven"'), (_SALT, 'salt = "uneven-salt"')),
}
STORY = a_story(7, 1_000)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A ledger that was told the whole story, and the folder of definitions."""
    place = tmp_path_factory.mktemp("story")
    folder = place / "definitions"
    folder.mkdir()
    for name, text in DEFINITIONS.items():
        (folder / f"{name}.toml").write_text(text)
    url = f"sqlite:///{place}/ledger.db?synchronous=normal"
    ledger = Ledger.opened(url)
    tell(ledger, STORY)
    expose_unevenly(ledger)
    ledger.close()
    return url, folder


Report = Callable[..., tuple[Facts, str]]


@pytest.fixture
def report(recoup: Recoup, kept: tuple[str, Path], tmp_path: Path) -> Report:
    """The facts of a report and what the terminal shows."""
    url, folder = kept

    def read(key: str, days: float = 80, *, folder: Path = folder) -> tuple[Facts, str]:
        at = f"{START + timedelta(days=days):%Y-%m-%dT%H:%M:%S}"
        file = tmp_path / "report.json"
        ran = recoup(
            *("experiment", "report", key, "--as-of", at, "--json", file),
            *("--definitions", folder, "--database", url),
        )
        assert (ran.code, ran.err) == (0, "")
        return _FACTS.validate_python(orjson.loads(file.read_bytes())), ran.out

    return read


def test_every_figure_is_the_one_counted_by_hand(report: Report) -> None:
    facts, shown = report("first")
    fixed, plan, nobody = (by_hand(STORY, name) for name in ("fixed", "plan", "hold-out"))
    (one,) = facts.variants
    assert one.primary is not None
    assert (one.primary.control, one.primary.variant) == pytest.approx((fixed.recovered_value, plan.recovered_value))
    assert one.primary.difference == pytest.approx(plan.recovered_value - fixed.recovered_value)
    assert one.primary.units == {"control": fixed.mature, "variant": plan.mature}
    assert [(arm.variant, arm.mature, arm.collecting) for arm in facts.split.arms] == [
        ("hold-out", nobody.mature, nobody.collecting),
        ("fixed", fixed.mature, fixed.collecting),
        ("plan", plan.mature, plan.collecting),
    ]
    assert min(arm.collecting for arm in facts.split.arms) > 10
    tries, _ = one.guardrails
    assert tries.effect is not None
    assert (tries.effect.control, tries.effect.variant) == pytest.approx(
        (fixed.attempts_per_payment, plan.attempts_per_payment)
    )
    (net,) = one.secondary
    assert net.metric == "net_value"
    assert (net.control, net.variant) == pytest.approx((fixed.net_value, plan.net_value))
    assert f"{plan.recovered_value - fixed.recovered_value:+.4g}" in shown


def test_what_the_ledger_is_told_nothing_of_holds_a_win_back_from_shipping(report: Report) -> None:
    facts, shown = report("first")
    (one,) = facts.variants
    assert one.verdict == "wins"
    assert one.sentence.endswith("not yet shown to be within the margin: chargebacks.")
    assert [(rail.metric, rail.state) for rail in one.guardrails] == [
        ("attempts_per_payment", "held"),
        ("chargebacks", "open"),
    ]
    assert facts.unmeasured == ["chargebacks", "retention_30"]
    assert "Not measured, for the ledger is told nothing of it: chargebacks, retention_30." in shown


def test_a_merchants_report_is_of_its_own_payments(recoup: Recoup, kept: tuple[str, Path], tmp_path: Path) -> None:
    file, where = tmp_path / "report.json", ("--definitions", kept[1], "--database", kept[0])
    exposed = {}
    for merchant in ("acme", "other"):
        assert recoup("experiment", "report", "first", "--merchant", merchant, "--json", file, *where).code == 0
        facts = _FACTS.validate_python(orjson.loads(file.read_bytes()))
        exposed[merchant] = sum(arm.exposed for arm in facts.split.arms)
    assert exposed == {"acme": len({one.customer for one in STORY}), "other": 0}


def test_everybody_treated_is_held_against_the_hold_out(report: Report) -> None:
    facts, shown = report("first")
    nobody = by_hand(STORY, "hold-out")
    treated = by_hand([replace(one, variant="any") for one in STORY if one.variant != "hold-out"], "any")
    assert facts.hold_out is not None
    assert facts.hold_out.effect.difference == pytest.approx(treated.recovered_value - nobody.recovered_value)
    assert facts.hold_out.effect.units == {"control": nobody.mature, "variant": treated.mature}
    assert f"with retries and {nobody.recovered_value:.4g} without" in shown


def test_before_windows_are_over_everything_is_collecting(report: Report) -> None:
    facts, shown = report("first", 29)
    (one,) = facts.variants
    assert (one.verdict, one.primary, facts.planned_units) == ("collecting", None, None)
    assert {arm.mature for arm in facts.split.arms} == {0}
    assert "plan: collecting. Too few units are mature" in shown


def test_one_policy_in_both_arms_shows_no_difference(report: Report) -> None:
    facts, shown = report("same")
    (one,) = facts.variants
    assert one.verdict == "no difference shown"
    assert one.primary is not None
    assert one.primary.interval.low < 0 < one.primary.interval.high
    assert (facts.planned_units, facts.planned_units_stated) == (500, True)
    assert "plan: no difference shown. As it should be, both arms running the same policy" in shown


def test_a_split_that_was_not_planned_withholds_every_outcome(report: Report) -> None:
    facts, shown = report("uneven")
    (one,) = facts.variants
    assert (facts.withheld, one.verdict, one.primary, one.guardrails, one.secondary) == (
        True,
        "unhealthy",
        None,
        [],
        [],
    )
    assert facts.planned_units is None
    assert "fixed 400 where 300 were expected" in one.sentence
    assert "recovered_value" not in shown


def test_the_page_has_every_part_and_on_a_broken_split_no_outcome(
    recoup: Recoup, kept: tuple[str, Path], tmp_path: Path
) -> None:
    def page(key: str) -> str:
        file = tmp_path / f"{key}.html"
        where = ("--definitions", kept[1], "--database", kept[0], "--as-of", f"{NOW:%Y-%m-%dT%H:%M:%S}")
        assert recoup("experiment", "report", key, "--html", file, *where).code == 0
        return file.read_text("utf-8")

    whole = page("first")
    titles = ("Units", "Metrics", "The effect as it stood on each day", "Recovered by day", "Segments")
    assert [title for title in titles if f"<h2>{title}</h2>" in whole] == list(titles)
    assert whole.count("<svg") == 2
    assert "plan: wins. The variant is better" in whole
    broken = page("uneven")
    assert [title for title in titles if f"<h2>{title}</h2>" in broken] == ["Units"]
    assert "<svg" not in broken


@pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other
def test_a_report_is_kept_as_a_run_with_its_files(
    recoup: Recoup, kept: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Files are made sooner than MLflow's database, and the run is the same.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/runs")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    where = ("--definitions", kept[1], "--database", kept[0], "--as-of", f"{NOW:%Y-%m-%dT%H:%M:%S}")
    ran = recoup("experiment", "report", "first", "--track", *where)
    assert (ran.code, ran.err) == (0, "")
    run_id = ran.out.splitlines()[-1].removeprefix("Run ").removesuffix(".")
    client = MlflowClient(f"file://{tmp_path}/runs")
    run = client.get_run(run_id)
    fixed, plan = (by_hand(STORY, name) for name in ("fixed", "plan"))
    assert run.data.metrics["plan/recovered_value"] == pytest.approx(plan.recovered_value - fixed.recovered_value)
    assert run.data.tags["recoup.kind"] == "experiment"
    assert {file.path for file in client.list_artifacts(run_id)} == {"report.html", "report.json"}


def test_the_fixed_method_shows_no_effect_before_the_planned_size(report: Report, tmp_path: Path) -> None:
    def read(planned: int) -> VariantFacts:
        head = f'method = "fixed"\nplanned_units = {planned}\n{_HEAD}'
        (tmp_path / "first.toml").write_text(text_with(("window_days = 30", head)))
        return report("first", folder=tmp_path)[0].variants[0]

    mature = sum(by_hand(STORY, name).mature for name in ("fixed", "plan"))
    early = read(mature + 1)
    assert (early.verdict, early.primary, early.secondary) == ("collecting", None, [])
    due = read(mature)
    assert (due.verdict, due.primary is not None, len(due.secondary)) == ("wins", True, 1)


def test_a_primary_metric_that_nothing_is_told_of_is_refused(
    recoup: Recoup, kept: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "first.toml").write_text(text_with(("window_days = 30", _HEAD), ('"recovered_value"', '"value_30"')))
    ran = recoup("experiment", "report", "first", "--definitions", tmp_path, "--database", kept[0])
    assert ran.code == 2
    assert ran.err.startswith("recoup: primary_metric: 'value_30' is not accepted; expected one that is measured: ")


def test_the_story_ends_when_the_report_is_read() -> None:
    assert START + timedelta(days=80) == NOW
