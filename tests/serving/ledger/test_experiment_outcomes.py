"""Exposures joined with what the ledger was told of their payments, in both databases."""

from dataclasses import replace
from datetime import timedelta

from cap_builders import NOW, an_attempt
from experiment_builders import a_definition
from experiments.covariates import Expectations, Past
from experiments.definition import Change, Entry
from experiments.metrics.cohort import Event
from experiments.outcomes import RecoveredBy
from features.attempt import Attempt
from features.instants import to_micros
from features.money import Money
from features.sources.statement import Way
from features.vocabulary import DeclineCategory, Initiator, Rail
from ledger_builders import MERCHANT, approved, told
from model.decision import Assignment
from serving.experiment_outcomes import by_variant, observed, outcomes
from serving.ledger.customers import CustomerEvent, CustomerWord, tell_of_customer
from serving.ledger.events import EventKind, LedgerEvent, Return, Source
from serving.ledger.exposures import Exposure, pages_of_exposures
from serving.ledger.ledger import Ledger
from serving.ledger.money_back import MoneyBack, put_money_back

DEFINITION = a_definition()
FAILED = NOW - timedelta(days=40)


def exposed(
    ledger: Ledger, payment_id: str, variant: str = "plan", *, unit: str | None = None, tester: bool = False
) -> None:
    ledger.expose(
        Exposure(
            merchant_id=MERCHANT,
            payment_id=payment_id,
            customer_id=unit or payment_id,
            assignment=Assignment("first", variant, unit or payment_id, 0.5, tester),
            exposed_at=FAILED + timedelta(hours=1),
            failed_at=FAILED,
            amount=Money(4900, "EUR"),
            market="DE",
            rail=Rail.CARD,
            category=DeclineCategory.INSUFFICIENT_FUNDS,
        )
    )


def an_approval(payment_id: str, days: float, initiator: Initiator = Initiator.MERCHANT) -> Attempt:
    """So many days after the first failure."""
    made = approved(an_attempt((40 - days) * 24, payment_id=payment_id))
    return replace(made, initiator=initiator, attempt_id=f"{payment_id} paid")


def said(payment_id: str, kind: EventKind, days: float) -> LedgerEvent:
    at = to_micros(FAILED + timedelta(days=days))
    return LedgerEvent(MERCHANT, Source.REPORTED, f"{payment_id} {kind}", kind, payment_id, at)


def sent_back(payment_id: str, days: float) -> LedgerEvent:
    at = to_micros(FAILED + timedelta(days=days))
    attempt_id = f"{payment_id} paid"
    returned = Return("AM04", None, None, "insufficient_funds", "later", None)
    return LedgerEvent(
        MERCHANT, Source.WEBHOOK, f"{payment_id} back", EventKind.REVERSED, attempt_id, at, returned=returned
    )


def test_each_payment_is_what_the_ledger_was_told_of_it(ledger: Ledger) -> None:
    names = ("retry", "hand", "itself", "back", "back late", "reopened", "late", "nobody")
    for name in names:
        exposed(ledger, name, "fixed" if name == "nobody" else "plan")
    retried = [replace(an_attempt(39 * 24, payment_id=name), attempt_id=f"{name} retried") for name in names]
    ledger.record([told(attempt) for attempt in retried], NOW)
    ledger.record(
        [
            told(an_approval("retry", 5)),
            told(an_approval("hand", 5, Initiator.CUSTOMER)),
            said("itself", EventKind.PAID, 9),
            told(an_approval("back", 5)),
            sent_back("back", 12),
            told(an_approval("back late", 5)),
            sent_back("back late", 35),
            told(an_approval("reopened", 5)),
            said("reopened", EventKind.REOPENED, 20),
            told(an_approval("late", 31)),
        ],
        NOW,
    )
    found = {one.exposure.payment_id: one.outcome for one in outcomes(ledger.store, DEFINITION, NOW)}
    assert {name: outcome.by.value for name, outcome in found.items()} == {
        "retry": "retry",
        "hand": "customer",
        "itself": "itself",
        "back": "nobody",
        "back late": "retry",
        "reopened": "nobody",
        "late": "nobody",
        "nobody": "nobody",
    }
    assert {name for name, outcome in found.items() if outcome.taken_back_at} == {"back", "reopened"}
    assert {outcome.retries for name, outcome in found.items() if name in {"retry", "nobody"}} == {1, 2}
    assert all(outcome.mature for outcome in found.values())
    fixed, plan = by_variant(outcomes(ledger.store, DEFINITION, NOW))
    assert (fixed.variant, fixed.mature, plan.mature, plan.taken_back) == ("fixed", 1, 7, 2)
    assert plan.by == {RecoveredBy.RETRY: 2, RecoveredBy.CUSTOMER: 1, RecoveredBy.ITSELF: 1, RecoveredBy.NOBODY: 3}


def test_units_are_counted_once_testers_never_and_open_windows_are_collecting(ledger: Ledger) -> None:
    exposed(ledger, "one", unit="cus")
    exposed(ledger, "two", unit="cus")
    exposed(ledger, "three", tester=True)
    (plan,) = by_variant(outcomes(ledger.store, DEFINITION, FAILED + timedelta(days=29)))
    assert (plan.units, plan.collecting, plan.mature) == (1, 2, 0)


