"""Who may deliver stands in one file; its secrets stand elsewhere, rotate, and are shown nowhere."""

from pathlib import Path

import pytest

from features.errors import CardNumberError, InputError
from serving.webhooks.endpoints import Endpoints, endpoints_in
from serving.webhooks.receiving import sender
from serving.webhooks.signatures import Signed
from webhook_builders import NOW, posted

STRIPE = '[[endpoint]]\nsource = "stripe"\nmerchant_id = "a"\nsecrets = [{ env = "OK" }]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "webhooks.toml"
    path.write_text(text)
    return path


def test_without_a_file_nobody_may_deliver() -> None:
    assert endpoints_in(None, {}) == Endpoints()


def test_secrets_come_from_the_environment_and_from_files_and_several_are_active(tmp_path: Path) -> None:
    (tmp_path / "old.secret").write_text("old\n")
    path = written(
        tmp_path,
        '[[endpoint]]\nsource = "stripe"\nmerchant_id = "acme"\nsecrets = [{ env = "NEW" }, { file = "old.secret" }]\n'
        '[[endpoint]]\nsource = "stripe"\nmerchant_id = "globex"\nsecrets = [{ env = "THEIRS" }]\n',
    )
    endpoints = endpoints_in(path, {"NEW": "new", "THEIRS": "theirs"})
    assert "new" not in repr(endpoints)
    for secret, merchant in (("new", "acme"), ("old", "acme"), ("theirs", "globex")):
        post = posted("stripe/invoice_paid.json", secret=secret)
        assert sender(endpoints, "stripe", None, Signed(post.headers, {}, post.body), NOW).merchant_id == merchant


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("endpoint = 3", "one [[endpoint]] table a sender"),
        ("[[endpoint]]\n", "endpoint[0].source: is missing"),
        ('[[endpoint]]\nsource = "strpe"\n', "did you mean"),
        ('[[endpoint]]\nsource = "stripe"\nmerchant_id = "a"\nsecrets = []', "expected a list"),
        ('[[endpoint]]\nsource = "stripe"\nmerchant_id = "a"\nsecrets = ["whsec_x"]', "no secret stands here"),
        ('[[endpoint]]\nsource = "stripe"\nmerchant_id = "a"\nsecrets = [{ env = "NONE" }]', "the variable NONE"),
        ('[[endpoint]]\nsource = "stripe"\nmerchant_id = "a"\nsecrets = [{ file = "none" }]', "the file none"),
        (
            '[[endpoint]]\nsource = "recurly"\nmerchant_id = "a"\nsecrets = [{ env = "OK" }]\ncurrency = "euro"',
            "ISO 4217",
        ),
        (STRIPE + 'test_events = "yes"\n', "true or false"),
        (STRIPE + STRIPE + "test_events = true\n", "a merchant_id of its own"),
        ("[[endpoints]]\n", "endpoints: is not known here"),
        ("=", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wrong(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        endpoints_in(written(tmp_path, text), {"OK": "fine"})
    assert sentence in str(refused.value)
    assert "whsec_x" not in str(refused.value)


def test_a_file_that_is_not_there_and_a_merchant_like_a_card_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        endpoints_in(tmp_path / "none.toml", {})
    with pytest.raises(CardNumberError):
        endpoints_in(written(tmp_path, '[[endpoint]]\nsource = "stripe"\nmerchant_id = "4242424242424242"\n'), {})
