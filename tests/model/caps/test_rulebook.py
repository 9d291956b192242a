"""The rulebook: what ships, what is refused, and that settings only tighten."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from urllib.parse import urlsplit

import pytest

from cap_builders import a_method, an_attempt, judged
from features.errors import InputError, InvalidValueError
from features.vocabulary import Network, Rail
from model.caps.rule import Counts, KeyPart, Kind, WindowKind
from model.caps.rulebook import Rulebook, Tightening

BOOK = Rulebook.load()

GOOD = """
[[rule]]
id = "mine"
kind = "cap"
who = "We"
what = "retries"
key = ["method"]
limit = 3
confidence = "low"
ours = true
"""


def book_of(*texts: str) -> Rulebook:
    return Rulebook.from_texts({f"{number}.toml": text for number, text in enumerate(texts)})


def test_every_shipped_rule_states_a_public_source_or_is_ours() -> None:
    for rule in BOOK.rules:
        assert rule.ours or rule.sources, rule.rule_id
        for source in rule.sources:
            assert urlsplit(source).scheme in {"https", "http"}, rule.rule_id


def test_the_shipped_rules_are_all_read() -> None:
    texts = [path.read_text("utf-8") for path in (files("model.caps") / "rules").iterdir()]
    assert len(BOOK.rules) == sum(text.count("[[rule]]\n") for text in texts)
    assert {rule.kind for rule in BOOK.rules} == set(Kind)
    assert {rule.counts for rule in BOOK.rules} == set(Counts)
    assert {rule.window.kind for rule in BOOK.rules} == set(WindowKind)


def test_the_version_is_of_the_content() -> None:
    assert BOOK.version == Rulebook(BOOK.rules).version
    assert BOOK.version != Rulebook(BOOK.rules[1:]).version
    assert len(BOOK.version) == 12


@pytest.mark.parametrize("rule_id", sorted({rule.rule_id for rule in BOOK.rules}))
def test_each_dated_rule_binds_from_its_first_day_to_its_last(rule_id: str) -> None:
    for rule in (r for r in BOOK.rules if r.rule_id == rule_id):
        if rule.effective_from:
            assert rule in BOOK.in_force(at_noon(rule.effective_from))
            assert rule not in BOOK.in_force(at_noon(rule.effective_from - timedelta(days=1)))
        if rule.effective_to:
            assert rule in BOOK.in_force(at_noon(rule.effective_to))
            assert rule not in BOOK.in_force(at_noon(rule.effective_to + timedelta(days=1)))


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_no_day_since_2022_leaves_visa_or_mastercard_without_a_cap() -> None:
    for network in (Network.VISA, Network.MASTERCARD):
        method = a_method(network)
        for month in range(58):
            at = datetime(2022 + month // 12, month % 12 + 1, 15, tzinfo=UTC)
            found = judged([an_attempt(1, method=method, before=at)], method, at=at)
            assert any(verdict.limit is not None for verdict in found.values())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("limit = 3", ""), "limit: is missing"),
        (("limit = 3", "limit = -1"), "limit: -1 is not accepted"),
        (("limit = 3", "limit = 3.5"), "limit: 3.5 is not accepted"),
        (('kind = "cap"', 'kind = "ban"'), "kind: 'ban' is not accepted; expected one of cap"),
        (('kind = "cap"', 'kind = "wait"'), "after: is missing"),
        (('key = ["method"]', 'key = ["shoe"]'), "key: ['shoe'] is not accepted"),
        (('key = ["method"]', ""), "key: is missing"),
        (
            ('key = ["method"]', 'key = ["merchant", "amount"]'),
            "key: ['merchant', 'amount'] is not accepted; expected method, payment or mandate among its parts",
        ),
        (("ours = true", ""), "sources: is missing"),
        (("ours = true", "ours = 1"), "ours: 1 is not accepted"),
        (('confidence = "low"', 'confidence = "sure"'), "confidence: 'sure'"),
        (("ours = true", 'ours = true\neffective_from = "2025"'), "effective_from: '2025'"),
        (
            ("ours = true", "ours = true\neffective_from = 2025-02-01\neffective_to = 2025-01-01"),
            "effective_to: datetime.date(2025, 1, 1) is not accepted; expected a day not before",
        ),
        (("ours = true", 'ours = true\ncolour = "red"'), "colour: is not a field of a rule"),
        (("ours = true", "ours = true\npublished = { limit = 2 }"), "published"),
        (("ours = true", 'ours = true\nwindow = { kind = "rolling" }'), "window, hours"),
        (("ours = true", 'ours = true\nwindow = { kind = "rolling", hours = 1, days = 1 }'), "window, hours"),
        (("ours = true", 'ours = true\nfees = [{ amount = "1" }]'), "fees 1, amount"),
        (("ours = true", 'ours = true\nnetworks = ["visa", "vista"]'), "networks"),
        (("ours = true", "ours = true\nafter = 5"), "after: 5 is not accepted"),
    ],
)
def test_a_malformed_rule_is_refused_by_file_rule_and_field(change: tuple[str, str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        book_of(GOOD.replace(*change))
    assert "0.toml, rule 1 (mine)" in str(caught.value)
    assert says in str(caught.value)


def test_all_faults_of_all_files_are_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        book_of(GOOD.replace("limit = 3", "limit = true"), "[[rule", GOOD.replace('id = "mine"', "") + "x = 1\n")
    text = str(caught.value)
    for part in ("0.toml, rule 1 (mine), limit", "1.toml: not valid TOML", "2.toml, rule 1, id", "2.toml, rule 1, x"):
        assert part in text


def test_a_clause_may_only_be_filled_with_what_is_known() -> None:
    wait = GOOD.replace('kind = "cap"', 'kind = "wait"').replace(
        "limit = 3", 'wait_hours = 1\nafter = { codes = ["1"] }'
    )
    assert book_of(wait).rules
    with pytest.raises(InputError, match=r"\{code\}"):
        book_of(wait.replace('"retries"', '"asks {nicely}"'))


def test_two_versions_of_a_rule_may_follow_but_not_overlap() -> None:
    early, late = GOOD + "effective_to = 2025-05-24\n", GOOD + "effective_from = 2025-05-25\n"
    assert len(book_of(early, late).rules) == 2
    with pytest.raises(InputError, match="two versions are in force on 2025-05-25"):
        book_of(GOOD, late)


def test_a_setting_may_tighten() -> None:
    book = BOOK.tightened({"visa-cat2-reattempt-cap": Tightening(limit=2, window_hours=1000)})
    verdict = judged([an_attempt(i) for i in (900, 2, 1)], rulebook=book)["visa-cat2-reattempt-cap"]
    assert (verdict.allowed, verdict.used, verdict.limit) == (False, 2, 2)


def test_fewer_key_parts_let_more_attempts_share_the_counter() -> None:
    book = BOOK.tightened({"visa-cat2-reattempt-cap": Tightening(key=(KeyPart.METHOD,))})
    attempts = [an_attempt(3, payment_id="x"), an_attempt(2), an_attempt(1, initiator=an_attempt(1).initiator)]
    assert judged(attempts, rulebook=book)["visa-cat2-reattempt-cap"].used == 2


@pytest.mark.parametrize(
    ("rule_id", "setting", "says"),
    [
        ("visa-cat2-reattempt-cap", Tightening(limit=16), "expected a whole number from 0 to 15"),
        ("visa-cat2-reattempt-cap", Tightening(limit=-1), "expected a whole number from 0 to 15"),
        ("visa-cat2-reattempt-cap", Tightening(window_hours=719), "expected at least 720"),
        ("visa-cat2-reattempt-cap", Tightening(key=()), "nothing is not accepted"),
        ("visa-cat2-reattempt-cap", Tightening(key=(KeyPart.MANDATE,)), "expected some of method"),
        (
            "tabapay-block-rules",
            Tightening(key=(KeyPart.MERCHANT, KeyPart.AMOUNT, KeyPart.PROCESSOR)),
            "key: merchant, amount, processor is not accepted; expected some of method, merchant, amount, processor",
        ),
        ("tabapay-block-rules", Tightening(key=(KeyPart.MERCHANT,)), "with method among them"),
        ("nacha-reinitiation-cap", Tightening(window_hours=9999), "does not roll"),
        ("visa-cat1-never-reattempt", Tightening(limit=1), "the rule is not a cap"),
        ("no-such-rule", Tightening(limit=1), "is not a rule"),
    ],
)
def test_a_setting_that_loosens_is_refused(rule_id: str, setting: Tightening, says: str) -> None:
    with pytest.raises(InputError, match="may only tighten") as caught:
        BOOK.tightened({rule_id: setting})
    assert rule_id in str(caught.value)
    assert says in str(caught.value)


def test_what_a_merchant_sends_altogether_needs_no_method_in_its_key() -> None:
    volume = GOOD.replace('kind = "cap"', 'kind = "volume"').replace('"method"', '"merchant"')
    assert book_of(volume).rules
    same = {"nacha-overall-return-rate": Tightening(key=(KeyPart.MERCHANT,))}
    assert BOOK.tightened(same).rules


def test_a_tightened_rule_cannot_be_loosened_afterwards() -> None:
    book = BOOK.tightened({"visa-cat2-reattempt-cap": Tightening(limit=5)})
    with pytest.raises(InvalidValueError, match="visa-cat2"):
        book.published(["visa-cat2-reattempt-cap"])


def test_a_looser_figure_exists_only_where_sources_disagree() -> None:
    with pytest.raises(InvalidValueError, match="mastercard-tpe-24h-excessive-attempts"):
        BOOK.published(["nacha-reinitiation-cap"])
    chosen = BOOK.published(["mastercard-tpe-24h-excessive-attempts"])
    limits = {rule.limit for rule in chosen.rules if rule.rule_id == "mastercard-tpe-24h-excessive-attempts"}
    assert limits == {10, 20}
    assert chosen.version != BOOK.version


def of_kind(kind: str, fields: str) -> str:
    return GOOD.replace('kind = "cap"', f'kind = "{kind}"').replace("limit = 3", fields)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (of_kind("lead", ""), "span: is missing; expected how long"),
        (
            of_kind("lead", "span = { hours = 1, days = 2 }"),
            "span, hours: 1 is not accepted; expected one of hours, days",
        ),
        (of_kind("lead", "span = {}"), "span, hours: is missing"),
        (of_kind("lead", "span = { days = 2 }"), "span, zone: is missing"),
        (of_kind("lead", 'span = { days = 2, zone = "Mars/North" }'), "span, zone: 'Mars/North' is not accepted"),
        (of_kind("lead", 'span = { banking_days = 2, zone = "UTC" }'), "span, calendar: is missing"),
        (of_kind("lead", "span = { hours = 2 }\npublished = { length = 2 }"), "published"),
        (of_kind("lead", 'span = { hours = 2 }\nwhat = "by {noon}"').replace('what = "retries"\n', ""), "what"),
        (GOOD + "span = { hours = 2 }", "span: {'hours': 2} is not accepted; expected how long, for a lead"),
        (of_kind("hours", ""), "hours: is missing; expected when it is open"),
        (of_kind("hours", 'hours = { zone = "UTC" }'), "hours, open: is missing"),
        (of_kind("hours", 'hours = { zone = "UTC", open = ["10:00-09:00"] }'), "expected spans of one day"),
        (of_kind("hours", 'hours = { zone = "UTC", open = ["10:00-24:01"] }'), "hours, open"),
        (of_kind("threshold", 'lifted_by = "x"'), "above: is missing; expected an amount"),
        (of_kind("threshold", 'above = "1.00 EUR"'), "lifted_by: is missing"),
        (GOOD + 'above = "1.00 EUR"', "above: '1.00 EUR' is not accepted"),
        (of_kind("volume", ""), "share_bps: is missing; expected either a share or a limit"),
        (of_kind("volume", "limit = 1\nshare_bps = 1"), "share_bps: 1 is not accepted; expected either"),
        (GOOD + "share_bps = 1", "share_bps: 1 is not accepted; expected a share for a volume only"),
        (of_kind("wait", ""), "after: is missing"),
        (GOOD + 'window = { kind = "rolling", months = 1, zone = "UTC" }', "window, kind: 'rolling' is not accepted"),
        (GOOD + 'window = { kind = "calendar", days = 2, zone = "UTC" }', "window, days: 2 is not accepted"),
        (GOOD + 'schedule = "none"', "0.toml, mine, schedule: 'none' is not accepted"),
        (
            '[[schedule]]\nid = "p"\nwho = "W"\nwhat = "w"\nconfidence = "low"',
            "0.toml, schedule 1 (p), fees: is missing",
        ),
        ('[[schedule]]\nid = "p"\ncolour = 1', "schedule 1 (p), colour: is not a field of a schedule"),
        ("rule = 1", "expected [[rule]] and [[schedule]] tables and nothing else"),
        ("", "expected [[rule]] and [[schedule]] tables and nothing else"),
        (GOOD + "fees = 1", "fees: 1 is not accepted; expected a list of tables"),
        (
            GOOD + 'note = "4242 4242 4242 4242"\nlimit = "4242424242424242"'.replace("limit", "wait_hours"),
            "wait_hours",
        ),
    ],
)
def test_a_malformed_field_of_any_kind_is_named(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        book_of(text)
    assert says in str(caught.value)
    assert "4242" not in str(caught.value)


PRICES = """
[[schedule]]
id = "prices"
who = "We"
what = "charge"
sources = ["https://example.org"]
confidence = "low"
fees = [{ amount = "0.10 USD" }]
"""


def test_rules_take_their_prices_from_a_schedule_of_any_file() -> None:
    book = book_of(GOOD + 'schedule = "prices"\nfees = [{ amount = "0.20 EUR" }]', PRICES)
    assert [str(fee.amount) for fee in book.rules[0].fees] == ["0.20 EUR", "0.10 USD"]
    assert [schedule.schedule_id for schedule in book.schedules] == ["prices"]
    with pytest.raises(InputError, match="two schedules have the same id"):
        book_of(PRICES, PRICES)


def test_rules_about_a_rail_and_network_are_those_that_can_bind_it() -> None:
    for rail in Rail:
        for network in Network:
            assert BOOK.about(rail, network) == tuple(r for r in BOOK.rules if r.concerns(rail, network))
