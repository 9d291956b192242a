"""`recoup decide` gives the service's decision without the service, and replays one from history."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import orjson
import pyarrow.parquet as pq
import pytest

from builders import START, history
from serving.answer_schemas import DecisionAnswer


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]
EXAMPLE = Path(__file__).parents[3] / "serving" / "examples" / "stolen-card-second-on-file.json"


@pytest.fixture
def past(tmp_path: Path) -> Path:
    path = tmp_path / "history.parquet"
    rows: list[dict[str, object]] = [
        {"attempt_id": "a1", "code": "51", "issuer_country": "DE"},
        {"attempt_id": "a2", "code": "05", "issuer_country": "DE", "attempted_at": START + timedelta(days=3)},
        {"attempt_id": "a3", "outcome": "approved", "issuer_country": "DE", "attempted_at": START + timedelta(days=9)},
    ]
    pq.write_table(history(rows), path)
    return path


def refused(ran: Ran, *words: str) -> None:
    """One sentence on standard error, exit code 2, nothing on standard output."""
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("recoup: ")
    assert ran.err.count("\n") == 1
    for word in words:
        assert word in ran.err


def test_a_request_file_is_decided_and_printed_for_a_person(recoup: Recoup) -> None:
    ran = recoup("decide", EXAMPLE)
    assert ran.code == 0
    assert "pm_mastercard through" in ran.out
    assert "Limits considered" in ran.out
    assert "shipped prior, no model" in ran.out


def test_as_json_it_is_the_answer_of_the_service(recoup: Recoup) -> None:
    ran = recoup("decide", EXAMPLE, "--json")
    answer = DecisionAnswer.model_validate_json(ran.out)
    assert answer.decision_id == DecisionAnswer.model_validate_json(recoup("decide", EXAMPLE, "--json").out).decision_id


def test_own_economics_change_the_value(recoup: Recoup, tmp_path: Path) -> None:
    file = tmp_path / "economics.toml"
    file.write_text("[value]\nmargin = 0.1\n")
    own = orjson.loads(recoup("decide", EXAMPLE, "--json", "--economics", file).out)
    default = orjson.loads(recoup("decide", EXAMPLE, "--json").out)
    assert own["expected_net_value"]["amount_minor"] < default["expected_net_value"]["amount_minor"]
    assert own["versions"]["economics"] != default["versions"]["economics"]


def test_a_past_decision_stands_beside_what_really_happened(recoup: Recoup, past: Path) -> None:
    ran = recoup("decide", "--history", past, "--payment", "p1", "--after", 2)
    assert ran.code == 0
    assert "What really happened: 2026-03-11 09:00Z m1 through north: approved" in ran.out
    assert "recovered on 2026-03-11" in ran.out


def test_what_cannot_be_replayed_is_refused(recoup: Recoup, past: Path) -> None:
    refused(recoup("decide", "--history", past, "--payment", "p9"), "p9")
    refused(recoup("decide", "--history", past, "--payment", "p1", "--after", 7), "--after", "failed 2 times")


def test_wrong_input_ends_in_one_sentence(recoup: Recoup, tmp_path: Path, past: Path) -> None:
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "cut.json").write_text('{"payment": {')
    (tmp_path / "card.json").write_text('{"payment": "4242 4242 4242 4242"}')
    (tmp_path / "economics.toml").write_text("[value]\nmargn = 0.1\n")
    refused(recoup("decide", tmp_path / "missing.json"), "missing.json")
    refused(recoup("decide", tmp_path), "directory")
    refused(recoup("decide", tmp_path / "empty.json"), "empty")
    refused(recoup("decide", tmp_path / "cut.json"), "line 1 column")
    card = recoup("decide", tmp_path / "card.json")
    refused(card, "card number")
    assert "4242" not in card.err
    refused(recoup("decide"), "REQUEST", "--history")
    refused(recoup("decide", EXAMPLE, "--history", past, "--payment", "p1"), "either")
    refused(recoup("decide", "--history", past), "--payment")
    refused(recoup("decide", EXAMPLE, "--model", tmp_path), "checksums.json")
    refused(recoup("decide", EXAMPLE, "--economics", tmp_path / "none.toml"), "none.toml")
    refused(recoup("decide", EXAMPLE, "--economics", tmp_path / "economics.toml"), "margn")


def test_the_interface_document_is_written_whole_or_not_at_all(recoup: Recoup, tmp_path: Path) -> None:
    assert recoup("openapi", "--out", tmp_path / "openapi.json").code == 0
    assert orjson.loads((tmp_path / "openapi.json").read_bytes())["openapi"].startswith("3.")
    refused(recoup("openapi", "--out", tmp_path / "no" / "openapi.json"), "cannot be written")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
