"""Rules that do not count: hours, leads, finality, lapses, thresholds, volumes and notes, at their very edges."""

from datetime import UTC, datetime, timedelta

import pytest

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt, judged
from features.instants import to_micros
from features.method import Method
from features.money import Money
from features.vocabulary import Initiator, Network, Outcome, Rail
from model.caps.engine import Proposal, Volumes, prepare
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import tally_of
from model.caps.verdict import Verdict
from model.caps.volumes import Volume

TICK = timedelta(microseconds=1)
DEBIT, TRANSFER = Rail.BANK_DEBIT, Rail.ACCOUNT_TO_ACCOUNT
UPI = a_method(Network.UPI_AUTOPAY, rail=TRANSFER, country="IN")
PIX = a_method(Network.PIX_AUTOMATICO, rail=TRANSFER, country="BR")
SEPA = a_method(Network.SEPA_CORE, rail=DEBIT, mandate_id="man")
PAD = a_method(Network.PAD, rail=DEBIT, country="CA")
ACH = a_method(Network.ACH, rail=DEBIT, country="US", mandate_id="man")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("wall", "opens"),
    [
        ("2026-11-23T09:59:59+05:30", None),
        ("2026-11-23T10:00:00+05:30", "2026-11-23T13:00:00+05:30"),
        ("2026-11-23T12:59:59+05:30", "2026-11-23T13:00:00+05:30"),
        ("2026-11-23T13:00:00+05:30", None),
        ("2026-11-23T17:00:00+05:30", "2026-11-23T21:30:00+05:30"),
        ("2026-11-23T21:30:00+05:30", None),
        ("2026-11-24T00:00:00+05:30", None),
    ],
)
def test_upi_executes_off_peak_in_india(wall: str, opens: str | None) -> None:
    verdict = judged([], UPI, at=at(wall))["india-upi-autopay-windows"]
    assert verdict.allowed is (opens is None)
    assert verdict.frees_at == (at(opens) if opens else None)


def test_upi_had_no_peak_hours_on_31_july_2025_and_has_them_on_1_august() -> None:
    noon = "T11:00:00+05:30"
    assert "india-upi-autopay-windows" not in judged([], UPI, at=at("2025-07-31" + noon))
    assert not judged([], UPI, at=at("2025-08-01" + noon))["india-upi-autopay-windows"].allowed


@pytest.mark.parametrize(("hour", "allowed"), [(7, True), (8, False), (17, False), (18, True), (20, True), (21, False)])
def test_pix_executes_mornings_and_evenings_in_sao_paulo(hour: int, allowed: bool) -> None:
    wall = at(f"2026-11-23T{hour:02d}:00:00-03:00")
    assert judged([], PIX, at=wall)["pix-automatico-same-day-windows"].allowed is allowed


def test_many_days_of_hours_are_told_apart_though_answers_are_remembered() -> None:
    prepared = prepare(Rulebook.load(), tally_of(a_context([], UPI)), Proposal(a_payment(), UPI, "north"))
    for day in range(40):
        midday = at("2026-11-23T11:00:00+05:30") + timedelta(days=day)
        shut = {v.rule_id: v for v in prepared.at(midday)}["india-upi-autopay-windows"]
        assert shut.frees_at == midday + timedelta(hours=2)
        assert prepared.allows(midday + timedelta(hours=2))


@pytest.mark.parametrize(
    ("method", "rule", "decided", "earliest"),
    [
        (PIX, "pix-automatico-instruction-lead-time", "2026-11-23T23:59:59-03:00", "2026-11-25T00:00:00-03:00"),
        (UPI, "india-pre-debit-notification", "2026-11-23T10:15:00+05:30", "2026-11-24T10:15:00+05:30"),
        (SEPA, "sepa-core-prenotification", "2026-11-23T10:15:00+01:00", "2026-12-07T00:00:00+01:00"),
        # Over a change of the clock: fourteen days on the calendar, not 336 hours.
        (SEPA, "sepa-core-prenotification", "2026-10-20T10:15:00+02:00", "2026-11-03T00:00:00+01:00"),
        (SEPA, "sepa-core-submission", "2026-11-19T10:15:00+01:00", "2026-11-23T00:00:00+01:00"),
        # Decided on Christmas Eve: 25 and 26 December and the weekend are no TARGET days.
        (SEPA, "sepa-core-submission", "2026-12-24T10:15:00+01:00", "2026-12-29T00:00:00+01:00"),
        (PAD, "canada-pad-notice", "2026-02-20T12:00:00-05:00", "2026-03-02T00:00:00-05:00"),
    ],
)
def test_an_attempt_leaves_the_notice_and_the_submission_their_time(
    method: Method, rule: str, decided: str, earliest: str
) -> None:
    now, first = at(decided), at(earliest)
    before = judged([], method, at=first - TICK, decided_at=now)[rule]
    assert (before.allowed, before.frees_at) == (False, first)
    assert judged([], method, at=first, decided_at=now)[rule].allowed


