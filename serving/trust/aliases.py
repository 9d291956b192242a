"""Which version each alias of the registered model names now: a look that costs a millisecond and imports no MLflow.

MLflow's servers are asked over their REST interface, its SQLite and PostgreSQL databases for the one table that holds
the aliases. A registry of another kind is asked through MLflow itself, in a process of its own, which takes seconds.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import httpx
import psycopg

from features.errors import InputError
from serving.registry import SQLITE, told_by_program
from serving.settings import MODEL_NAME

Aliases = Mapping[str, str]
SECONDS = 5.0
_SQL = "SELECT alias, version FROM registered_model_aliases WHERE name = "
_POSTGRES = ("postgresql://", "postgresql+psycopg2://", "postgresql+psycopg://", "postgres://")
_HTTP = ("http://", "https://")
_NO_SUCH = "RESOURCE_DOES_NOT_EXIST"


def aliases_in(uri: str) -> Aliases:
    """The version of each alias of the registered model; none where it is not registered.

    Raises:
        InputError: The registry cannot be asked.
    """
    return _way_to(uri)(uri)


def is_quick(uri: str) -> bool:
    """Whether a look costs so little that it may be taken every few seconds."""
    return _way_to(uri) is not _by_program


def _way_to(uri: str) -> Callable[[str], Aliases]:
    if uri.startswith(SQLITE):
        return _in_sqlite
    if uri.startswith(_POSTGRES):
        return _in_postgres
    return _over_http if uri.startswith(_HTTP) else _by_program


def _in_sqlite(uri: str) -> Aliases:
    path = Path(uri.removeprefix(SQLITE).partition("?")[0])
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=SECONDS)) as database:
            return _named(database.execute(f"{_SQL}?", (MODEL_NAME,)).fetchall())
    except sqlite3.Error as error:
        raise _unreachable(uri, error) from None


def _in_postgres(uri: str) -> Aliases:
    address = f"postgresql://{uri.partition('://')[2]}"
    try:
        with psycopg.connect(address, connect_timeout=int(SECONDS), autocommit=True) as database:
            return _named(database.execute(f"{_SQL}%s", (MODEL_NAME,)).fetchall())
    except psycopg.Error as error:
        raise _unreachable(address, error) from None


def _over_http(uri: str) -> Aliases:
    address = f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/get"
    try:
        told = httpx.get(address, params={"name": MODEL_NAME}, headers=_token(), auth=_user(), timeout=SECONDS)
        document = told.json()
        if told.is_success:
            return _named([(one["alias"], one["version"]) for one in document["registered_model"].get("aliases", ())])
        if document.get("error_code") == _NO_SUCH:
            return {}
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreachable(uri, error) from None
    raise InputError(f"the registry at {_without_password(uri)} answers with status {told.status_code}")


def _by_program(uri: str) -> Aliases:
    return told_by_program(uri, "aliases", MODEL_NAME, uri)


def _named(rows: list[tuple[object, ...]]) -> Aliases:
    return {str(alias): str(version) for alias, version in rows}


def _token() -> dict[str, str]:
    """The variables that MLflow's own client reads."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


def _user() -> tuple[str, str] | None:
    user, password = os.environ.get("MLFLOW_TRACKING_USERNAME"), os.environ.get("MLFLOW_TRACKING_PASSWORD")
    return (user, password) if user and password else None


def _unreachable(uri: str, error: Exception) -> InputError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return InputError(f"the registry at {_without_password(uri)} cannot be asked: {lines[0]}")


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
