"""A place in every counter is held, spent, released or expired, once, and on both databases alike."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cap_builders import NOW, a_method, an_attempt, hours
from features.errors import CardNumberError, InvalidValueError
from features.vocabulary import Network, Outcome
from ledger_builders import MERCHANT, MINUTE, a_proposal, approved, declines, told
from model.caps.rule import FixKind
from serving.ledger.events import EventKind, Mended, Source, method_fixed
from serving.ledger.events import told as word
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import ReasonCode, Refused, Reservation, State

VISA_CAP = "visa-cat2-reattempt-cap"


def held(ledger: Ledger, payment_id: str = "pay", reservation_id: str | None = None) -> Reservation:
    made = ledger.reserve(a_proposal(payment_id), NOW, NOW, reservation_id=reservation_id)
    assert isinstance(made, Reservation)
    return made


def codes(refused: object) -> list[ReasonCode]:
    assert isinstance(refused, Refused)
    return [reason.code for reason in refused.reasons]


def test_what_is_held_counts_until_the_cap_is_reached_and_not_beyond(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    answers = [ledger.reserve(a_proposal(f"p{i}"), NOW, NOW) for i in range(18)]
    assert [isinstance(answer, Reservation) for answer in answers] == [True] * 15 + [False] * 3
    last = answers[-1]
    assert isinstance(last, Refused)
    assert [r.rule_id for r in last.reasons] == [VISA_CAP]
    assert "15 used, the next is free on 23 Dec 2026" in last.reasons[0].sentence


def test_a_hold_in_the_future_counts_for_an_attempt_before_it(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    later = [ledger.reserve(a_proposal(f"p{i}"), NOW + hours(10), NOW) for i in range(15)]
    assert all(isinstance(answer, Reservation) for answer in later)
    assert codes(ledger.reserve(a_proposal("before"), NOW + hours(5), NOW)) == [ReasonCode.OVER_CAP]


def test_a_second_hold_on_a_payment_is_refused(ledger: Ledger) -> None:
    held(ledger)
    assert ReasonCode.ALREADY_HELD in codes(ledger.reserve(a_proposal(), NOW, NOW))


def test_asked_again_under_the_same_id_the_same_reservation_comes_back(ledger: Ledger) -> None:
    assert held(ledger, reservation_id="r1") == held(ledger, reservation_id="r1")
    assert ledger.verdicts(a_proposal("other"), NOW) == ledger.verdicts(a_proposal("other"), NOW)


def test_an_id_stands_for_one_proposal_only(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    for other in (a_proposal("other"), a_proposal("pay", a_method(method_id="second"))):
        with pytest.raises(InvalidValueError, match="another proposal"):
            ledger.reserve(other, NOW, NOW, reservation_id="r1")


def test_what_is_released_frees_its_place(ledger: Ledger) -> None:
    ledger.record([told(a) for a in declines(15)], NOW)
    held(ledger, reservation_id="r1")
    assert codes(ledger.reserve(a_proposal("next"), NOW, NOW)) == [ReasonCode.OVER_CAP]
    released = ledger.release(MERCHANT, "r1", NOW, "the customer called")
    assert (released.state, released.closed_at, released.reason) == (State.RELEASED, NOW, "the customer called")
    assert ledger.release(MERCHANT, "r1", NOW + MINUTE) == released
    held(ledger, "next")


def test_a_hold_whose_time_is_over_is_in_nobodys_way(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    late = NOW + timedelta(hours=1)
    assert codes(ledger.reserve(a_proposal(), late - MINUTE, late - MINUTE))[0] is ReasonCode.ALREADY_HELD
    assert isinstance(ledger.reserve(a_proposal(), late, late), Reservation)
    assert ledger.reservation(MERCHANT, "r1").state is State.EXPIRED


def test_expiry_ends_what_is_over_and_nothing_else(ledger: Ledger) -> None:
    held(ledger, "a", "r1")
    made = ledger.reserve(a_proposal("b"), NOW + hours(5), NOW, reservation_id="r2")
    assert isinstance(made, Reservation)
    assert ledger.expire(NOW + hours(1) - MINUTE) == 0
    assert ledger.expire(NOW + hours(1)) == 1
    assert ledger.expire(NOW + hours(1)) == 0
    assert [ledger.reservation(MERCHANT, r).state for r in ("r1", "r2")] == [State.EXPIRED, State.HELD]


def test_what_is_settled_counts_once_as_an_attempt(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    held(ledger, reservation_id="r1")
    settled = ledger.settle(MERCHANT, "r1", an_attempt(0), NOW)
    assert (settled.late, settled.reservation.state) == (False, State.SPENT)
    again = ledger.settle(MERCHANT, "r1", an_attempt(0), NOW)
    assert again.sentence == f"The reservation is already spent by attempt {an_attempt(0).attempt_id}."
    assert [event.outcome for event in ledger.tally(a_proposal(), NOW).events] == [Outcome.DECLINED] * 2


def test_a_pending_attempt_gets_its_outcome_under_the_same_reservation(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    pending = an_attempt(0, outcome=Outcome.UNKNOWN)
    ledger.settle(MERCHANT, "r1", pending, NOW)
    assert "recoup-outcome-pending" in {v.rule_id for v in ledger.verdicts(a_proposal(), NOW) if not v.allowed}
    ledger.settle(MERCHANT, "r1", approved(pending), NOW + hours(1))
    ledger.settle(MERCHANT, "r1", pending, NOW + hours(2))
    assert [event.outcome for event in ledger.tally(a_proposal(), NOW).events] == [Outcome.APPROVED]


@pytest.mark.parametrize("end", ["expired", "released"])
def test_an_attempt_made_after_the_hold_ended_counts_and_says_so(ledger: Ledger, end: str) -> None:
    held(ledger, reservation_id="r1")
    if end == "expired":
        ledger.expire(NOW + hours(2))
    else:
        ledger.release(MERCHANT, "r1", NOW)
    settled = ledger.settle(MERCHANT, "r1", an_attempt(0), NOW + hours(3))
    assert settled.late
    assert end in settled.sentence
    assert settled.reservation.state == end
    assert len(ledger.tally(a_proposal(), NOW).events) == 1


def test_before_it_fires_a_hold_whose_time_is_over_counts_no_more(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(5))], NOW)
    ledger.reserve(a_proposal("over"), NOW, NOW, expires_at=NOW + MINUTE)
    ledger.reserve(a_proposal(), NOW + hours(1), NOW, reservation_id="r1")

    def used(at: datetime) -> int:
        return max(said.used or 0 for said in ledger.check(MERCHANT, "r1", at).verdicts)

    assert used(NOW + 2 * MINUTE) == used(NOW) - 1


def test_an_attempt_settles_one_reservation_only_and_none_of_another_payment(ledger: Ledger) -> None:
    ledger.record([told(replace(an_attempt(5, payment_id="other"), attempt_id="theirs"))], NOW)
    ledger.record([word(MERCHANT, Source.REPORTED, "w", EventKind.WITHDRAWN, "taken back", NOW)], NOW)
    held(ledger, reservation_id="r1")
    for name, why in (("theirs", "on payment other"), ("taken back", "was withdrawn")):
        with pytest.raises(InvalidValueError, match=f"an id of its own: .*{why}"):
            ledger.settle(MERCHANT, "r1", replace(an_attempt(0), attempt_id=name), NOW)
    assert ledger.reservation(MERCHANT, "r1").state is State.HELD
    ledger.settle(MERCHANT, "r1", replace(an_attempt(0), attempt_id="mine"), NOW)
    ledger.settle(MERCHANT, "r1", replace(an_attempt(0), attempt_id="mine"), NOW + MINUTE)
    ledger.reserve(a_proposal(), NOW + MINUTE, NOW + MINUTE, reservation_id="r2")
    with pytest.raises(InvalidValueError, match="an id of its own"):
        ledger.settle(MERCHANT, "r2", replace(an_attempt(0), attempt_id="mine"), NOW + MINUTE)
    counted = {event.attempt_id for event in ledger.tally(a_proposal(), NOW + MINUTE).events}
    assert counted == {"theirs", "mine", "r2"}


def test_an_attempt_that_a_webhook_told_first_settles_its_reservation(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    made = replace(an_attempt(0), attempt_id="mine")
    ledger.record([told(made)], NOW)
    assert not ledger.settle(MERCHANT, "r1", made, NOW).late


@pytest.mark.parametrize("first", [Outcome.APPROVED, Outcome.DECLINED])
def test_who_says_that_money_was_taken_is_believed_where_both_say_when(ledger: Ledger, first: Outcome) -> None:
    ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
    declined = replace(an_attempt(0), attempt_id="one")
    for attempt in (declined, approved(declined))[:: 1 if first is Outcome.DECLINED else -1]:
        ledger.settle(MERCHANT, "r1", attempt, NOW)
    refused = ledger.reserve(a_proposal(), NOW + MINUTE, NOW + MINUTE)
    assert isinstance(refused, Refused)
    assert {reason.code for reason in refused.reasons} == {ReasonCode.PAID}


def test_a_reservation_is_spent_by_one_attempt_only(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    ledger.settle(MERCHANT, "r1", an_attempt(0), NOW)
    with pytest.raises(InvalidValueError, match="the attempt that spent it"):
        ledger.settle(MERCHANT, "r1", an_attempt(1), NOW)
    assert len(ledger.tally(a_proposal(), NOW).events) == 1


@pytest.mark.parametrize(
    ("attempt", "field"),
    [
        (an_attempt(0, payment_id="other"), "payment_id"),
        (an_attempt(0, method=a_method(method_id="second")), "method_id"),
    ],
)
def test_an_attempt_on_something_else_settles_nothing(ledger: Ledger, attempt: object, field: str) -> None:
    held(ledger, reservation_id="r1")
    with pytest.raises(InvalidValueError, match=field):
        ledger.settle(MERCHANT, "r1", attempt, NOW)  # type: ignore[arg-type]  # parametrised
    assert ledger.reservation(MERCHANT, "r1").state is State.HELD


def test_a_reservation_of_another_merchant_is_not_found(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    for call in (ledger.reservation, lambda m, r: ledger.release(m, r, NOW), lambda m, r: ledger.check(m, r, NOW)):
        with pytest.raises(InvalidValueError, match="of this merchant"):
            call("other", "r1")


def test_an_untouched_reservation_may_be_fired(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    check = ledger.check(MERCHANT, "r1", NOW)
    assert check.go
    assert check.reasons == ()
    assert check.verdicts != ()


@pytest.mark.parametrize(
    ("kind", "subject", "code"),
    [
        (EventKind.PAID, "pay", ReasonCode.PAID),
        (EventKind.CANCELLED, "pay", ReasonCode.CANCELLED),
        (EventKind.CONSENT_WITHDRAWN, "pm", ReasonCode.CONSENT_WITHDRAWN),
    ],
)
def test_what_happened_meanwhile_stops_it_until_it_is_taken_back(
    ledger: Ledger, kind: EventKind, subject: str, code: ReasonCode
) -> None:
    held(ledger, reservation_id="r1")
    ledger.record([word(MERCHANT, Source.WEBHOOK, "e1", kind, subject, NOW)], NOW)
    assert [reason.code for reason in ledger.check(MERCHANT, "r1", NOW + MINUTE).reasons] == [code]
    back = EventKind.CONSENT_GIVEN if kind is EventKind.CONSENT_WITHDRAWN else EventKind.REOPENED
    ledger.record([word(MERCHANT, Source.WEBHOOK, "e2", back, subject, NOW + MINUTE)], NOW)
    assert ledger.check(MERCHANT, "r1", NOW + 2 * MINUTE).go


def test_nothing_is_held_for_what_is_paid_or_not_consented(ledger: Ledger) -> None:
    ledger.record([word(MERCHANT, Source.REPORTED, "e1", EventKind.PAID, "pay", NOW)], NOW)
    ledger.record([word(MERCHANT, Source.REPORTED, "e2", EventKind.CONSENT_WITHDRAWN, "pm", NOW)], NOW)
    assert codes(ledger.reserve(a_proposal(), NOW, NOW)) == [ReasonCode.PAID, ReasonCode.CONSENT_WITHDRAWN]
    assert codes(ledger.reserve(a_proposal("other"), NOW, NOW)) == [ReasonCode.CONSENT_WITHDRAWN]


def test_an_approval_by_whatever_way_stops_it(ledger: Ledger) -> None:
    held(ledger, reservation_id="r1")
    elsewhere = a_method(Network.MASTERCARD, "second")
    ledger.record([told(approved(an_attempt(0, method=elsewhere)), elsewhere)], NOW)
    (reason,) = ledger.check(MERCHANT, "r1", NOW).reasons
    assert reason.code is ReasonCode.PAID
    assert an_attempt(0, method=elsewhere).attempt_id in reason.sentence


def test_attempts_by_others_since_stop_it_when_they_use_the_cap_up(ledger: Ledger) -> None:
    ledger.record([told(a) for a in declines(15)], NOW)
    held(ledger, reservation_id="r1")
    assert ledger.check(MERCHANT, "r1", NOW).go
    ledger.record([told(an_attempt(0, payment_id="late"))], NOW)
    (reason,) = ledger.check(MERCHANT, "r1", NOW).reasons
    assert (reason.code, reason.rule_id) == (ReasonCode.OVER_CAP, VISA_CAP)


def test_after_its_end_a_reservation_is_no_leave_to_fire(ledger: Ledger) -> None:
    made = held(ledger, reservation_id="r1")
    (reason,) = ledger.check(MERCHANT, "r1", made.expires_at).reasons
    assert reason.code is ReasonCode.EXPIRED
    ledger.release(MERCHANT, "r1", NOW)
    (reason,) = ledger.check(MERCHANT, "r1", NOW).reasons
    assert reason.code is ReasonCode.NOT_HELD


def test_a_hold_in_the_past_or_without_time_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidValueError, match="not before"):
        ledger.reserve(a_proposal(), NOW - MINUTE, NOW)
    with pytest.raises(InvalidValueError, match="expires_at"):
        ledger.reserve(a_proposal(), NOW, NOW, expires_at=NOW)


def test_a_card_number_is_never_written(ledger: Ledger) -> None:
    number = "4242 4242 4242 4242"
    for proposal, reservation_id in ((a_proposal(number), "r1"), (a_proposal(), number)):
        with pytest.raises(CardNumberError) as refused:
            ledger.reserve(proposal, NOW, NOW, reservation_id=reservation_id)
        assert "4242" not in str(refused.value)
    held(ledger, reservation_id="r1")
    with pytest.raises(CardNumberError, match="reason"):
        ledger.release(MERCHANT, "r1", NOW, f"the customer gave {number}")
    assert ledger.reservation(MERCHANT, "r1").state is State.HELD


def test_what_was_mended_is_looked_up_when_something_forbids_and_lifts_it(ledger: Ledger) -> None:
    card = a_method(Network.MASTERCARD)
    declined = an_attempt(5, "54", method=card)
    ledger.record([told(declined, card)], NOW)
    assert codes(ledger.reserve(a_proposal(method=card), NOW, NOW)) == [ReasonCode.OVER_CAP]
    before, wrong, right = (
        method_fixed(MERCHANT, Source.REPORTED, name, "pm", NOW - hours(ago), mended)
        for name, ago, mended in (
            ("before", 6, None),
            ("wrong", 2, Mended(FixKind.AUTHORIZATION, "pay")),
            ("right", 1, None),
        )
    )
    for event in (before, wrong):
        ledger.record([event], NOW)
        assert isinstance(ledger.reserve(a_proposal(method=card), NOW, NOW), Refused)
    ledger.record([right], NOW)
    assert isinstance(ledger.reserve(a_proposal(method=card), NOW, NOW, reservation_id="r1"), Reservation)
    assert ledger.check(MERCHANT, "r1", NOW).go
    (said,) = (v for v in ledger.verdicts(a_proposal(method=card), NOW) if v.rule_id == "recoup-after-fix")
    assert "that is over since 23 Nov 2026 09:15 UTC" in said.sentence


def test_a_wait_begins_when_the_ledger_learned_the_answer(ledger: Ledger) -> None:
    card = a_method(Network.MASTERCARD)
    late = replace(an_attempt(97, method=card, advice="27"), outcome_at=NOW - hours(95))
    ledger.record([told(late, card)], NOW)
    refused = ledger.reserve(a_proposal(method=card), NOW, NOW)
    assert isinstance(refused, Refused)
    assert [reason.rule_id for reason in refused.reasons] == ["mastercard-mac-wait-times"]
    assert isinstance(ledger.reserve(a_proposal(method=card), NOW + hours(1), NOW), Reservation)
