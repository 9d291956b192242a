"""Keys, merchants and stops as a person at a terminal meets them."""

from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from builders import history
from features.errors import InputError, InvalidValueError, RecoupError
from serving.cli import app
from serving.ledger.opening import store_at
from serving.tenancy.keys import digest_of, keys_of

RUNNER = CliRunner()


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/ledger.db"
    run("merchants", "add", "acme", "--name", "Acme East", "--database", url)
    return url


def run(*arguments: str) -> str:
    result = RUNNER.invoke(app, list(arguments))
    if isinstance(result.exception, RecoupError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "asked", [("create", "--merchant", "acme", "--days", "99999999"), ("rotate", "k1", "--overlap-hours", "999999999")]
)
def test_a_time_that_no_calendar_has_is_refused(database: str, asked: tuple[str, ...]) -> None:
    result = RUNNER.invoke(app, ["keys", *asked, "--database", database])
    assert result.exit_code == 2
    assert "less than or equal to" in result.output


def create(database: str, *more: str) -> str:
    return run("keys", "create", "--merchant", "acme", *more, "--database", database).strip()


def test_a_key_is_printed_once_alone_on_standard_output(database: str) -> None:
    secret = create(database, "--scope", "admin", "--label", "billing", "--per-second", "0", "--days", "30")
    with closing(store_at(database)) as store:
        (kept,) = keys_of(store)
    assert (kept.digest, kept.scope, kept.label, kept.per_second) == (digest_of(secret), "admin", "billing", None)
    assert kept.expires_at is not None
    assert (kept.expires_at - kept.created_at).days == 30
    shown = run("keys", "list", "--database", database)
    assert "1 key" in shown
    assert "billing" in shown
    assert secret.rpartition("_")[2] not in shown


def test_a_key_of_a_sandbox_is_one_of_a_merchant_and_stays_one_when_it_is_rotated(database: str) -> None:
    key_id = create(database, "--sandbox").split("_")[1]
    run("keys", "rotate", key_id, "--database", database)
    with closing(store_at(database)) as store:
        assert [key.sandbox for key in keys_of(store)] == [True, True]
    assert "(sandbox)" in run("keys", "list", "--database", database)
    with pytest.raises(InvalidValueError, match="a sandbox is of one merchant"):
        run("keys", "create", "--operator", "--sandbox", "--database", database)


def test_rotating_and_revoking_are_seen_in_the_list(database: str) -> None:
    old = create(database).split("_")[1]
    new = run("keys", "rotate", old, "--overlap-hours", "0", "--database", database).split("_")[1]
    assert "revoked" in run("keys", "revoke", new, "--database", database)
    with closing(store_at(database)) as store:
        states = {key.key_id: (key.expires_at is not None, key.revoked_at is not None) for key in keys_of(store)}
    assert states == {old: (True, False), new: (False, True)}
    assert "2 keys" in run("keys", "list", "--merchant", "acme", "--database", database)


def test_stops_are_told_and_lifted_and_shown_with_the_merchants(database: str) -> None:
    assert "acme" in run("merchants", "list", "--database", database)
    assert "in force: acme" in run("stop", "--merchant", "acme", "--reason", "INC-7", "--database", database)
    assert "INC-7" in run("merchants", "list", "--database", database)
    told = run("stop", "--all", "--reason", "INC-8", "--database", database)
    assert "in force: all merchants" in told
    assert "in force: acme" in run("resume", "--all", "--database", database)
    told = run("resume", "--merchant", "acme", "--database", database)
    assert told == f"retries are resumed for merchant acme in the ledger {database.removeprefix('sqlite:///')}\n"


def test_a_stop_of_a_merchant_that_nobody_knows_is_told_with_a_warning(database: str) -> None:
    for merchant, warned in (("acne", True), ("acme", False)):
        told = RUNNER.invoke(app, ["stop", "--merchant", merchant, "--reason", "INC-7", "--database", database])
        assert told.exit_code == 0
        assert f"in force: {merchant}" in told.stdout
        assert ("is it misspelt?" in told.stderr) is warned


def test_a_stop_of_a_ledger_that_holds_nothing_is_told_with_a_warning(database: str, tmp_path: Path) -> None:
    stopped = ["stop", "--all", "--reason", "INC-7", "--database", database]
    assert "holds no attempt and no decision: is it the service's?" in RUNNER.invoke(app, stopped).stderr
    path = tmp_path / "history.parquet"
    pq.write_table(history([{"code": "51"}]), path)
    run("ledger", "backfill", str(path), "--database", database)
    assert RUNNER.invoke(app, stopped).stderr == ""


def test_every_key_is_revoked_at_once(database: str) -> None:
    first = create(database)
    create(database, "--sandbox")
    run("keys", "revoke", first.split("_")[1], "--database", database)
    assert run("keys", "revoke", "--all", "--database", database).count("is revoked since") == 1
    with closing(store_at(database)) as store:
        assert all(key.revoked_at for key in keys_of(store))
    assert run("keys", "revoke", "--all", "--database", database) == "No key can be used.\n"


def test_what_cannot_be_done_is_refused_in_a_sentence(database: str) -> None:
    for arguments, refusal in (
        (["keys", "create"], "--operator"),
        (["keys", "create", "--operator", "--merchant", "acme"], "--operator"),
        (["keys", "create", "--merchant", "nobody"], "recoup merchants add"),
        (["keys", "create", "--merchant", "acme", "--scope", "all"], "read, decide, admin"),
        (["keys", "revoke", "abcdefghijkl"], "recoup keys list"),
        (["keys", "revoke"], "--all"),
        (["keys", "revoke", "abcdefghijkl", "--all"], "--all"),
        (["stop", "--reason", "x"], "--all"),
        (["stop", "--reason", "x", "--all", "--merchant", "acme"], "--all"),
        (["stop", "--reason", "x", "--merchant", ""], "--all"),
        (["merchants", "add", "*"], "an id of your own"),
        (["keys", "list", "--database", "oracle://x"], "expected sqlite"),
    ):
        with pytest.raises((InputError, InvalidValueError), match=refusal):
            run(*arguments, *([] if "--database" in arguments else ["--database", database]))
