"""A registered model's life is told by its registry: who answers, since when, and who was before."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import OperationalError

from experiments.resamples import Estimate
from features.errors import InputError
from made_registry import MakeRegistry
from policy_evidence import GOOD
from registered_versions import register
from training.evidence import Difference
from training.life import CHALLENGER, CHAMPION, Event, Registry, What, champions
from training.tracking import Tracking

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own dependencies deprecate each other

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def named(tracking: Tracking, name: str) -> Tracking:
    """The same database under another model's name."""
    return replace(tracking, model_name=name)


def aliases(tracking: Tracking) -> dict[str, str]:
    client = MlflowClient(tracking.uri, tracking.uri)
    return {key: str(value) for key, value in client.get_registered_model(tracking.model_name).aliases.items()}


@pytest.mark.slow
def test_first_is_champion_later_ones_wait_are_promoted_and_rolled_back(shared_tracking: Tracking) -> None:
    tracking = named(shared_tracking, "first-and-later")

    def at(hours: int) -> Registry:
        return Registry(tracking, START + timedelta(hours=hours))

    assert at(0).enter(register(tracking, "a"), "same") == "champion"
    assert at(1).enter(register(tracking, "b"), "same") == "challenger"
    assert aliases(tracking) == {CHAMPION: "1", CHALLENGER: "2"}
    with pytest.raises(InputError, match="first champion"):
        at(2).rollback()

    assert not at(3).promote("2", None).passed
    assert aliases(tracking)[CHAMPION] == "1"

    evidence = replace(GOOD, model_version="b", incumbent=Difference("a", Estimate(0.4, 0.1, 0.7)))
    assert at(4).promote("2", evidence).passed
    assert aliases(tracking) == {CHAMPION: "2"}
    status = at(5).status()
    assert status.champion is not None
    assert (status.champion.model_version, status.champion_since) == ("b", START + timedelta(hours=4))
    assert any("above the champion a" in reason for reason in status.events[-1].reasons)
    with pytest.raises(InputError, match="champion already"):
        at(6).promote("2", evidence)

    assert at(7).rollback() == ("2", "1")
    assert aliases(tracking) == {CHAMPION: "1"}
    assert at(8).status().champion_since == START + timedelta(hours=7)
    with pytest.raises(InputError, match="first champion"):
        at(9).rollback()
    assert [event.what for event in at(10).status().events] == [
        "registered",
        "promoted",
        "registered",
        "promoted",
        "rolled back",
    ]
    with pytest.raises(InputError, match="version 9"):
        at(11).promote("9", None)


@pytest.mark.slow
def test_a_champion_of_other_columns_cannot_answer_and_makes_way(shared_tracking: Tracking) -> None:
    tracking = named(shared_tracking, "other-columns")
    registry = Registry(tracking, START)
    registry.enter(register(tracking, "a", columns="old"), "old")
    assert registry.enter(register(tracking, "b", columns="new"), "new") == "champion"
    assert registry.rollback() == ("2", "1")


@pytest.mark.slow
def test_a_champion_from_before_events_were_kept_can_be_returned_to(shared_tracking: Tracking) -> None:
    tracking = named(shared_tracking, "older")
    for hashed in ("a", "b"):
        register(tracking, hashed)
    MlflowClient(tracking.uri, tracking.uri).set_registered_model_alias("older", CHAMPION, "1")
    registry = Registry(tracking, START)
    evidence = replace(GOOD, model_version="b", incumbent=Difference("a", Estimate(0.4, 0.1, 0.7)))
    assert registry.promote("2", evidence).passed
    assert registry.rollback() == ("2", "1")


def test_past_champions_are_promotions_less_rollbacks() -> None:
    def events(*told: tuple[What, str]) -> list[Event]:
        return [Event(START, what, number) for what, number in told]

    assert champions(events(("promoted", "1"), ("promoted", "2"), ("promoted", "3"))) == ("1", "2", "3")
    assert champions(events(("promoted", "1"), ("promoted", "2"), ("rolled back", "2"))) == ("1",)
    assert champions(events(("promoted", "1"), ("registered", "2"), ("rolled back", "1"))) == ()


@pytest.mark.parametrize("opens", ["get_experiment_by_name", "search_registered_models"])
def test_a_registry_that_another_process_is_making_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_registry: MakeRegistry, opens: str
) -> None:
    def made_meanwhile(*_: object, **__: object) -> None:
        raise OperationalError("CREATE TABLE …", {}, sqlite3.OperationalError("table _alembic_tmp already exists"))

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", lambda *_: SimpleNamespace(experiment_id="1"))
    monkeypatch.setattr(MlflowClient, opens, made_meanwhile)
    tracking = Tracking(make_registry(tmp_path), tmp_path / "mlartifacts")
    with pytest.raises(InputError, match=r"mlflow\.db cannot be used \(.*already exists\)") as refused:
        Registry(tracking, START).status()
    assert "\n" not in str(refused.value)
