"""What is built is what is meant: five packages with their data, in a namespace nobody else uses."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from model.decision import CODE_VERSION

ROOT = Path(__file__).parents[1]
PACKAGES = {"features", "model", "experiments", "training", "serving"}
DATA = {".toml", ".json", ".sql", ".html", ".j2", ".typed", ".md"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a freshly built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True)
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_five_packages_and_nothing_else(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops == PACKAGES


def test_every_source_and_data_file_is_in_the_wheel(wheel: list[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert set(tracked) <= set(wheel)
    assert {Path(name).suffix for name in tracked} <= DATA | {".py"}


def test_no_other_distribution_provides_one_of_our_names() -> None:
    clashes = [
        dist.metadata["Name"]
        for dist in distributions()
        if dist.metadata["Name"] != "recoup"
        for file in dist.files or []
        if file.parts[0] in PACKAGES or (file.name in {f"{name}.py" for name in PACKAGES} and len(file.parts) == 1)
    ]
    assert clashes == []


def test_the_lock_pins_everything_by_hash_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)==[^ ]+(?: ; [^\\]+)? \\$", lock, flags=re.MULTILINE)
    requirements = re.findall(r"^[a-z0-9._-]+", lock, flags=re.MULTILINE)
    assert len(pins) == len(requirements) > 50
    assert not re.search(r"https?://|--index|--find-links|--trusted-host", lock)
    assert all(
        chunk.count("--hash=sha256:") for chunk in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE) if chunk.strip()
    )


def test_every_declared_dependency_is_locked() -> None:
    declared = set(re.findall(r'^    "([a-z0-9-]+)', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    assert declared >= {"numpy", "lightgbm"}
    assert declared - locked <= PACKAGES


def test_decisions_carry_the_version_that_is_built() -> None:
    declared = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert declared is not None
    assert declared[1] == CODE_VERSION


def test_every_locked_dependency_is_one_version_with_hashes_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    locked = re.split(r"\n(?=\S)", text.strip())
    assert len(locked) > 100
    for one in locked:
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^ ;]+( ;[^\\]+)? \\\n", one), one[:80]
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", one)) == one.count("--hash") >= 1, one[:80]
    assert not re.search(r"://|--index|--extra|--find-links", text)
