"""The champion answers where there is one; otherwise the prior does, and says why."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import InputError
from made_registry import MakeRegistry
from model.artifact import read_artifact
from serving import asking_mlflow
from serving.answers import answer_of
from serving.contexts import context_of
from serving.examples import EXAMPLES
from serving.ports import free_port
from serving.registry import Away, Champion, answering, champion_of, last_fetched, read_scorer
from serving.requests import parse_request
from serving.service import load_service
from serving.settings import Settings


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine may take minutes to load MLflow; a server that is away it would ask for longer if it was let."""
    monkeypatch.setattr(asking_mlflow, "_SECONDS_TO_RESOLVE", 200)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")


def test_without_a_registry_the_prior_answers_and_says_how_to_get_a_model(settings: Settings, tmp_path: Path) -> None:
    found = answering(settings)
    assert found.scorer.source == "prior"
    assert found.asked == "recoup-retry@champion"
    assert found.refused is not None
    assert "recoup train" in found.refused
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_says_no_is_quoted(settings: Settings) -> None:
    assert answering(settings, lambda _: "no version carries the alias").refused == "no version carries the alias"


def test_a_registered_artifact_that_is_broken_is_refused_with_the_reason(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / "checksums.json").write_text("{}")
    found = answering(settings, lambda _: Champion(folder, "3"))
    assert found.scorer.source == "prior"
    assert found.registered_version == "3"
    assert found.refused


def test_a_named_folder_that_is_missing_is_refused_with_its_name(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read_scorer(tmp_path / "nowhere")


def test_a_registry_that_is_no_database_is_reported_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is not a database")
    found = champion_of(settings)
    assert isinstance(found, str)
    assert "cannot be read" in found
    assert "\n" not in found


def test_at_a_start_without_the_registry_the_version_that_was_fetched_last_answers(
    settings: Settings, artifact: Path, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.db").write_text("this is not a database")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion.json").write_text(json.dumps({"folder": str(artifact), "version": "7"}))
    found = answering(settings, lambda _: Away("the registry cannot be read"))
    assert (found.scorer.version, found.registered_version) == (read_artifact(artifact).version, "7")
    assert answering(settings, lambda _: "nobody carries the alias").scorer.source == "prior"
    (tmp_path / "models" / "champion.json").write_text("{")
    assert answering(settings, lambda _: Away("the registry cannot be read")).refused == "the registry cannot be read"


def test_a_registry_that_is_not_there_although_a_version_was_fetched_is_away(
    settings: Settings, artifact: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion.json").write_text(json.dumps({"folder": str(artifact), "version": "7"}))
    assert isinstance(champion_of(settings), Away)
    found = answering(settings)
    assert (found.scorer.source, found.registered_version, found.refused) == ("model", "7", None)


@pytest.mark.slow
def test_a_registry_whose_server_is_away_is_given_up(settings: Settings, artifact: Path, tmp_path: Path) -> None:
    away = replace(settings, tracking_uri=f"http://127.0.0.1:{free_port()}")
    found = champion_of(away)
    assert isinstance(found, Away)
    assert "cannot be read" in found
    assert "did not answer within" not in found
    assert answering(away, lambda _: found).scorer.source == "prior"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion.json").write_text(json.dumps({"folder": str(artifact), "version": "7"}))
    assert answering(away).registered_version == "7"


def test_a_model_folder_answers_and_gives_its_content_hash(settings: Settings, artifact: Path) -> None:
    found = answering(replace(settings, model=artifact))
    assert found.scorer.source == "model"
    assert found.refused is None
    assert found.scorer.version == read_artifact(artifact).version


def test_a_changed_model_folder_is_refused_and_the_prior_answers(
    settings: Settings, artifact: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(artifact, copy)
    (copy / "booster_0.txt").write_text((copy / "booster_0.txt").read_text().replace("leaf_value=", "leaf_value=9", 1))
    found = answering(replace(settings, model=copy))
    assert found.scorer.source == "prior"
    assert found.refused is not None
    assert "booster_0.txt" in found.refused


def test_a_decision_of_the_model_says_so(settings: Settings, artifact: Path) -> None:
    service = load_service(replace(settings, model=artifact))
    body = EXAMPLES[0].body
    context = context_of(parse_request(body), datetime(2026, 11, 26, tzinfo=UTC))
    answer = answer_of(service.decide(context), context)
    assert answer.policy_source == "model"
    assert answer.versions.model == read_artifact(artifact).version
    assert answer.probability is not None
    assert answer.probability.low <= answer.probability.approved <= answer.probability.high


@pytest.mark.slow
def test_the_registered_champion_answers_and_is_fetched_once(
    settings: Settings, artifact: Path, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_registry(settings.home)
    register = (
        "import sys; from mlflow import MlflowClient; uri, source = sys.argv[1:]; client = MlflowClient(uri, uri);"
        "client.create_registered_model('recoup-retry'); client.create_model_version('recoup-retry', source);"
        "client.set_registered_model_alias('recoup-retry', 'champion', '1')"
    )
    subprocess.run([sys.executable, "-c", register, settings.tracking_uri, str(artifact)], check=True)
    found = answering(settings)
    assert found.refused is None
    assert (found.scorer.source, found.registered_version) == ("model", "1")
    assert last_fetched(settings) == Champion(found.folder or Path(), "1", found.made)
    assert found.scorer.version == read_artifact(artifact).version
    assert _asking_nobody(settings, monkeypatch) == Champion(found.folder or Path(), "1", found.made)
    (found.folder or Path()).joinpath("MODEL_CARD.md").write_text("changed")
    assert isinstance(_asking_nobody(settings, monkeypatch), Away)
    assert champion_of(settings) == Champion(found.folder or Path(), "1", found.made)
    with closing(sqlite3.connect(settings.home / "mlflow.db")) as database:
        database.execute("UPDATE model_versions SET creation_time = creation_time + 1")
        database.commit()
    assert isinstance(_asking_nobody(settings, monkeypatch), Away)
    nobody = champion_of(replace(settings, model_alias="nobody"))
    assert isinstance(nobody, str)
    assert "nobody" in nobody


def test_neither_the_service_nor_a_decision_imports_the_tracker_or_training() -> None:
    program = (
        "import sys; from serving.app import create_app; from serving.service import prior_service;"
        "from serving.settings import Settings; create_app(Settings(), service=prior_service()).openapi();"
        "print([name for name in ('mlflow', 'training', 'experiments.replay') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def _asking_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Champion | str:
    """The champion where MLflow cannot be started."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/bin/false")
        return champion_of(settings)
