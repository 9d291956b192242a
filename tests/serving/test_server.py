"""What a server process opens, and what it refuses to open, before it listens."""

import os
from dataclasses import replace

import pytest
from fastapi import FastAPI

from features.errors import InputError
from serving.server import opened
from serving.service import Service
from serving.settings import Auth, Settings, settings_from


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("RECOUP_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_others_can_reach_does_not_start_without_a_key(
    settings: Settings, service: Service, workers: int
) -> None:
    for auth in (Auth.AUTO, Auth.OFF):
        with pytest.raises(InputError, match=r"0\.0\.0\.0.*can be reached by others"):
            opened(replace(settings, auth=auth), service, workers, "0.0.0.0")


def test_worker_processes_are_told_what_was_settled_for_the_address(settings: Settings, service: Service) -> None:
    for auth, settled in ((Auth.AUTO, Auth.OFF), (Auth.ON, Auth.ON)):
        app, found = opened(replace(settings, auth=auth), service, 2, "127.0.0.1")
        assert (app, found) == ("serving.app:app_from_environment", settled)
        assert settings_from({k: v for k, v in os.environ.items() if k.startswith("RECOUP_")}).auth is settled


def test_one_worker_is_the_application_itself(settings: Settings, service: Service) -> None:
    app, found = opened(settings, service, 1, "127.0.0.1")
    assert isinstance(app, FastAPI)
    assert found is Auth.OFF
