"""Which version each alias of the registered model names now: a look that costs a millisecond and imports no MLflow.

MLflow's servers are asked over their REST interface, its SQLite and PostgreSQL databases for the one table that holds
the aliases. A registry of another kind is asked through MLflow itself, in a process of its own, which takes seconds.
"""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from serving.asking_mlflow import told_by_program
from serving.settings import MODEL_NAME

Rows = list[tuple[object, ...]]
Part = Mapping[str, object]
SQLITE = "sqlite:///"
SECONDS = 5.0
_NAMED = (
    "SELECT a.alias, a.version, v.source, v.creation_time FROM registered_model_aliases a "
    "LEFT JOIN model_versions v ON v.name = a.name AND v.version = a.version WHERE a.name = ?"
)
_POSTGRES = ("postgresql://", "postgresql+psycopg2://", "postgresql+psycopg://", "postgres://")
_HTTP = ("http://", "https://")
_NO_SUCH = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True, slots=True)
class Named:
    """The version that an alias names.

    Args:
        made: Where its files come from and when it was made: another version that was given the same number, in a
            registry that was begun anew, differs. None where that is not known.
    """

    version: str
    made: str | None = None

    def is_same(self, other: "Named") -> bool:
        """Whether both are one version, as far as that is known."""
        return self.version == other.version and (None in {self.made, other.made} or self.made == other.made)


Aliases = Mapping[str, Named]


class NoRegistryError(InputError):
    """There is no file where the registry would be: it was never made, or it is out of reach."""


def aliases_in(uri: str, wanted: Sequence[str]) -> Aliases:
    """What each of these aliases of the registered model names; none that names nothing.

    Raises:
        NoRegistryError: There is no registry at this place.
        InputError: The registry cannot be asked.
    """
    if not is_quick(uri):
        told = told_by_program(uri, "aliases", MODEL_NAME, uri)
        return {alias: Named(told[alias]) for alias in wanted if alias in told}
    rows = _over_http(uri, wanted) if uri.startswith(_HTTP) else _in_database(uri)
    return {str(alias): _named(*told) for alias, *told in rows if alias in wanted}


def _named(version: object, source: object, created: object) -> Named:
    return Named(str(version), None if None in {source, created} else f"{source} {created}")


def is_quick(uri: str) -> bool:
    """Whether a look costs so little that it may be taken every few seconds."""
    return uri.startswith((SQLITE, *_POSTGRES, *_HTTP))


def _in_database(uri: str) -> Rows:
    return _in_sqlite(uri) if uri.startswith(SQLITE) else _in_postgres(uri)


def _in_sqlite(uri: str) -> Rows:
    path = Path(uri.removeprefix(SQLITE).partition("?")[0])
    if not path.exists():
        raise NoRegistryError(f"the registry {uri} does not exist")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=SECONDS)) as database:
            return database.execute(_NAMED, (MODEL_NAME,)).fetchall()
    except sqlite3.Error as error:
        raise _unreachable(uri, error) from None


def _in_postgres(uri: str) -> Rows:
    import psycopg  # takes a tenth of a second, and most registries are elsewhere

    address = f"postgresql://{uri.partition('://')[2]}"
    try:
        with psycopg.connect(address, connect_timeout=int(SECONDS), autocommit=True) as database:
            return database.execute(_NAMED.replace("?", "%s").encode(), (MODEL_NAME,)).fetchall()
    except psycopg.Error as error:
        raise _unreachable(address, error) from None


def _over_http(uri: str, wanted: Sequence[str]) -> Rows:
    """The list of aliases, and of each that is wanted and in it the version that it names."""
    listed = _part(uri, "registered-models/get", "registered_model").get("aliases", ())
    if not isinstance(listed, Sequence) or not all(isinstance(one, Mapping) for one in listed):
        raise _unreachable(uri, ValueError("it gives no list of aliases"))
    rows: Rows = []
    for alias in sorted({str(one.get("alias")) for one in listed}.intersection(wanted)):
        told = _part(uri, "registered-models/alias", "model_version", alias=alias)
        if told:  # else it was taken away just now
            rows.append((alias, *(told.get(name) for name in ("version", "source", "creation_timestamp"))))
    return rows


def _part(uri: str, what: str, part: str, **asked: str) -> Part:
    """One part of what the server answers with; nothing where it knows no such thing."""
    import httpx  # likewise

    address = f"{uri.rstrip('/')}/api/2.0/mlflow/{what}"
    try:
        told = httpx.get(address, params={"name": MODEL_NAME, **asked}, headers=_token(), auth=_user(), timeout=SECONDS)
        document = told.json()
        if told.is_success:
            return dict(document[part])
        if document.get("error_code") == _NO_SUCH:
            return {}
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreachable(uri, error) from None
    raise InputError(f"the registry at {_without_password(uri)} answers with status {told.status_code}")


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