def test_when_it_was_decided_is_not_known_no_lead_is_claimed() -> None:
    assert "sepa-core-submission" not in judged([], SEPA)


def test_the_shorter_lead_holds_once_it_was_agreed() -> None:
    book = Rulebook.load().published(["sepa-core-prenotification", "sepa-core-submission"])
    found = judged([], SEPA, at=NOW + timedelta(days=1), decided_at=NOW, rulebook=book)
    assert "sepa-core-prenotification" not in found
    assert found["sepa-core-submission"].allowed


def test_a_recommended_notice_warns_and_a_merchant_can_make_it_bind() -> None:
    bacs = a_method(Network.BACS, rail=DEBIT, country="GB", mandate_id="man")
    verdict = judged([], bacs, at=NOW, decided_at=NOW)["bacs-represent-notice"]
    assert verdict.allowed
    assert verdict.sentence.endswith("This is advice, not a limit.")
    assert (verdict.used, verdict.limit, verdict.frees_at) == (None, None, None)
    book = Rulebook.load().tightened({"bacs-represent-notice": Tightening(binding=True)})
    strict = judged([], bacs, at=NOW, decided_at=NOW, rulebook=book)["bacs-represent-notice"]
    assert (strict.allowed, strict.frees_at) == (False, at("2026-11-30T00:00:00+00:00"))


def test_a_collection_that_may_come_back_is_not_made_again_for_five_target_days() -> None:
    pending = [an_attempt(1, method=SEPA, outcome=Outcome.UNKNOWN)]
    verdict = judged(pending, SEPA)["sepa-core-return-window"]
    assert (verdict.allowed, verdict.frees_at) == (False, at("2026-11-30T00:00:00+01:00"))
    assert judged(pending, SEPA, at=at("2026-11-30T00:00:00+01:00"))["sepa-core-return-window"].allowed
    assert "sepa-core-return-window" not in judged([an_attempt(1, "AM04", method=SEPA)], SEPA)


def test_a_business_collection_is_final_sooner_and_a_mexican_charge_after_sixty_days() -> None:
    firm = a_method(Network.SEPA_B2B, rail=DEBIT, mandate_id="man")
    mexico = a_method(Network.DOMICILIACION, rail=DEBIT, country="MX")
    ends = {}
    for method, rule in ((firm, "sepa-b2b-finality"), (mexico, "mexico-domiciliacion")):
        paid = [an_attempt(1, method=method, outcome=Outcome.APPROVED)]
        ends[rule] = judged(paid, method)[rule].frees_at
    assert ends["sepa-b2b-finality"] == at("2026-11-26T00:00:00+01:00")
    assert ends["mexico-domiciliacion"] == at("2027-01-22T00:00:00-06:00")


def test_a_sepa_mandate_lapses_36_months_after_its_last_collection() -> None:
    last = at("2023-11-23T10:00:00+01:00")
    used = [an_attempt(0, method=SEPA, outcome=Outcome.APPROVED, payment_id="old", before=last)]
    lapses = at("2026-11-23T00:00:00+01:00")
    assert judged(used, SEPA, at=lapses - TICK)["sepa-mandate-dormancy"].allowed
    verdict = judged(used, SEPA, at=lapses)["sepa-mandate-dormancy"]
    assert (verdict.allowed, verdict.frees_at) == (False, None)
    assert "a new one is needed" in verdict.sentence
    assert "sepa-mandate-dormancy" not in judged([], SEPA)


def test_a_mandate_last_used_on_a_leap_day_lapses_on_the_last_of_february() -> None:
    used = [an_attempt(0, method=SEPA, payment_id="old", before=at("2024-02-29T12:00:00+01:00"))]
    assert judged(used, SEPA, at=at("2027-02-27T23:59:59+01:00"))["sepa-mandate-dormancy"].allowed
    assert not judged(used, SEPA, at=at("2027-02-28T00:00:00+01:00"))["sepa-mandate-dormancy"].allowed


RUPAY = a_method(Network.RUPAY, country="IN")


@pytest.mark.parametrize(
    ("minor", "currency", "allowed"), [(1_500_000, "INR", True), (1_500_001, "INR", False), (1_500_001, "USD", None)]
)
def test_an_indian_debit_above_the_threshold_needs_the_payer(minor: int, currency: str, allowed: bool | None) -> None:
    found = judged([], RUPAY, payment=a_payment(amount=Money(minor, currency)))
    verdict = found.get("india-afa-threshold")
    assert (verdict.allowed if verdict else None) is allowed


def test_the_payer_may_start_what_the_merchant_may_not() -> None:
    large = a_payment(amount=Money(2_000_000, "INR"))
    assert not judged([], RUPAY, payment=large)["india-afa-threshold"].allowed
    assert "india-afa-threshold" not in judged([], RUPAY, payment=large, initiator=Initiator.CUSTOMER)