def test_pages_leave_nobody_out(ledger: Ledger) -> None:
    for number in range(7):
        exposed(ledger, f"pay_{number}")
    pages = list(pages_of_exposures(ledger.store, "first", most=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({one.payment_id for page in pages for one in page}) == 7


def befell(ledger: Ledger, customer_id: str, word: CustomerWord, days: float, minor: int | None = None) -> None:
    amount = None if minor is None else Money(minor, "EUR")
    at = FAILED + timedelta(days=days)
    event = CustomerEvent(MERCHANT, f"{customer_id} {word} {days}", customer_id, word, at, amount)
    assert tell_of_customer(ledger.store, event, NOW)


def test_what_befell_the_customers_comes_with_their_payments_and_of_no_others(ledger: Ledger) -> None:
    exposed(ledger, "one", unit="ann")
    exposed(ledger, "two", unit="ann")
    exposed(ledger, "three", unit="bob")
    befell(ledger, "ann", CustomerWord.PAID, 3, 4900)
    befell(ledger, "ann", CustomerWord.REFUNDED, 4, 900)
    befell(ledger, "bob", CustomerWord.LOST, 9)
    befell(ledger, "eve", CustomerWord.LEFT, 9)
    found = {one.unit[1]: one.befell for one in observed(ledger.store, DEFINITION, NOW)}
    paid, back = found["ann"]
    assert (paid.kind, paid.amount, paid.given_back) == (Event.PAID, Money(4900, "EUR"), False)
    assert (back.kind, back.amount, back.given_back) == (Event.PAID, Money(900, "EUR"), True)
    assert [one.kind for one in found["bob"]] == [Event.ENDED_UNPAID]
    assert set(found) == {"ann", "bob"}


def test_what_a_limit_allowed_at_the_exposure_is_kept_with_it(ledger: Ledger) -> None:
    exposed(ledger, "one")
    (before,) = next(pages_of_exposures(ledger.store, "first"))
    ledger.expose(replace(before, payment_id="two", attempts_allowed=7))
    found = {one.payment_id: one.attempts_allowed for page in pages_of_exposures(ledger.store, "first") for one in page}
    assert found == {"one": None, "two": 7}


def a_try(payment_id: str, days: float, code: str | None = "51") -> LedgerEvent:
    """So many days after the first failure of what is exposed; approved where there is no code."""
    made = an_attempt((40 - days) * 24, payment_id=payment_id)
    made = replace(made, attempt_id=f"{payment_id} {'paid' if code is None else days}")
    return told(made if code else approved(made))


def tell_a_past(ledger: Ledger) -> None:
    """Two payments failed and were recovered before, one of them sent back since; two were not; one never failed."""
    ledger.record(
        [
            *(a_try("recovered", -60), a_try("recovered", -55, None)),
            *(a_try("sent back since", -50), a_try("sent back since", -48, None), sent_back("sent back since", 3)),
            *(a_try("sent back before", -50, None), sent_back("sent back before", -45)),
            *(a_try("lost", -58), a_try("lost", -52), a_try("lost", 4, None)),
            *(a_try("clean", -20, None), a_try("in", 0), a_try("later", 2)),
        ],
        NOW,
    )


def test_the_past_of_a_payer_is_what_was_known_when_the_payment_failed(ledger: Ledger) -> None:
    exposed(ledger, "in", unit="cus")
    exposed(ledger, "new", unit="nobody knows")
    tell_a_past(ledger)
    pasts = {one.exposure.payment_id: one.past for one in outcomes(ledger.store, DEFINITION, NOW)}
    assert pasts == {"in": Past(failed=4, recovered=2), "new": Past()}


def test_what_to_expect_of_a_category_is_from_windows_that_were_over_before_the_start(ledger: Ledger) -> None:
    exposed(ledger, "in", unit="cus")
    exposed(ledger, "new", unit="nobody knows")
    tell_a_past(ledger)
    began = FAILED - timedelta(days=26)  # "lost" and "recovered" were over by then
    started = replace(DEFINITION, history=(Entry(began, Change.STARTED, "Ann", 1.0),))
    found = {one.unit[1]: one.expected for one in observed(ledger.store, started, NOW, MERCHANT)}
    funds = (DeclineCategory.INSUFFICIENT_FUNDS, Rail.CARD)
    rates = Expectations({DeclineCategory.INSUFFICIENT_FUNDS: Past(2, 1)})
    assert found == {"cus": rates.of(*funds, Past(4, 2)), "nobody knows": rates.of(*funds, Past())}
    draft = {one.unit[1]: one.expected for one in observed(ledger.store, DEFINITION, NOW)}
    assert draft["nobody knows"] == Expectations().of(*funds, Past())


def test_of_one_merchant_nothing_of_another_is_read(ledger: Ledger) -> None:
    exposed(ledger, "in", unit="cus")
    tell_a_past(ledger)
    assert list(observed(ledger.store, DEFINITION, NOW, "other")) == []
    before = list(observed(ledger.store, DEFINITION, NOW, MERCHANT))
    elsewhere = [replace(event, merchant_id="other") for event in (a_try("theirs", -60), a_try("theirs", -50, None))]
    ledger.record(elsewhere, NOW)
    assert list(observed(ledger.store, DEFINITION, NOW, MERCHANT)) == before


def test_a_chargeback_told_by_a_processor_befell_the_payer(ledger: Ledger) -> None:
    exposed(ledger, "one")
    ledger.record([told(an_approval("one", 3))], NOW)
    back = MoneyBack(MERCHANT, Source.WEBHOOK, "dp_1", "one paid", Way.CHARGEBACK, None, FAILED + timedelta(days=9))
    assert put_money_back(ledger.store, [back, replace(back, source_event_id="re_1", kind=Way.REFUND)], NOW) == 2
    (found,) = observed(ledger.store, DEFINITION, NOW)
    assert [(one.kind, one.at) for one in found.befell] == [(Event.CHARGEBACK, FAILED + timedelta(days=9))]
