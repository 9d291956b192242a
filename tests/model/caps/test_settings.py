"""A merchant's settings choose published figures and tighten; whatever loosens is refused by file and field."""

import pytest

from cap_builders import an_attempt, judged
from features.errors import InputError
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.settings import parse_settings

BOOK = Rulebook.load()
TEXT = """
published = ["visa-cat4-reattempt-cap"]

[tighten.visa-cat2-reattempt-cap]
limit = 4
window_hours = 1000
key = ["method"]

[tighten.sepa-core-submission]
length = 3

[tighten.india-afa-threshold]
above_minor = 500000

[tighten.nacha-overall-return-rate]
share_bps = 1000
binding = true
"""


def test_settings_choose_and_tighten() -> None:
    book = parse_settings(TEXT, "mine.toml").applied(BOOK)
    by_id = {rule.rule_id: rule for rule in book.rules}
    capped = by_id["visa-cat2-reattempt-cap"]
    assert (capped.limit, capped.window.hours, capped.key) == (4, 1000, (KeyPart.METHOD,))
    assert by_id["visa-cat4-reattempt-cap"].limit == 20
    lead, above = by_id["sepa-core-submission"].span, by_id["india-afa-threshold"].above
    assert lead is not None
    assert above is not None
    assert (lead.length, above.amount_minor) == (3, 500_000)
    rate = by_id["nacha-overall-return-rate"]
    assert (rate.share_bps, rate.advises) == (1000, False)
    assert book.version != BOOK.version
    assert not judged([an_attempt(i) for i in range(5)], rulebook=book)["visa-cat2-reattempt-cap"].allowed


def test_no_settings_change_nothing() -> None:
    assert parse_settings("", "mine.toml").applied(BOOK).version == BOOK.version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tighten", "mine.toml: not valid TOML"),
        ("loosen = true", "expected published ="),
        ('published = "x"', "published: 'x' is not accepted"),
        ('published = ["nacha-reinitiation-cap"]', "mine.toml, published: rule: 'nacha-reinitiation-cap'"),
        ("[tighten]\nx = 1", "tighten.x: is not accepted"),
        ("[tighten.x]\nlimit = -1", "tighten.x, limit: -1 is not accepted"),
        ('[tighten.x]\nkey = ["shoe"]', "tighten.x, key"),
        (
            '[tighten.tabapay-block-rules]\nkey = ["merchant", "amount"]',
            "mine.toml: settings may only tighten: tabapay-block-rules, key: merchant, amount is not accepted",
        ),
        ("[tighten.x]\nlimits = 1", "tighten.x, limits: is not a field of a tightening"),
        ("[tighten.x]\nlimit = 1", "mine.toml: settings may only tighten: x: is not a rule"),
        ("[tighten.visa-cat2-reattempt-cap]\nlimit = 16", "visa-cat2-reattempt-cap, limit: 16 is not accepted"),
        ("[tighten.sepa-core-submission]\nlength = 1", "sepa-core-submission, length: 1 is not accepted"),
        ("[tighten.visa-cat2-reattempt-cap]\nlength = 9", "the rule states no span"),
        ("[tighten.nacha-overall-return-rate]\nshare_bps = 1501", "share_bps: 1501 is not accepted"),
        ("[tighten.india-afa-threshold]\nabove_minor = 1500001", "above_minor: 1500001 is not accepted"),
        ("[tighten.paddle-caps]\nbinding = true", "the rule binds already"),
        ("[tighten.razorpay-enach-spacing]\nwait_hours = 71", "wait_hours: 71 is not accepted"),
    ],
)
def test_what_cannot_be_used_is_named_by_file_and_field(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_settings(text, "mine.toml").applied(BOOK)
    assert "mine.toml" in str(caught.value)
    assert says in str(caught.value)


def test_all_faults_of_a_file_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_settings("[tighten.a]\nlimit = -1\n[tighten.b]\nkey = []\nx = 1", "mine.toml")
    for part in ("tighten.a, limit", "tighten.b, key", "tighten.b, x"):
        assert part in str(caught.value)


def test_a_published_figure_that_was_tightened_stays_below_it() -> None:
    text = 'published = ["visa-cat2-reattempt-cap"]\n[tighten.visa-cat2-reattempt-cap]\nlimit = 18'
    with pytest.raises(InputError, match="limit: 18 is not accepted; expected a whole number from 0 to 15"):
        parse_settings(text, "mine.toml").applied(BOOK)
