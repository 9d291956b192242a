"""The container file, the compose file and the systemd unit, read as a careful reviewer would: no engine is needed."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.decision import CODE_VERSION
from serving.server import GRACE_SECONDS
from serving.settings import VARIABLES, settings_from

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "operation"
PINNED = re.compile(r"[\w./-]+(:[\w.-]*\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$")
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|API_KEY)", re.IGNORECASE)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile: word and rest, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (FILES / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def final_stage() -> list[tuple[str, str]]:
    told = instructions()
    last = max(i for i, (word, _) in enumerate(told) if word == "FROM")
    return told[last:]


def environment_of_image() -> dict[str, str]:
    return dict(part.split("=", 1) for word, rest in final_stage() if word == "ENV" for part in rest.split())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FILES / "compose.yaml").read_text())
    return document


@pytest.fixture(scope="module")
def unit() -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # how the library is told to keep capitals
    found.read(FILES / "recoup.service")
    return found


def test_every_base_image_is_pinned(compose: dict[str, Any]) -> None:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    bases += [service["image"] for service in compose["services"].values()]
    assert len(bases) >= 4
    assert [base for base in bases if not PINNED.match(base)] == []
    assert {base for base in bases if base.startswith("recoup:")} == {f"recoup:{CODE_VERSION}"}


def test_the_image_is_made_from_the_lock_with_its_hashes_and_nothing_else() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert installs[0].endswith("--require-hashes --no-deps -r requirements.lock")
    assert all("--no-deps" in install for install in installs)
    assert not any(re.search(r"curl|wget|ADD|git clone|--index|--trusted", rest) for _, rest in instructions())


def test_what_only_development_needs_is_taken_out_again() -> None:
    (removed,) = [rest for word, rest in instructions() if word == "RUN" and "pip uninstall" in rest]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    development = {re.split(r"[>=;]", requirement)[0] for requirement in groups["dev"]}
    needed_by_mlflow = {"pyyaml"}
    assert set(removed.partition("-y ")[2].split()) == development - needed_by_mlflow


def test_what_is_copied_is_there_and_let_through_to_the_build() -> None:
    let_through = set(re.findall(r"^!(\S+)", (FILES / "Dockerfile.dockerignore").read_text(), flags=re.MULTILINE))
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)


def test_the_service_runs_as_nobody_in_particular_and_is_asked_how_it_is() -> None:
    stage = final_stage()
    words = [word for word, _ in stage]
    (user,) = [rest for word, rest in stage if word == "USER"]
    assert all(int(part) >= 1000 for part in user.split(":"))
    assert words.index("USER") < words.index("ENTRYPOINT")
    (check,) = [rest for word, rest in stage if word == "HEALTHCHECK"]
    assert "/ready" in check
    assert dict(stage)["ENTRYPOINT"].startswith("[")  # no shell between the signal and the service
    assert dict(stage)["STOPSIGNAL"] == "SIGTERM"


def test_no_secret_stands_in_any_file(compose: dict[str, Any]) -> None:
    assert not any(SECRET.search(rest) for word, rest in instructions() if word in {"ENV", "ARG"})
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), name
    for name in ("compose.yaml", "recoup.service"):
        assert not re.search(r"://[^/\s:@]+:[^@\s]+@", (FILES / name).read_text())


def test_the_settings_that_are_given_are_settings(compose: dict[str, Any], unit: configparser.RawConfigParser) -> None:
    given = {name: value for name, value in environment_of_image().items() if name in VARIABLES.values()}
    service = {
        name: value
        for name, value in compose["services"]["recoup"]["environment"].items()
        if name in VARIABLES.values()
    }
    assert settings_from(given | service).drain_seconds > 0
    text = (FILES / "recoup.service").read_text()
    of_unit = dict(re.findall(r"^Environment=(\w+)=(\S+)$", text, flags=re.MULTILINE))
    assert settings_from({name: of_unit[name] for name in of_unit if name.startswith("RECOUP_")}).drain_seconds > 0
    for told in (environment_of_image() | compose["services"]["recoup"]["environment"], of_unit):
        assert not [name for name in told if name.startswith("RECOUP_") and name not in VARIABLES.values()]


def test_whoever_stops_the_service_waits_until_it_has_drained(
    compose: dict[str, Any], unit: configparser.RawConfigParser
) -> None:
    drain = int(environment_of_image()["RECOUP_DRAIN_SECONDS"])
    waits = int(compose["services"]["recoup"]["stop_grace_period"].removesuffix("s"))
    assert waits > drain + GRACE_SECONDS
    assert int(unit["Service"]["TimeoutStopSec"]) > drain + GRACE_SECONDS
    assert unit["Service"]["KillMode"] == "mixed"  # the workers hear it once, from the first process


def test_only_this_machine_reaches_what_is_published(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "ports" not in compose["services"]["postgres"]


def test_the_service_starts_after_what_it_needs_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "mlflow", "recoup"}
    for name, wanted in services["recoup"]["depends_on"].items():
        assert wanted["condition"] == "service_healthy"
        assert "healthcheck" in services[name]
    named = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert named == set(compose["volumes"])
    address = services["recoup"]["environment"]
    assert "@postgres/" in address["RECOUP_DATABASE_URL"]
    assert address["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    assert any("mlflow:5000" in option for option in services["mlflow"]["command"] if "allowed-hosts" in option)


def test_the_unit_gives_the_service_no_more_than_it_needs(unit: configparser.RawConfigParser) -> None:
    service = unit["Service"]
    assert service["User"] == "recoup"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "true"
    assert service["CapabilityBoundingSet"] == ""
    assert "MemoryDenyWriteExecute" not in service  # compiled scoring loops need it
    assert service["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_loops_are_compiled_before_the_unit_listens_and_time_is_given(
    unit: configparser.RawConfigParser,
) -> None:
    assert unit["Service"]["ExecStartPre"].endswith("python -m model.warm")
    assert int(unit["Service"]["TimeoutStartSec"]) >= 120


def test_commands_beside_the_unit_run_with_its_user_home_and_secrets(unit: configparser.RawConfigParser) -> None:
    page = (ROOT / "docs" / "operation.md").read_text("utf-8")
    (line,) = re.findall(r"^recoupctl\(\) \{ (.*); \}$", page, flags=re.MULTILINE)
    service = unit["Service"]
    text = (FILES / "recoup.service").read_text()
    (home,) = re.findall(r"^Environment=(RECOUP_HOME=\S+)$", text, flags=re.MULTILINE)
    for told in (
        f"--uid={service['User']}",
        f"--gid={service['Group']}",
        f"EnvironmentFile={service['EnvironmentFile']}",
        f"UMask={service['UMask']}",
        f"-E {home}",
        service["ExecStart"].split()[0],
    ):
        assert told in line
