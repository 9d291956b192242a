"""Settings come from the environment once, and say what is wrong with it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InvalidValueError
from serving.settings import VARIABLES, MetricsAccess, Settings, environment_of, settings_from

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from({}) == Settings()


def test_an_empty_variable_counts_as_absent() -> None:
    assert settings_from({"RECOUP_MODEL": "", "RECOUP_HOME": ""}) == Settings()


def test_the_registry_moves_with_the_home() -> None:
    assert settings_from({"RECOUP_HOME": "/var/lib/recoup"}).tracking_uri == "sqlite:////var/lib/recoup/mlflow.db"


def test_the_tracking_uri_of_mlflow_is_obeyed() -> None:
    assert settings_from({"MLFLOW_TRACKING_URI": "http://mlflow:5000"}).tracking_uri == "http://mlflow:5000"


@pytest.mark.parametrize("text", ["0", "-1", "1e6", "many", "1.5", "²"])
def test_a_size_that_is_no_positive_whole_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="RECOUP_MAX_BODY_BYTES"):
        settings_from({"RECOUP_MAX_BODY_BYTES": text})


@pytest.mark.parametrize("text", ["-1", "301", "5s", "1.5", "²"])
def test_a_drain_that_is_no_time_or_longer_than_anybody_waits_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"RECOUP_DRAIN_SECONDS.*0 to 300"):
        settings_from({"RECOUP_DRAIN_SECONDS": text})


def test_metrics_are_keyed_unless_the_word_is_known() -> None:
    assert settings_from({}).metrics is MetricsAccess.KEYED
    assert settings_from({"RECOUP_METRICS": "open"}).metrics is MetricsAccess.OPEN
    with pytest.raises(InvalidValueError, match="keyed, open"):
        settings_from({"RECOUP_METRICS": "yes"})


def test_an_unknown_log_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="auto, json, console"):
        settings_from({"RECOUP_LOG_FORMAT": "xml"})


def test_a_variable_that_nobody_reads_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"RECOUP_MODLE.*RECOUP_MODEL"):
        settings_from({"RECOUP_MODLE": "x"})


@pytest.mark.parametrize("service", ["RECOUP", "RECOUP_POSTGRES"])
def test_what_kubernetes_tells_of_a_service_of_our_name_is_no_setting(service: str) -> None:
    told = {
        f"{service}_SERVICE_HOST": "10.96.0.12",
        f"{service}_SERVICE_PORT": "8080",
        f"{service}_SERVICE_PORT_HTTP": "8080",
        f"{service}_PORT": "tcp://10.96.0.12:8080",
        f"{service}_PORT_8080_TCP": "tcp://10.96.0.12:8080",
        f"{service}_PORT_8080_TCP_PROTO": "tcp",
        f"{service}_PORT_8080_TCP_PORT": "8080",
        f"{service}_PORT_8080_TCP_ADDR": "10.96.0.12",
    }
    assert settings_from(told) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("RECOUP_PORT", "8080"), ("RECOUP_PORT_HTTP", "8080"), ("RECOUP_HOST", "0.0.0.0"), ("RECOUP_SERVICE", "x")],
)
def test_a_port_that_somebody_meant_as_a_setting_is_still_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidValueError, match=name):
        settings_from({name: value})


@given(
    st.builds(
        Settings,
        home=st.sampled_from([Path(".recoup"), Path("/data")]),
        model=st.none() | st.just(Path("artifact")),
        tracking_uri=st.sampled_from(["sqlite:///a.db", "http://mlflow:5000"]),
        economics=st.none() | st.just(Path("economics.toml")),
        max_body_bytes=st.integers(1, 10**9),
        metrics=st.sampled_from(MetricsAccess),
        drain_seconds=st.integers(0, 300),
        log_format=st.sampled_from(["auto", "json", "console"]),
    )
)
def test_settings_survive_the_way_to_a_worker_process(settings: Settings) -> None:
    assert settings_from(environment_of(settings)) == settings


def test_every_setting_has_its_variable_and_its_row_in_the_docs() -> None:
    assert set(VARIABLES) == {field.name for field in fields(Settings)}
    documented = re.findall(r"^\| `([A-Z_]+)`", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(documented) == sorted(VARIABLES.values())
