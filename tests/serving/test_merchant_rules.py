"""The service answers by the merchant's settings and codes, and does not start with a file it cannot use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cap_builders import an_attempt, judged
from features.declines.extra import EXAMPLE, use
from features.declines.lookup import ExtraCodes
from features.declines.taxonomy import classify
from features.errors import InputError
from features.vocabulary import Network
from model.caps.rulebook import Rulebook
from serving.merchant_rules import merchant_rulebook, use_merchant_codes
from serving.settings import Settings


@pytest.fixture(autouse=True)
def _as_shipped_afterwards() -> Iterator[None]:
    yield
    use(ExtraCodes())


def test_without_files_everything_is_as_shipped() -> None:
    assert merchant_rulebook(Settings()).version == Rulebook.load().version
    use_merchant_codes(Settings())
    assert not classify("E17", processor="acme_pay", network=Network.VISA).title


def test_the_files_that_the_settings_name_are_used(tmp_path: Path) -> None:
    rules, codes = tmp_path / "rules.toml", tmp_path / "codes.toml"
    rules.write_text("[tighten.visa-cat2-reattempt-cap]\nlimit = 3\n")
    codes.write_text(EXAMPLE)
    settings = Settings(rulebook=rules, declines=codes)
    limits = {r.limit for r in merchant_rulebook(settings).rules if r.rule_id == "visa-cat2-reattempt-cap"}
    assert limits == {3}
    use_merchant_codes(settings)
    assert classify("E17", processor="acme_pay", network=Network.VISA).title == "No funds"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"limit = 1"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.toml"):
        merchant_rulebook(Settings(rulebook=path))
    with pytest.raises(InputError, match=r"mine\.toml"):
        use_merchant_codes(Settings(declines=path))


CONTRACT = """
[[rule]]
id = "acme-daily"
kind = "cap"
who = "Acme Pay"
what = "attempts on one payment"
processors = ["acme"]
key = ["payment", "processor"]
counts = "attempts"
limit = 2
window = { kind = "calendar", days = 1, zone = "Europe/Berlin" }
sources = ["contract of 2026, section 4"]
confidence = "high"
schedule = "visa-fee-schedule"
"""


def test_rules_of_a_contract_are_added_and_can_be_tightened(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "acme.toml").write_text(CONTRACT)
    settings = tmp_path / "mine.toml"
    settings.write_text('rules = ["own/acme.toml"]\n\n[tighten.acme-daily]\nlimit = 1\n')
    book, shipped = merchant_rulebook(Settings(rulebook=settings)), Rulebook.load()
    (own,) = (rule for rule in book.rules if rule.rule_id == "acme-daily")
    assert own.limit == 1
    assert own.fees, "a schedule of the shipped rules may be named"
    assert [rule for rule in book.rules if rule.rule_id != "acme-daily"] == list(shipped.rules)
    assert book.version != shipped.version
    tried = [an_attempt(1, processor="acme_eu")]
    assert not judged(tried, rulebook=book, processor="acme")["acme-daily"].allowed
    assert "acme-daily" not in judged(tried, rulebook=book, processor="north")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CONTRACT.replace("acme-daily", "visa-cat2-reattempt-cap"), "id: 'visa-cat2-reattempt-cap' is not accepted"),
        (CONTRACT + "ours = true\n", "ours: true is not accepted; expected no such field"),
        (CONTRACT.replace("visa-fee-schedule", "none"), "schedule: 'none' is not accepted; expected one of"),
        (CONTRACT + "\n" + CONTRACT, "rule acme-daily, effective_from: two versions are in force"),
        (CONTRACT.replace("limit = 2", ""), "limit: is missing"),
        ("[[rule", "own.toml: not valid TOML"),
        (None, "own.toml cannot be read"),
    ],
)
def test_own_rules_only_add_and_are_read_as_strictly_as_the_shipped_ones(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "own.toml").write_text(text)
    settings = tmp_path / "mine.toml"
    settings.write_text('rules = ["own.toml"]\n')
    with pytest.raises(InputError) as refused:
        merchant_rulebook(Settings(rulebook=settings))
    assert says in str(refused.value)
    assert str(tmp_path / "own.toml") in str(refused.value) or "two versions" in says