def test_the_rules_of_india_bind_indian_cards_wherever_the_merchant_is() -> None:
    rule = "india-pre-debit-notification-cards"
    visa, nowhere = a_method(country="IN"), a_method(country=None)
    abroad = a_payment(merchant_country="US")
    assert rule in judged([], visa, payment=abroad, decided_at=NOW)
    assert rule not in judged([], a_method(country="US"), payment=a_payment(merchant_country="IN"), decided_at=NOW)
    assert rule in judged([], nowhere, payment=a_payment(merchant_country="IN"), decided_at=NOW)
    assert rule not in judged([], nowhere, payment=a_payment(merchant_country=None), decided_at=NOW)


def volume(
    rule: str, counted: int, of: int, resets: datetime | None = None, rulebook: Rulebook | None = None
) -> Verdict:
    method = a_method() if rule.startswith("visa") else ACH
    volumes = Volumes({rule: Volume(counted, of, to_micros(resets) if resets else None)})
    return judged([], method, volumes=volumes, rulebook=rulebook)[rule]


def test_visa_charges_wrong_data_from_the_stricter_threshold_on_unless_the_looser_is_confirmed() -> None:
    rule = "visa-cat3-data-quality-volume"
    below, reached = volume(rule, 9_999, 50_000), volume(rule, 10_000, 50_000)
    assert "advice" not in below.sentence
    assert reached.allowed, "it is a price on such declines, not a ban on every attempt"
    assert "10,001th" in reached.sentence
    assert "This is advice, not a limit." in reached.sentence
    assert reached.fee is not None
    confirmed = Rulebook.load().published([rule])
    assert "advice" not in volume(rule, 24_999, 50_000, rulebook=confirmed).sentence
    assert "advice" in volume(rule, 25_000, 50_000, rulebook=confirmed).sentence


def test_a_merchant_may_have_the_price_of_wrong_data_forbid() -> None:
    rule = "visa-cat3-data-quality-volume"
    binding = Rulebook.load().tightened({rule: Tightening(limit=500, binding=True)})
    assert volume(rule, 499, 50_000, rulebook=binding).allowed
    assert not volume(rule, 500, 50_000, rulebook=binding).allowed


@pytest.mark.parametrize(
    ("rule", "just_under", "reached"),
    [
        ("nacha-unauthorized-return-rate", 49, 50),
        ("nacha-administrative-return-rate", 299, 300),
        ("nacha-overall-return-rate", 1499, 1500),
    ],
)
def test_return_rates_warn_when_reached_and_bind_where_the_merchant_wants(
    rule: str, just_under: int, reached: int
) -> None:
    assert "advice" not in volume(rule, just_under, 10_000).sentence
    warned = volume(rule, reached, 10_000)
    assert warned.allowed
    assert "advice" in warned.sentence
    strict = Rulebook.load().tightened({rule: Tightening(binding=True)})
    resets = at("2026-12-01T00:00:00-05:00")
    bound = volume(rule, reached, 10_000, resets, rulebook=strict)
    assert (bound.allowed, bound.frees_at) == (False, resets)
    assert volume(rule, just_under, 10_000, resets, rulebook=strict).allowed


def test_without_volumes_no_threshold_is_claimed() -> None:
    assert not [rule for rule in judged([], ACH) if "rate" in rule]


def noted(code: str, day: str, asked: str = "2026-11-23", rule: str = "visa-code57-transition") -> bool:
    made = an_attempt(0, code, before=at(f"{day}T12:00:00+00:00"))
    found = judged([made], at=at(f"{asked}T13:00:00+00:00"))
    return rule in found and found[rule].allowed


def test_a_05_may_hide_a_57_from_october_2025_to_24_october_2026_and_not_the_day_after() -> None:
    assert not noted("05", "2025-09-30")
    assert noted("05", "2025-10-01")
    assert noted("05", "2026-10-24")
    assert not noted("05", "2026-10-25")
    assert not noted("51", "2026-10-24")


def test_a_05_may_hide_a_12_or_15_since_12_april_2025_and_not_the_day_before() -> None:
    rule = "visa-code12-15-converted-to-05"
    assert not noted("05", "2025-04-11", rule=rule)
    assert noted("05", "2025-04-12", rule=rule)


def test_the_note_speaks_of_the_change_on_25_october_2026() -> None:
    made = an_attempt(0, "05", before=at("2026-10-20T12:00:00+00:00"))
    said = [
        judged([made], at=at(f"2026-10-{day}T00:00:00+00:00"))["visa-code57-transition"].sentence for day in (24, 25)
    ]
    assert "until 24 October 2026" in said[0]
    assert "again since 25 October 2026" in said[1]


@pytest.mark.parametrize("code", ["46", "78"])
def test_a_deactivated_token_is_noted_from_25_april_2026_on(code: str) -> None:
    assert not noted(code, "2026-04-24", asked="2026-04-24", rule="visa-token-deactivated")
    assert noted(code, "2026-04-25", asked="2026-04-25", rule="visa-token-deactivated")


def test_what_mada_cannot_do_is_said_with_every_attempt() -> None:
    verdict = judged([], a_method(Network.MADA, country="SA"))["mada-recurring-constraints"]
    assert verdict.allowed
    assert "cannot void" in verdict.sentence
