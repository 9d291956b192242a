"""What was mended after a decline lifts what it mends, and nothing else; a wait begins when the answer was known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cap_builders import NOW, a_context, a_method, a_payment, an_attempt, hours, judged
from features.attempt import Attempt
from features.errors import InputError
from features.instants import to_micros
from features.method import Method
from features.vocabulary import Initiator, Network, Outcome, Precision, Rail
from model.caps.engine import Proposal, prepare
from model.caps.fixes import Fix, FixKind
from model.caps.rule import Kind
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import tally_of

VISA, MASTERCARD = a_method(), a_method(Network.MASTERCARD, country="US")
ACH = a_method(Network.ACH, "ach", Rail.BANK_DEBIT, country="US", mandate_id="m1")
BACS = a_method(Network.BACS, "bacs", Rail.BANK_DEBIT, country="GB", mandate_id="m2")
SEPA = a_method(Network.SEPA_CORE, "sepa", Rail.BANK_DEBIT, mandate_id="m3")
DETAILS, AUTHORIZATION, SETTLED, AUTHENTICATION = FixKind


def fixed(method: Method, kind: FixKind, ago: float = 1, payment_id: str | None = "pay") -> Fix:
    return Fix(method.method_id, kind, to_micros(NOW - hours(ago)), payment_id)


def forbidding(
    attempts: Sequence[Attempt], method: Method, fixes: Sequence[Fix] = (), at: datetime = NOW, payment_id: str = "pay"
) -> set[str]:
    owed = a_payment(payment_id, merchant_country="US" if method.issuer.country == "US" else "DE")
    context = a_context(attempts, method, payment=owed, as_of=at)
    said = prepare(Rulebook.load(), tally_of(context), Proposal(owed, method, "north"), fixes=fixes).at(at)
    return {verdict.rule_id for verdict in said if not verdict.allowed}


@pytest.mark.parametrize(
    ("method", "code", "rule", "lifting"),
    [
        (MASTERCARD, "54", "recoup-after-fix", {DETAILS}),
        (MASTERCARD, "43", "recoup-never-again", set()),
        (VISA, "43", "visa-cat1-never-reattempt", set()),
        (VISA, "R1", "visa-cat1-never-reattempt", set()),
        (VISA, "R1", "visa-stop-payment-service", {AUTHORIZATION}),
        (VISA, "1A", "recoup-with-authentication", {AUTHENTICATION}),
        (ACH, "R03", "nacha-remedied-return", {DETAILS}),
        (ACH, "R08", "nacha-r08-stop-payment", {AUTHORIZATION}),
        (ACH, "R21", "nacha-other-returns", {DETAILS, AUTHORIZATION}),
        (ACH, "R07", "nacha-must-not-reinitiate", set()),
        (BACS, "1", "bacs-stop-codes", {AUTHORIZATION, SETTLED}),
        (BACS, "ADDACS-0", "bacs-stop-codes", {AUTHORIZATION, SETTLED}),
        (BACS, "ADDACS 3", "bacs-changed-details", {DETAILS, AUTHORIZATION}),
        (BACS, "ADDACS-C", "bacs-changed-details", {DETAILS, AUTHORIZATION}),
        (BACS, "ADDACS-E", "bacs-changed-details", {DETAILS, AUTHORIZATION}),
        (BACS, "AUDDIS-H", "bacs-other-returns", {AUTHORIZATION, SETTLED}),
        (SEPA, "AC01", "sepa-core-no-retry-codes", {DETAILS}),
        (SEPA, "MD07", "sepa-core-no-retry-codes", set()),
    ],
)
def test_each_rule_is_lifted_by_what_it_names_and_by_nothing_else(
    method: Method, code: str, rule: str, lifting: set[FixKind]
) -> None:
    declined = [an_attempt(48, code, method=method)]
    assert rule in forbidding(declined, method)
    for kind in FixKind:
        assert (rule not in forbidding(declined, method, [fixed(method, kind)])) is (kind in lifting), kind


def test_only_what_was_mended_after_the_answer_was_known_counts() -> None:
    late = replace(an_attempt(48, "R03", method=ACH), outcome_at=NOW - hours(10))
    for ago, lifted in ((47, False), (10, False), (9.9, True)):
        rules = forbidding([late], ACH, [fixed(ACH, DETAILS, ago)])
        assert ("nacha-remedied-return" not in rules) is lifted, ago


def test_a_decline_after_the_fix_forbids_again() -> None:
    twice = [an_attempt(48, "54", method=MASTERCARD), an_attempt(2, "54", method=MASTERCARD)]
    assert "recoup-after-fix" in forbidding(twice, MASTERCARD, [fixed(MASTERCARD, DETAILS, 24)])
    assert "recoup-after-fix" not in forbidding(twice, MASTERCARD, [fixed(MASTERCARD, DETAILS, 1)])


def test_what_was_mended_about_another_method_or_for_another_payment_lifts_nothing() -> None:
    declined = [an_attempt(48, "R08", method=ACH)]
    assert forbidding(declined, ACH, [Fix("other", AUTHORIZATION, to_micros(NOW - hours(1)), "pay")])
    for payment_id, lifted in (("pay", True), ("other", False), (None, False)):
        rules = forbidding(declined, ACH, [fixed(ACH, AUTHORIZATION, payment_id=payment_id)])
        assert ("nacha-r08-stop-payment" not in rules) is lifted
    details = [fixed(MASTERCARD, DETAILS, payment_id=None)]
    assert "recoup-after-fix" not in forbidding([an_attempt(48, "54", method=MASTERCARD)], MASTERCARD, details)


def test_before_the_fix_the_rule_holds_and_after_it_says_since_when_it_is_over() -> None:
    declined = [an_attempt(48, "R03", method=ACH)]
    context = a_context(declined, ACH)
    proposal = Proposal(a_payment(), ACH, "north")
    answers = prepare(Rulebook.load(), tally_of(context), proposal, fixes=[fixed(ACH, DETAILS, 0)])
    rule = "nacha-remedied-return"
    (before,) = (v for v in answers.at(NOW - hours(1)) if v.rule_id == rule)
    (after,) = (v for v in answers.at(NOW) if v.rule_id == rule)
    assert (before.allowed, before.frees_at, after.allowed) == (False, NOW, True)
    assert after.sentence.endswith("that is over since 23 Nov 2026 10:15 UTC.")


@pytest.mark.parametrize(
    ("outcome", "initiator", "lifted"),
    [
        (Outcome.APPROVED, Initiator.CUSTOMER, True),
        (Outcome.APPROVED, Initiator.MERCHANT, False),
        (Outcome.UNKNOWN, Initiator.CUSTOMER, False),
        (Outcome.DECLINED, Initiator.CUSTOMER, False),
    ],
)
def test_an_approved_attempt_that_the_customer_started_with_the_card_proves_that_the_payer_took_part(
    outcome: Outcome, initiator: Initiator, lifted: bool
) -> None:
    asked = an_attempt(48, "1A")
    other = an_attempt(5, "51", payment_id="other", outcome=outcome, initiator=initiator)
    earlier = an_attempt(60, payment_id="other", outcome=Outcome.APPROVED, initiator=Initiator.CUSTOMER)
    assert "recoup-with-authentication" in forbidding([earlier, asked], VISA)
    assert ("recoup-with-authentication" not in forbidding([earlier, asked, other], VISA)) is lifted


def test_an_approval_that_may_have_come_before_the_decline_does_not_prove_that_the_payer_took_part_after_it() -> None:
    asked = replace(an_attempt(48, "1A"), at=NOW.replace(hour=14) - hours(48))
    approved = an_attempt(48, payment_id="other", outcome=Outcome.APPROVED, initiator=Initiator.CUSTOMER)
    noon = NOW.replace(hour=12, minute=0) - hours(48)
    that_day = replace(approved, at=noon, precision=Precision.DAY)
    made_before = replace(approved, outcome_at=NOW - hours(40))
    next_day = replace(that_day, at=noon + hours(24))
    for one, lifted in ((that_day, False), (made_before, False), (next_day, True)):
        assert ("recoup-with-authentication" not in forbidding([asked, one], VISA)) is lifted, one


def test_nothing_lifts_an_outcome_that_is_pending() -> None:
    pending = [an_attempt(5, outcome=Outcome.UNKNOWN)]
    every = [fixed(VISA, kind) for kind in FixKind]
    assert "recoup-outcome-pending" in forbidding(pending, VISA, every)


def test_every_condition_after_a_decline_can_be_lifted_and_no_other_kind_of_rule() -> None:
    rules = Rulebook.load().rules
    for rule in rules:
        if rule.kind is Kind.CONDITION and not rule.after.pending:
            assert rule.lifts, rule.rule_id
    assert {rule.kind for rule in rules if rule.lifts} == {Kind.CONDITION, Kind.PROHIBITION}


RULE = """
[[rule]]
id = "mine"
kind = "{kind}"
who = "Mine"
what = "lets nobody try again after {{code}}"
key = ["method"]
{more}
sources = ["https://example.org"]
confidence = "high"
"""


@pytest.mark.parametrize(
    ("kind", "more", "fault"),
    [
        ("wait", 'lifts = ["details"]\nafter = { codes = ["51"] }', "lifts: ['details'] is not accepted"),
        (
            "prohibition",
            'lifts = ["luck"]\nafter = { codes = ["51"] }',
            "lifts: ['luck'] is not accepted; expected one",
        ),
        ("prohibition", 'lifts_codes = ["51"]\nafter = { codes = ["51"] }', "lifts_codes: ['51'] is not accepted"),
        (
            "prohibition",
            'lifts = ["details"]\nlifts_codes = ["54"]\nafter = { codes = ["51"] }',
            "lifts_codes: ['54'] is not accepted; expected some of 51",
        ),
        ("volume", 'limit = 5\nafter = { hides = ["57"] }', "after: "),
    ],
)
def test_a_rule_that_says_wrongly_what_lifts_it_is_refused(kind: str, more: str, fault: str) -> None:
    with pytest.raises(InputError) as refused:
        Rulebook.from_texts({"mine.toml": RULE.format(kind=kind, more=more)})
    assert fault in str(refused.value)


def test_a_wait_begins_when_the_answer_was_known() -> None:
    rule = "mastercard-mac-wait-times"
    at_once = an_attempt(97, method=MASTERCARD, advice="27")
    late = replace(at_once, outcome_at=NOW - hours(95))
    assert judged([at_once], MASTERCARD)[rule].allowed
    verdict = judged([late], MASTERCARD)[rule]
    assert (verdict.allowed, verdict.frees_at) == (False, NOW + hours(1))


def test_a_prohibition_for_a_time_and_days_of_the_bank_begin_when_the_answer_was_known() -> None:
    advice = "mastercard-mac-03-21-no-retry"
    long_ago = an_attempt(721, method=MASTERCARD, advice="03")
    assert judged([long_ago], MASTERCARD)[advice].allowed
    assert not judged([replace(long_ago, outcome_at=NOW - hours(700))], MASTERCARD)[advice].allowed
    nl = a_method(Network.SEPA_CORE, "nl", Rail.BANK_DEBIT, country="NL", mandate_id="m9")
    advice, book = (
        "sepa-nl-bank-own-retry",
        Rulebook.load().tightened({"sepa-nl-bank-own-retry": Tightening(binding=True)}),
    )
    presented = an_attempt(24 * 14, "AM04", method=nl)
    owed = a_payment(merchant_country="NL")
    assert judged([presented], nl, payment=owed, rulebook=book)[advice].allowed
    returned = replace(presented, outcome_at=NOW - hours(24 * 5))
    assert not judged([returned], nl, payment=owed, rulebook=book)[advice].allowed


def test_of_old_hard_declines_of_mastercard_new_details_lift_those_that_details_caused() -> None:
    then = datetime(2021, 6, 1, 12, tzinfo=UTC)
    rule, fix = "mastercard-us-2014-hard-decline-rule", Fix("pm", DETAILS, to_micros(then - hours(1)))
    for code, lifted in (("54", True), ("14", True), ("43", False), ("04", False)):
        declined = [an_attempt(48, code, method=MASTERCARD, before=then)]
        assert rule in forbidding(declined, MASTERCARD, at=then)
        assert (rule not in forbidding(declined, MASTERCARD, [fix], at=then)) is lifted, code


def test_attempts_in_a_window_count_from_when_they_were_made() -> None:
    made = [replace(an_attempt(25 - i / 10, method=MASTERCARD), outcome_at=NOW - hours(1)) for i in range(7)]
    assert judged(made, MASTERCARD)["mastercard-tpe-24h-excessive-attempts"].used == 0
