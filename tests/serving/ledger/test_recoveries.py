"""What becomes of a payment is told in the transaction in which it happens, and one event ends each recovery."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cap_builders import NOW, a_method, a_payment, an_attempt
from event_builders import FINAL, OUTBOX, CrashError, CrashingStore, Document, events_of, types_of
from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.vocabulary import Network, Outcome
from ledger_builders import MERCHANT, MINUTE, a_proposal, approved, declines, told
from model.caps.rulebook import Rulebook
from serving.ledger.events import EventKind, Source, sent_back
from serving.ledger.events import told as word
from serving.ledger.ledger import Ledger
from serving.ledger.recoveries import UNEXPLAINED, Advised, LimitReached, Stopped, lapse, scheduled
from serving.ledger.reservations import Refused, Reservation, State, values_of

FOR_GOOD = Stopped("not_worth_it", True, ("Nothing pays.",), ("add another payment method",))


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with closing(Ledger.opened(url, outbox=OUTBOX)) as made:
        yield made


def tell(ledger: Ledger, kind: EventKind, at: datetime, payment: str = "pay") -> None:
    ledger.record([word(MERCHANT, Source.REPORTED, f"{kind}-{payment}-{at}", kind, payment, at)], at)


def held(ledger: Ledger, name: str = "r1", now: datetime = NOW, payment: str = "pay") -> Reservation:
    made = ledger.reserve(a_proposal(payment), now, now, reservation_id=name, advised=Advised(why=("Payday.",)))
    assert isinstance(made, Reservation)
    return made


def settle(ledger: Ledger, name: str, outcome: Outcome, now: datetime) -> Attempt:
    attempt = replace(an_attempt(0, before=now), attempt_id=f"of_{name}")
    if outcome is not Outcome.DECLINED:
        attempt = replace(attempt, outcome=outcome, decline=None)
    ledger.settle(MERCHANT, name, attempt, now)
    return attempt


def test_a_retry_that_has_its_place_is_told_and_the_approval_ends_the_recovery(ledger: Ledger) -> None:
    ledger.record([told(an_attempt(20))], NOW)
    held(ledger)
    settle(ledger, "r1", Outcome.APPROVED, NOW + MINUTE)
    begun, recovered = events_of(ledger)
    assert begun["type"] == "retry.scheduled"
    assert begun["data"] | {"until": None} == {
        "merchant_id": MERCHANT, "payment_id": "pay", "recovery": 1, "reservation_id": "r1",
        "at": "2026-11-23T10:15:00Z", "until": None, "method_id": "pm", "processor": "north",
        "amount_minor": 1250, "currency": "EUR", "attempt_number": 2, "why": ["Payday."],
    }  # fmt: skip
    assert recovered["type"] == "recovery.recovered"
    assert recovered["timestamp"] == "2026-11-23T10:16:00Z"
    assert (recovered["data"]["by"], recovered["data"]["attempt_id"], recovered["data"]["attempts"]) == (
        "attempt", "of_r1", 2,
    )  # fmt: skip


def test_asked_again_under_the_same_id_nothing_more_is_told(ledger: Ledger) -> None:
    assert held(ledger) == held(ledger)
    settle(ledger, "r1", Outcome.APPROVED, NOW)
    settle(ledger, "r1", Outcome.APPROVED, NOW + MINUTE)
    assert types_of(ledger) == ["retry.scheduled", "recovery.recovered"]


def test_nothing_is_told_of_payments_that_nobody_asked_about_or_of_merchants_without_a_target(url: str) -> None:
    with closing(Ledger.opened(url, outbox=OUTBOX)) as ledger:
        ledger.record([told(an_attempt(20)), told(approved(an_attempt(1)))], NOW)
        assert events_of(ledger) == []
    with closing(Ledger.opened(url)) as silent:
        held(silent, payment="other")
        silent.tell_stop(a_payment("third"), FOR_GOOD, NOW)
        assert events_of(silent) == []


def test_a_stop_for_good_says_what_the_payer_can_do_and_ends_the_recovery_once(ledger: Ledger) -> None:
    for minute in range(3):
        ledger.tell_stop(a_payment(), FOR_GOOD, NOW + minute * MINUTE)
    needed, exhausted = events_of(ledger)
    assert needed["data"]["payer_could"] == ["add another payment method"]
    assert (exhausted["data"]["reason"], exhausted["data"]["why"]) == ("not_worth_it", ["Nothing pays."])
    ledger.record([told(approved(an_attempt(0)))], NOW + 5 * MINUTE)
    assert len(events_of(ledger)) == 2


def test_no_stop_ends_what_is_paid_cancelled_held_for_or_waits_for_its_answer(ledger: Ledger) -> None:
    held(ledger)
    ledger.tell_stop(a_payment(), FOR_GOOD, NOW)
    settle(ledger, "r1", Outcome.UNKNOWN, NOW)
    ledger.tell_stop(a_payment(), FOR_GOOD, NOW)
    assert types_of(ledger) == ["retry.scheduled"]
    tell(ledger, EventKind.CANCELLED, NOW + MINUTE)
    ledger.tell_stop(a_payment(), FOR_GOOD, NOW + MINUTE)
    assert [(e["type"], e["data"].get("reason")) for e in events_of(ledger)[1:]] == [
        ("recovery.exhausted", "cancelled")
    ]


def test_a_refusal_by_a_cap_is_told_once_with_what_frees_it(ledger: Ledger) -> None:
    method = a_method(Network.VISA)
    ledger.record([told(one, method) for one in declines(20, method)], NOW)
    refused, again = (ledger.reserve(a_proposal(method=method), NOW, NOW) for _ in range(2))
    assert isinstance(refused, Refused)
    assert refused == again
    limits = [one["data"] for one in events_of(ledger)]
    assert {one["type"] for one in events_of(ledger)} == {"limit.reached"}
    against = [v for v in refused.verdicts if not v.allowed]
    assert sorted((one["rule_id"], one["used"], one["limit"], one["why"]) for one in limits) == sorted(
        (v.rule_id, v.used, v.limit, v.sentence) for v in against
    )


def test_a_payment_that_is_owed_again_begins_another_recovery_with_its_own_end(ledger: Ledger) -> None:
    held(ledger)
    attempt = settle(ledger, "r1", Outcome.APPROVED, NOW)
    back = classify("51", processor="north", network=Network.VISA)
    at = NOW + timedelta(days=3)
    ledger.record([sent_back(MERCHANT, Source.WEBHOOK, "back", attempt.attempt_id, back, at)], at)
    held(ledger, "r2", at + MINUTE)
    tell(ledger, EventKind.PAID, at + 2 * MINUTE)
    tell(ledger, EventKind.REOPENED, at + 3 * MINUTE)
    ledger.tell_stop(a_payment(), FOR_GOOD, at + 4 * MINUTE)
    assert [(e["type"], e["data"]["recovery"]) for e in events_of(ledger)] == [
        ("retry.scheduled", 1), ("recovery.recovered", 1),
        ("retry.scheduled", 2), ("recovery.recovered", 2),
    ]  # fmt: skip
    assert events_of(ledger)[3]["data"]["by"] == "other_means"
    ledger.release(MERCHANT, "r2", at + 4 * MINUTE)
    ledger.tell_stop(a_payment(), FOR_GOOD, at + 5 * MINUTE)
    assert [(e["type"], e["data"]["recovery"]) for e in events_of(ledger)][4:] == [
        ("recovery.action_needed", 3), ("recovery.exhausted", 3),
    ]  # fmt: skip


def test_what_nobody_ends_ends_with_the_time_of_the_payment_unless_an_answer_is_awaited(ledger: Ledger) -> None:
    held(ledger)
    settle(ledger, "r1", Outcome.DECLINED, NOW)
    over = a_payment().recover_by
    held(ledger, "r2", payment="waits")
    asked = an_attempt(24, payment_id="waits", outcome=Outcome.UNKNOWN, before=over)
    ledger.settle(MERCHANT, "r2", asked, NOW)
    assert lapse(ledger.store, OUTBOX, over - MINUTE, 10) == 0
    assert lapse(ledger.store, OUTBOX, over, 10) == 1
    assert lapse(ledger.store, OUTBOX, over + timedelta(days=28), 10) == 0
    assert lapse(ledger.store, OUTBOX, over + timedelta(days=29), 10) == 1
    finals = [one["data"] for one in events_of(ledger) if one["type"] in FINAL]
    assert [(one["payment_id"], one["reason"]) for one in finals] == [
        ("pay", "recovery_window_over"), ("waits", "recovery_window_over"),
    ]  # fmt: skip


def test_a_limit_that_frees_ends_nothing(ledger: Ledger) -> None:
    limit = LimitReached("visa", "pm", "Twenty of fifteen.", 20, 15, NOW + timedelta(days=3))
    for minute in range(2):
        ledger.tell_stop(a_payment(), Stopped("no_allowed_action", False, limits=(limit,)), NOW + minute * MINUTE)
    (one,) = events_of(ledger)
    assert (one["type"], one["data"]["frees_at"]) == ("limit.reached", "2026-11-26T10:15:00Z")


def test_of_a_stop_and_an_approval_at_the_same_moment_one_ends_the_recovery(
    new_url: Callable[[str], str],
) -> None:
    with closing(Ledger.opened(new_url("postgres"), outbox=OUTBOX)) as ledger, ThreadPoolExecutor(6) as pool:
        for i in range(12):
            payment = f"p{i}"
            held(ledger, f"r{i}", payment=payment)
            ledger.release(MERCHANT, f"r{i}", NOW)
            paid = told(approved(replace(an_attempt(0, payment_id=payment), attempt_id=f"a{i}")))
            works: list[Callable[[], object]] = [
                partial(ledger.tell_stop, a_payment(payment), FOR_GOOD, NOW),
                partial(ledger.tell_stop, a_payment(payment), FOR_GOOD, NOW),
                partial(ledger.record, [paid], NOW),
                partial(tell, ledger, EventKind.PAID, NOW, payment),
            ]
            list(pool.map(lambda work: work(), works))
        finals = Counter(one["data"]["payment_id"] for one in events_of(ledger) if one["type"] in FINAL)
    assert finals == Counter(f"p{i}" for i in range(12))


def test_an_approval_told_while_a_recovery_begins_waits_and_ends_it(new_url: Callable[[str], str]) -> None:
    made = Reservation("r1", a_proposal(), NOW, NOW, NOW + MINUTE, State.HELD, "book")
    paid = told(approved(an_attempt(0)))
    with closing(Ledger.opened(new_url("postgres"), outbox=OUTBOX)) as ledger, ThreadPoolExecutor(1) as pool:
        with ledger.store.writing() as transaction:
            transaction.put("insert_reservation", values_of(made))
            scheduled(transaction, OUTBOX, made, UNEXPLAINED)
            recorded = pool.submit(ledger.record, [paid], NOW)
            wait([recorded], timeout=0.3)
        assert recorded.result().new == 1
        assert types_of(ledger) == ["retry.scheduled", "recovery.recovered"]


# What may happen to a payment: each step is told until it is acknowledged, through every crash in between.
STEPS = ("hold", "declined", "approved", "stop", "paid", "cancelled", "reopened", "back", "release", "lapse")
_WORDS = {"paid": EventKind.PAID, "cancelled": EventKind.CANCELLED, "reopened": EventKind.REOPENED}


class Life:
    """A payment in a ledger under steps and crashes."""

    def __init__(self, ledger: Ledger, payment: str) -> None:
        self.ledger, self.payment, self.held = ledger, payment, [""]
        self.method = a_method(method_id=payment)

    def step(self, name: str, number: int, now: datetime) -> None:
        ledger, payment = self.ledger, self.payment
        attempt = replace(
            an_attempt(0, method=self.method, payment_id=payment, before=now), attempt_id=f"{payment}/{number}"
        )
        if name == "hold":
            made = ledger.reserve(a_proposal(payment, self.method), now, now, reservation_id=f"{payment}/{number}")
            if isinstance(made, Reservation) and made.reservation_id not in self.held:
                self.held.append(made.reservation_id)
        elif name in {"declined", "approved"}:
            ledger.record([told(approved(attempt) if name == "approved" else attempt, self.method)], now)
        elif name == "stop":
            ledger.tell_stop(a_payment(payment), FOR_GOOD, now)
        elif name == "back":
            decline = classify("51", processor="north", network=Network.VISA)
            before = f"{payment}/{number - 1}"
            ledger.record([sent_back(MERCHANT, Source.WEBHOOK, f"{before}/back", before, decline, now)], now)
        elif name == "release" and len(self.held) > 1:
            ledger.release(MERCHANT, self.held[-1], now)
        elif name == "lapse":
            lapse(ledger.store, OUTBOX, now, 10)
        elif name in _WORDS:
            tell(ledger, _WORDS[name], now, payment)

    def until_acknowledged(self, name: str, number: int, crash_before: list[int], *, twice: bool) -> None:
        assert isinstance(self.ledger.store, CrashingStore)
        self.ledger.store.crash_before[:] = crash_before
        left = 1 + twice
        while left:
            with suppress(CrashError):
                self.step(name, number, NOW + number * MINUTE)
                left -= 1
        self.ledger.store.crash_before.clear()


def check(events: list[Document], *, over: bool) -> None:
    """One final event a recovery, and nothing of a recovery after it; none is left open when all time is over."""
    finals = Counter(one["data"]["recovery"] for one in events if one["type"] in FINAL)
    numbers = {one["data"]["recovery"] for one in events}
    assert all(finals[number] == 1 for number in numbers if number < max(numbers) or over)
    assert max(finals.values(), default=0) <= 1
    ended = {one["data"]["recovery"]: one["timestamp"] for one in events if one["type"] in FINAL}
    assert all(one["timestamp"] <= ended.get(one["data"]["recovery"], one["timestamp"]) for one in events)


def test_through_every_order_crash_and_repetition_one_event_ends_each_recovery(new_url: Callable[[str], str]) -> None:
    seen: Counter[str] = Counter()
    plain = Ledger.opened(new_url("sqlite"), outbox=OUTBOX)
    store = CrashingStore(plain.store)
    ledger = Ledger(store, Rulebook.load(), OUTBOX)
    payments = (f"p{i}" for i in range(10_000))
    step = st.tuples(st.sampled_from(STEPS), st.lists(st.integers(0, 6), max_size=2), st.booleans())

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(st.lists(step, min_size=2, max_size=10))
    def live(steps: list[tuple[str, list[int], bool]]) -> None:
        life = Life(ledger, next(payments))
        for number, (name, crashes, twice) in enumerate([("hold", [1], True), *steps]):
            life.until_acknowledged(name, number, crashes, twice=twice)
        check(events_of(plain, life.payment), over=False)
        lapse(plain.store, OUTBOX, NOW + timedelta(days=5000), 10)
        all_told = events_of(plain, life.payment)
        check(all_told, over=True)
        holds = Counter(one["data"]["reservation_id"] for one in all_told if one["type"] == "retry.scheduled")
        assert holds == Counter(life.held[1:])
        seen.update(one["type"] for one in all_told)

    with closing(plain):
        live()
    assert all(seen[kind] > 10 for kind in ("retry.scheduled", *FINAL)), seen
