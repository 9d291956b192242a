"""The service answers by the merchant's settings and codes, and does not start with a file it cannot use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
