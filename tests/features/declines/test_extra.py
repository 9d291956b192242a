"""Codes that a merchant adds are asked first, in one line each, and cannot soften what a network forbids."""

from collections.abc import Iterator

import pytest

from features.declines.extra import EXAMPLE, parse_extra, use
from features.declines.lookup import ExtraCodes
from features.declines.taxonomy import classify
from features.errors import CardNumberError, InputError
from features.vocabulary import DeclineCategory, Network, Retryability


@pytest.fixture(autouse=True)
def _as_shipped_afterwards() -> Iterator[None]:
    yield
    use(ExtraCodes())


def test_the_example_line_adds_a_code() -> None:
    before = classify("E17", processor="acme_pay", network=Network.VISA)
    use(parse_extra(EXAMPLE, "mine.toml"))
    after = classify(" e17 ", processor="Acme-Pay", network=Network.VISA)
    assert (before.category, before.title) == (DeclineCategory.UNKNOWN, "")
    assert (after.category, after.retryability) == (DeclineCategory.INSUFFICIENT_FUNDS, Retryability.LATER)
    assert classify("E17", processor="other", network=Network.VISA).category is DeclineCategory.UNKNOWN


def test_an_own_meaning_is_asked_before_the_shipped_one() -> None:
    line = 'processors.stripe."generic_decline" = { title = "Ours", category = "do_not_honor", retryability = "never" }'
    use(parse_extra(line, "mine.toml"))
    assert classify("generic_decline", processor="stripe_us", network=Network.VISA).title == "Ours"
    assert classify("card_velocity_exceeded", processor="stripe", network=Network.VISA).title


def test_a_network_can_be_added_to_but_what_it_never_retries_stays_so() -> None:
    lines = (
        'networks.visa."Q9" = { title = "New", category = "do_not_honor", retryability = "later" }\n'
        'processors.stripe."soft" = { title = "Soft", category = "do_not_honor", retryability = "later" }'
    )
    use(parse_extra(lines, "mine.toml"))
    assert classify("Q9", processor=None, network=Network.VISA).title == "New"
    soft = classify("soft", processor="stripe", network=Network.VISA)
    stolen = classify("soft", processor="stripe", network=Network.VISA, subcode="43")
    assert (soft.retryability, stolen.retryability) == (Retryability.LATER, Retryability.NEVER)


def test_no_codes_is_no_fault() -> None:
    assert parse_extra("", "mine.toml") == ExtraCodes()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("processors.", "not valid TOML"),
        ("codes = 1", "mine.toml, codes: is not accepted; expected lines such as processors.acme_pay"),
        ("processors = 1", "mine.toml, processors"),
        ("processors.x = 1", "mine.toml, processors"),
        ('processors.x."1" = 2', "code '1' is not accepted"),
        ('processors.x."1" = { title = "t" }', "category"),
        ('processors."?"."1" = { title = "t" }', "expected a name with letters"),
        ('networks.vista."1" = {}', "networks.vista: is not accepted; expected one of visa"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_extra(text, "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert says in str(caught.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_extra('processors.x."1" = 2\nnetworks.vista."1" = {}\nprocessors.y."2" = {}', "mine.toml")
    for part in ("code '1'", "networks.vista", "code '2'"):
        assert part in str(caught.value)


def test_a_card_number_is_no_code() -> None:
    with pytest.raises(CardNumberError) as caught:
        parse_extra('processors.x."4242424242424242" = {}', "mine.toml")
    assert "4242" not in str(caught.value)
