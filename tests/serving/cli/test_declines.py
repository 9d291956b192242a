"""`recoup declines` explains codes and lists those nobody knows, with the line that adds each."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
import pytest

from builders import history
from features.declines.extra import use
from features.declines.lookup import ExtraCodes


class Ran(Protocol):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Recoup = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _as_shipped_afterwards() -> Iterator[None]:
    yield
    use(ExtraCodes())


def explained(recoup: Recoup, *arguments: str) -> dict[str, object]:
    ran = recoup("declines", "explain", *arguments, "--json")
    assert ran.code == 0, ran.err
    found: dict[str, object] = json.loads(ran.out)
    return found


def test_a_processors_word(recoup: Recoup) -> None:
    found = explained(recoup, "stripe", "insufficient_funds")
    assert (found["category"], found["retryability"], found["known"]) == ("insufficient_funds", "later", True)
    ran = recoup("declines", "explain", "stripe", "insufficient_funds")
    assert "https://docs.stripe.com/declines/codes" in ran.out


def test_a_networks_code_with_advice_on_a_day(recoup: Recoup) -> None:
    found = explained(recoup, "mastercard", "51", "--advice", "27")
    assert (found["network"], found["min_wait_hours"], found["processor"]) == ("mastercard", 96, None)
    assert explained(recoup, "visa", "05", "--at", "2026-10-24")["may_hide"] == ["12", "15", "57"]
    assert explained(recoup, "visa", "05", "--at", "2026-10-25")["may_hide"] == ["12", "15"]
    assert explained(recoup, "sepa", "MS03", "--country", "DE")["category"] == "insufficient_funds"


def test_what_nobody_knows_is_said_to_be_unknown(recoup: Recoup) -> None:
    found = explained(recoup, "stripe", "new_word", "--network", "visa")
    assert (found["category"], found["known"]) == ("unknown", False)
    ran = recoup("declines", "explain", "nobody", "51", "--network", "visa")
    assert "There is no table of nobody" in ran.err


@pytest.mark.parametrize("where", ["processor", "code"])
def test_a_card_number_is_refused_and_not_repeated(recoup: Recoup, where: str) -> None:
    number = "4242424242424242"
    ran = recoup("declines", "explain", *((number, "51") if where == "processor" else ("visa", number)))
    assert ran.code == 2
    assert "4242" not in ran.err + ran.out


def test_unknown_codes_of_a_history_come_with_the_line_that_adds_them(
    recoup: Recoup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, object]] = [
        {"attempt_id": f"a{i}", "processor": "acme_pay", "network": "visa", "outcome": "declined", "code": code}
        for i, code in enumerate(["E17", "E17", "e17", "E9", "51"])
    ]
    path = tmp_path / "history.parquet"
    pq.write_table(history(rows), path)
    ran = recoup("declines", "unknown", path)
    lines = [line for line in ran.out.splitlines() if not line.startswith("#")]
    assert [line.partition("# ")[2] for line in lines] == [
        "3 times, 60.0% of acme_pay's codes",
        "1 times, 20.0% of acme_pay's codes",
    ]
    own = tmp_path / "codes.toml"
    own.write_text(ran.out)
    monkeypatch.setenv("RECOUP_DECLINES", str(own))
    assert recoup("declines", "unknown", path).out == "Every decline code of this history stands in a table.\n"
    own.write_text(lines[0].replace('"?"', '"No funds"').replace("unknown", "insufficient_funds"))
    assert explained(recoup, "acme_pay", "E17")["category"] == "insufficient_funds"


def test_a_file_that_is_no_history_is_refused(recoup: Recoup, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("x")
    ran = recoup("declines", "unknown", tmp_path / "x.parquet")
    assert ran.code == 2
    assert "cannot be read as Parquet" in ran.err
