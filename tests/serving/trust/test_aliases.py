"""The aliases of a registry, read from each kind of place that holds one."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from features.errors import InputError
from serving.trust.aliases import Named, NoRegistryError, aliases_in, is_quick

GET = "/api/2.0/mlflow/registered-models/get?name=recoup-retry"
BY_ALIAS = "/api/2.0/mlflow/registered-models/alias?name=recoup-retry&alias=champion"
VERSIONS = "CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time BIGINT, source TEXT)"
TABLE = "CREATE TABLE registered_model_aliases (workspace TEXT, name TEXT, alias TEXT, version INTEGER)"


BOTH = ("champion", "challenger")


def test_a_database_that_is_not_there_names_nothing_and_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NoRegistryError, match=r"mlflow\.db does not exist"):
        aliases_in(f"sqlite:///{tmp_path / 'mlflow.db'}", BOTH)


def test_a_database_tells_what_each_alias_of_our_model_names_and_when_that_was_made(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute(TABLE)
        database.execute(VERSIONS)
        for name, version, source in (("recoup-retry", 3, "models:/m-1"), ("other", 9, "models:/m-2")):
            database.execute("INSERT INTO registered_model_aliases VALUES ('', ?, 'champion', ?)", (name, version))
            database.execute("INSERT INTO model_versions VALUES (?, ?, 1700, ?)", (name, version, source))
        database.commit()
    assert aliases_in(uri, BOTH) == {"champion": Named("3", "models:/m-1 1700")}
    assert aliases_in(uri, ("challenger",)) == {}


def test_one_version_is_another_with_the_same_number_where_it_was_made_otherwise_and_that_is_known() -> None:
    assert Named("1", "a 1700").is_same(Named("1", "a 1700"))
    assert not Named("1", "a 1700").is_same(Named("1", "a 1701"))
    assert Named("1", "a 1700").is_same(Named("1"))
    assert not Named("1").is_same(Named("2"))


def test_what_is_no_registry_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("these are notes " * 100)
    with pytest.raises(InputError, match=r"cannot be asked: .*not a database"):
        aliases_in(f"sqlite:///{tmp_path / 'mlflow.db'}", BOTH)
    with closing(sqlite3.connect(tmp_path / "empty.db")) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(InputError, match="no such table"):
        aliases_in(f"sqlite:///{tmp_path / 'empty.db'}", BOTH)


@contextmanager
def server(status: int, body: bytes, version: bytes = b"") -> Iterator[str]:
    """A server that always answers the same, and `version` of the champion; it gives its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = {GET: body, BY_ALIAS: version}[self.path]
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_server_is_asked_over_its_rest_interface() -> None:
    listed = b'{"registered_model": {"name": "recoup-retry", "aliases": [{"alias": "champion", "version": "12"}]}}'
    told = b'{"model_version": {"version": "12", "source": "models:/m-7", "creation_timestamp": 1700}}'
    with server(200, listed, told) as uri:
        assert aliases_in(uri, BOTH) == {"champion": Named("12", "models:/m-7 1700")}
        assert aliases_in(uri, ("challenger",)) == {}
    with server(200, listed, b'{"model_version": {"version": "12"}}') as uri:
        assert aliases_in(uri, BOTH) == {"champion": Named("12")}
    with server(200, b'{"registered_model": {"name": "recoup-retry"}}') as uri:
        assert aliases_in(uri, BOTH) == {}
    with server(404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}') as uri:
        assert aliases_in(uri, BOTH) == {}


def test_a_server_that_is_away_or_answers_otherwise_is_told_without_its_password() -> None:
    with server(500, b'{"error_code": "INTERNAL_ERROR"}') as uri, pytest.raises(InputError, match="status 500"):
        aliases_in(uri, BOTH)
    with (
        server(200, b'{"registered_model": {"aliases": 3}}') as uri,
        pytest.raises(InputError, match="cannot be asked"),
    ):
        aliases_in(uri, BOTH)
    with server(200, b"<html>") as uri, pytest.raises(InputError, match="cannot be asked"):
        aliases_in(uri, BOTH)
    with pytest.raises(InputError, match="cannot be asked") as refused:
        aliases_in("http://user:secret@127.0.0.1:9", BOTH)
    assert "secret" not in str(refused.value)


def test_only_what_is_read_directly_is_looked_at_every_few_seconds() -> None:
    assert is_quick("sqlite:///mlflow.db")
    assert is_quick("https://mlflow.example")
    assert is_quick("postgresql+psycopg2://u@h/d")
    assert not is_quick("mysql://u@h/d")
