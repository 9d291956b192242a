"""An artifact is what was written or it is refused; the same content has the same bytes and version."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError
from model.artifact import Artifact, read_artifact, write_artifact
from model.calibration import Temperature

ARTIFACT = Artifact(
    boosters=("tree\nversion=v4\n", "tree\nversion=v4\nsecond\n"),
    calibrator=Temperature(1.25),
    encoders='{"issuer": ["b", "a"], "rate": 0.1}\n',
    columns=({"name": "amount", "unit": "minor", "kind": "number", "monotone": -1},),
    facts={"label": "approved", "rows": 12, "share": 1 / 3},
    card="# A card\n",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "models" / "first"
    write_artifact(ARTIFACT, target)
    return target


def test_what_was_written_is_what_is_read(folder: Path) -> None:
    assert read_artifact(folder) == ARTIFACT
    assert read_artifact(folder).version == ARTIFACT.version


def test_the_same_content_has_the_same_bytes_and_leaves_nothing_beside_it(folder: Path, tmp_path: Path) -> None:
    write_artifact(ARTIFACT, tmp_path / "models" / "second")
    again = tmp_path / "models" / "second"
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}
    assert sorted(p.name for p in folder.parent.iterdir()) == ["first", "second"]


def test_any_change_of_content_changes_the_version() -> None:
    others = (
        replace(ARTIFACT, boosters=ARTIFACT.boosters[:1]),
        replace(ARTIFACT, calibrator=Temperature(1.26)),
        replace(ARTIFACT, encoders="{}\n"),
        replace(ARTIFACT, facts={}),
        replace(ARTIFACT, card="# Another\n"),
    )
    assert len({ARTIFACT.version, *(other.version for other in others)}) == 6


def test_an_artifact_replaces_an_artifact_but_nothing_else(folder: Path, tmp_path: Path) -> None:
    newer = replace(ARTIFACT, card="# Newer\n")
    write_artifact(newer, folder)
    assert read_artifact(folder) == newer
    (tmp_path / "letters").mkdir()
    with pytest.raises(InputError, match="not a model artifact"):
        write_artifact(ARTIFACT, tmp_path / "letters")


def _change_a_booster(folder: Path) -> None:
    path = folder / "booster_1.txt"
    path.write_text(path.read_text().replace("second", "secend"))


def _list_a_path_outside(folder: Path) -> None:
    (folder / "checksums.json").write_text(json.dumps({"../secret.txt": "0" * 64}))


def _put_a_link(folder: Path) -> None:
    (folder / "MODEL_CARD.md").rename(folder.parent / "card")
    (folder / "MODEL_CARD.md").symlink_to(folder.parent / "card")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_change_a_booster, "booster_1.txt: was changed"),
        (lambda f: (f / "encoders.json").unlink(), "encoders.json: is listed in checksums.json but is not there"),
        (lambda f: (f / "run_me.py").write_text("print()"), "run_me.py: is not listed"),
        (lambda f: (f / "checksums.json").unlink(), "checksums.json is missing"),
        (lambda f: (f / "checksums.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "checksums.json").write_text("[]"), "is not listed|expected an object"),
        (_list_a_path_outside, "is not listed|not a file of a model artifact"),
        (_put_a_link, "not there as a file"),
    ],
)
def test_a_damaged_artifact_is_refused_by_the_file_at_fault(
    folder: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(folder)
    with pytest.raises(InputError, match=sentence):
        read_artifact(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_artifact(tmp_path / "nowhere")
