"""The champion answers where there is one; otherwise the prior does, and says why."""

from pathlib import Path

import pytest

from features.errors import InputError
from serving.registry import Champion, answering, champion_of, read_scorer
from serving.settings import Settings


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
