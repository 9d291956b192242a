"""An exposure is written once, never changed, and with the hold that it belongs to, in both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cap_builders import NOW, an_attempt
from exposure_builders import PLAN, an_exposure
from features.errors import InputError
from features.vocabulary import DeclineCategory, Rail
from ledger_builders import MERCHANT, MINUTE, a_proposal, told
from serving.ledger.exposures import Earlier, _values, exposure_counts, exposures
from serving.ledger.ledger import Ledger
from serving.ledger.recoveries import Advised, Stopped
from serving.ledger.reservations import Refused, Reservation
from serving.ledger.store import Question


def test_what_is_written_is_read_again_and_the_first_word_stays(ledger: Ledger) -> None:
    ledger.expose(an_exposure())
    ledger.expose(an_exposure(assignment=replace(PLAN, variant="fixed")))
    assert list(exposures(ledger.store, "first")) == [an_exposure()]
    assert ledger.exposed(MERCHANT, "pay", "cus_1").before == (PLAN,)
    assert ledger.exposed("other", "pay", "cus_1").before == ()


def test_counts_are_by_variant_and_merchant_with_testers_apart(ledger: Ledger) -> None:
    ledger.expose(an_exposure("pay_1"))
    ledger.expose(an_exposure("pay_2"))
    ledger.expose(an_exposure("pay_3", replace(PLAN, unit_id="cus_2")))
    ledger.expose(an_exposure("pay_4", replace(PLAN, unit_id="cus_3", tester=True)))
    ledger.expose(an_exposure("pay_5", replace(PLAN, variant="fixed"), "other"))
    ledger.expose(an_exposure("pay_1", replace(PLAN, experiment="second")))
    counted = {(c.variant, c.tester): (c.payments, c.units) for c in exposure_counts(ledger.store, "first")}
    assert counted == {("plan", False): (3, 2), ("plan", True): (1, 1), ("fixed", False): (1, 1)}
    assert [c.variant for c in exposure_counts(ledger.store, "first", "other")] == ["fixed"]


def test_a_hold_writes_its_exposure_and_a_refused_one_does_not(ledger: Ledger) -> None:
    with_exposure = Advised(exposure=an_exposure())
    held = ledger.reserve(a_proposal(), NOW + MINUTE, NOW, advised=with_exposure)
    assert isinstance(held, Reservation)
    assert ledger.exposed(MERCHANT, "pay", "cus_1").before == (PLAN,)
    other = Advised(exposure=an_exposure("pay", replace(PLAN, experiment="second")))
    assert isinstance(ledger.reserve(a_proposal(), NOW + MINUTE, NOW, advised=other), Refused)
    assert ledger.exposed(MERCHANT, "pay", "cus_1").before == (PLAN,)


@pytest.mark.parametrize("statement", ["UPDATE exposure SET variant = 'fixed';\n", "DELETE FROM exposure;\n"])
def test_exposures_are_never_changed_nor_removed(ledger: Ledger, statement: str) -> None:
    ledger.expose(an_exposure())
    with pytest.raises(InputError, match="exposures are never"), ledger.store.writing() as transaction:
        transaction.script(statement)


def test_what_cannot_be_so_is_refused_by_the_database(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="nobody is exposed before the failure"):
        ledger.expose(replace(an_exposure(), exposed_at=NOW - timedelta(days=1)))


def test_the_first_failure_is_the_earliest_that_anybody_told_of(ledger: Ledger) -> None:
    assert ledger.exposed(MERCHANT, "pay", "cus_1").failed_at is None
    ledger.record([told(an_attempt(hours, payment_id="pay")) for hours in (2, 50, 9)], NOW)
    known = ledger.exposed(MERCHANT, "pay", "cus_1")
    assert (known.failed_at, known.rail) == (NOW - timedelta(hours=50), Rail.CARD)
    assert known.category is DeclineCategory.INSUFFICIENT_FUNDS


def test_a_customers_earlier_variants_are_known_with_the_weights_that_they_were_drawn_by(ledger: Ledger) -> None:
    since = NOW - timedelta(days=3)
    ledger.expose(replace(an_exposure("pay_1"), divided_since=since))
    ledger.expose(replace(an_exposure("pay_2", replace(PLAN, variant="fixed")), exposed_at=NOW + MINUTE))
    ledger.expose(replace(an_exposure("pay_3", replace(PLAN, experiment="by-payment", unit_id="pay_3"))))
    ledger.expose(an_exposure("pay_4", merchant_id="other"))
    known = ledger.exposed(MERCHANT, "pay_9", "cus_1")
    assert known.before == ()
    assert known.of_customer == (Earlier(PLAN, since), Earlier(replace(PLAN, variant="fixed"), None))
    assert [one.divided_since for one in exposures(ledger.store, "first")] == [since, None, None]
    assert ledger.exposed(MERCHANT, "pay_9", "cus_2").of_customer == ()


def test_an_exposure_and_the_decision_that_made_it_are_kept_both_or_neither(ledger: Ledger) -> None:
    # Nobody is exposed before the failure: the database refuses it, after the first of both was written.
    refused: Question = "insert_exposure", _values(replace(an_exposure("other"), exposed_at=NOW - timedelta(days=1)))
    stop = Stopped("no_retry", True, ("None is made.",))
    with pytest.raises(InputError, match="nobody is exposed"):
        ledger.expose(an_exposure(), beside=refused)
    with pytest.raises(InputError, match="nobody is exposed"):
        ledger.tell_stop(a_proposal().payment, stop, NOW, an_exposure(), refused)
    assert list(exposures(ledger.store, "first")) == []
