"""What a merchant sends altogether is counted exactly by the hour, on both databases, in whatever order it is told."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from random import Random
from threading import Barrier

import pytest

from cap_builders import NOW, a_method, an_attempt, hours
from features.attempt import Attempt
from features.declines.taxonomy import classify
from features.instants import MICROS_PER_HOUR, to_micros
from features.method import Method
from features.vocabulary import Network, Outcome, Precision, Rail
from ledger_builders import MERCHANT, a_proposal, approved, corrected_to, facts_about, inserted, told
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import event_of
from serving.ledger.audit import audit
from serving.ledger.beyond import NO_VOLUMES, binding_volumes, volumes_in, volumes_then
from serving.ledger.budgets import budgets
from serving.ledger.events import EventKind, LedgerEvent, Source, reported, sent_back
from serving.ledger.events import told as word
from serving.ledger.facts import Facts
from serving.ledger.ledger import Ledger
from serving.ledger.migrate import migrate
from serving.ledger.opening import store_at
from serving.ledger.recording import append, attempt_row, record_batch, repeated_when_stuck
from serving.ledger.reservations import Refused, Reservation
from serving.ledger.selecting import Selector
from serving.ledger.situation import situation
from serving.ledger.store import LedgerBusyError, Store
from volume_builders import volumes_of

RULES = Rulebook.load()
VISA, ACH = a_method(), a_method(Network.ACH, "ach", Rail.BANK_DEBIT, country="US", mandate_id="m1")
DATA, RETURNS = "visa-cat3-data-quality-volume", "nacha-overall-return-rate"
BINDING = RULES.tightened({DATA: Tightening(limit=3, binding=True)})
FIRST = -(1 << 40)
HALF_A_DAY = 12 * MICROS_PER_HOUR


def made(random: Random, number: int) -> tuple[Attempt, Method]:
    method = random.choice((VISA, ACH))
    code = random.choice(("51", "54", "N7") if method is VISA else ("R01", "R03", "R10"))
    attempt = an_attempt(
        random.uniform(0, 24 * 40),
        code,
        method=method,
        payment_id=f"p{number}",
        outcome=random.choice([Outcome.DECLINED] * 3 + [Outcome.APPROVED, Outcome.ERROR, Outcome.UNKNOWN]),
        precision=random.choice([Precision.INSTANT] * 4 + [Precision.DAY]),
    )
    late = attempt.at + hours(random.choice((0, 0, 30)))
    return replace(attempt, attempt_id=f"a{number}", outcome_at=min(late, max(NOW, attempt.at))), method


def stories(random: Random, count: int) -> Iterator[LedgerEvent]:
    """What is told of that many attempts: reports, and at times that they were otherwise, came back or never were."""
    for number in range(count):
        attempt, method = made(random, number)
        kind = random.choice(("plain", "plain", "corrected", "withdrawn", "returned"))
        yield told(approved(attempt) if kind == "returned" else attempt, method)
        if kind == "corrected":
            other, on = made(random, number)
            yield corrected_to(other, on, at=NOW)
        if kind == "withdrawn":
            yield word(MERCHANT, Source.REPORTED, f"gone{number}", EventKind.WITHDRAWN, attempt.attempt_id, NOW)
        if kind == "returned":
            back = classify("R10", processor="north", network=method.network)
            yield sent_back(MERCHANT, Source.WEBHOOK, f"back{number}", attempt.attempt_id, back, NOW)


def standing(store: Store) -> list[Facts]:
    """Every attempt as it stands, but for errors."""
    place: dict[str, str | int | None] = {"method_id": "", "at": -(1 << 62), "attempt_id": ""}
    place |= {"merchant_id": MERCHANT, "since": -(1 << 62), "until": 1 << 62, "most": 10_000}
    with store.reading() as transaction:
        (rows,) = transaction.ask(("audited", place))
    return [Facts(*row) for row in rows]  # type: ignore[arg-type]  # the columns of the query, in its order


def table(store: Store, network: Network, since: int = FIRST, before: int = -FIRST) -> Counter[tuple[object, ...]]:
    asked = {"merchant_id": MERCHANT, "network": network.value, "since": since, "before": before}
    with store.reading() as transaction:
        (rows,) = transaction.ask(("volume_since", asked))
    return Counter({tuple(row[:-1]): int(row[-1] or 0) for row in rows})


def expected(
    attempts: Sequence[Facts], network: Network, since: int = FIRST, before: int = -FIRST
) -> Counter[tuple[object, ...]]:
    counted: Counter[tuple[object, ...]] = Counter()
    for one in attempts:
        hour = (one.at + (HALF_A_DAY if one.precision == "day" else 0)) // MICROS_PER_HOUR
        if one.network == network and since <= hour < before and one.outcome != "error":
            words = (one.code, one.subcode, one.advice_code, one.category, one.retryability)
            known = one.known_at // MICROS_PER_HOUR < before
            counted[one.processor, one.outcome, *(word or "" for word in words), int(known)] += 1
    return counted


@pytest.mark.parametrize("seed", [1, 2])
def test_every_hour_holds_what_its_attempts_come_to(ledger: Ledger, seed: int) -> None:
    random = Random(seed)
    events = list(stories(random, 60))
    random.shuffle(events)
    for event in events:
        ledger.record([event], NOW)
    ledger.record(events, NOW)
    stand = standing(ledger.store)
    assert len(stand) > 30
    now = to_micros(NOW) // MICROS_PER_HOUR
    for network in (Network.VISA, Network.ACH):
        for since, before in ((FIRST, -FIRST), (now - 720, -FIRST), (now - 300, now - 100), (FIRST, now - 500)):
            assert table(ledger.store, network, since, before) == expected(stand, network, since, before)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_volume_is_that_of_the_attempts_give_or_take_the_hour_in_which_the_window_begins(
    ledger: Ledger, seed: int
) -> None:
    drawn = [made(Random(seed * 1_000 + i), i) for i in range(80)]
    ledger.record([told(attempt, method) for attempt, method in drawn], NOW)
    counted = [(m.network, event_of(a, m, MERCHANT)) for a, m in drawn if a.outcome is not Outcome.ERROR]
    at = to_micros(NOW)
    with ledger.store.reading() as transaction:
        found = volumes_in(transaction, MERCHANT, RULES.rules, at).by_rule
    least = volumes_of(RULES.rules, counted, at).by_rule
    later = [(network, replace(event, latest=event.latest + MICROS_PER_HOUR)) for network, event in counted]
    most = volumes_of(RULES.rules, later, at + 12 * MICROS_PER_HOUR).by_rule
    assert DATA in found
    assert RETURNS in found
    for rule_id, volume in found.items():
        assert least[rule_id].counted <= volume.counted <= most[rule_id].counted + 1
        assert least[rule_id].of <= volume.of
        assert volume.resets_at == least[rule_id].resets_at


def test_an_hour_that_lies_partly_in_the_window_counts_whole(ledger: Ledger) -> None:
    edge = 24 * 30
    for number, ago in enumerate((edge - 0.1, edge + 0.2, edge + 1.5)):
        attempt = replace(an_attempt(ago, "54", payment_id=f"p{number}"), attempt_id=f"a{number}")
        ledger.record([told(attempt)], NOW)
    with ledger.store.reading() as transaction:
        volume = volumes_in(transaction, MERCHANT, RULES.rules, to_micros(NOW)).by_rule[DATA]
    assert (volume.counted, volume.of) == (2, 2), "10:15 thirty days ago begins within the hour of the second"


def test_what_a_ledger_of_an_earlier_version_holds_is_counted_when_it_is_migrated(url: str) -> None:
    with closing(store_at(url)) as store:
        migrate(store, up_to=4)
        drawn = [made(Random(i), i) for i in range(40)]
        with store.writing() as transaction:
            for attempt, method in drawn:
                transaction.script(inserted(attempt_row(MERCHANT, facts_about(attempt, method)), 4))
        migrate(store)
        for network in (Network.VISA, Network.ACH):
            assert table(store, network) == expected(standing(store), network)


def test_a_backfilled_history_counts_once(ledger: Ledger) -> None:
    drawn = [made(Random(i), i) for i in range(30)]
    events = [reported(MERCHANT, Source.HISTORY, a.attempt_id, facts_about(a, m)) for a, m in drawn]
    for _ in range(2):
        record_batch(ledger.store, MERCHANT, events, to_micros(NOW))
    assert table(ledger.store, Network.VISA) == expected(standing(ledger.store), Network.VISA)


def wrong_data(count: int, *, ago: float = 2) -> list[LedgerEvent]:
    """Declines for wrong data on other cards."""
    cards = [a_method(method_id=f"card{i}") for i in range(count)]
    return [told(an_attempt(ago, "54", method=card, payment_id=f"of-{card.method_id}"), card) for card in cards]


def test_a_volume_that_only_warns_refuses_nothing_and_one_that_binds_does(url: str) -> None:
    with closing(Ledger.opened(url)) as ledger, closing(Ledger.opened(url, BINDING)) as strict:
        ledger.record(wrong_data(3), NOW)
        said = {budget.verdict.rule_id: budget.verdict for budget in budgets(ledger, a_proposal(), NOW)}
        assert said[DATA].allowed
        assert "3 so far" in said[DATA].sentence
        refused = strict.reserve(a_proposal(), NOW, NOW)
        assert isinstance(refused, Refused)
        assert [reason.rule_id for reason in refused.reasons] == [DATA]
        held = ledger.reserve(a_proposal(), NOW, NOW, reservation_id="r1")
        assert isinstance(held, Reservation)
        check = strict.check(MERCHANT, "r1", NOW)
        assert [reason.rule_id for reason in check.reasons] == [DATA]
        assert ledger.check(MERCHANT, "r1", NOW).go


def test_rules_that_only_warn_cost_a_reservation_no_question(ledger: Ledger) -> None:
    ledger.record(wrong_data(3), NOW)
    with ledger.store.reading() as transaction:
        loose = situation(transaction, Selector(RULES), a_proposal(), NOW)
        strict = situation(transaction, Selector(BINDING), a_proposal(), NOW)

    class Silent:
        """Answers nothing."""

        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"{name} was asked for")

    assert binding_volumes(Silent(), loose) is NO_VOLUMES  # type: ignore[arg-type]  # nothing of it is to be used
    with pytest.raises(AssertionError, match="was asked for"):
        binding_volumes(Silent(), strict)  # type: ignore[arg-type]  # as above


def test_the_audit_goes_by_what_stood_before_the_hour_of_the_attempt(url: str) -> None:
    with closing(Ledger.opened(url, BINDING)) as ledger:
        ledger.record(wrong_data(3, ago=3), NOW)
        ledger.record([told(an_attempt(ago, payment_id=f"v{ago}")) for ago in (3.1, 1, 200)], NOW)
        found = list(audit(ledger.store, BINDING, NOW - hours(300), NOW))
        over = {b.attempt.attempt_id for each in found for b in each.breaches if b.verdict.rule_id == DATA}
        assert over == {an_attempt(1).attempt_id}


def test_what_was_known_only_later_was_pending_then(ledger: Ledger) -> None:
    debit = replace(an_attempt(30, "R01", method=ACH), outcome_at=NOW - hours(5))
    ledger.record([told(debit, ACH)], NOW)
    seen = []
    with ledger.store.reading() as transaction:
        for ago in (31, 20, 1):
            stood = volumes_then(transaction, MERCHANT, RULES.rules, to_micros(NOW - hours(ago)))
            volume = stood.by_rule.get("nacha-administrative-return-rate"), stood.by_rule.get(RETURNS)
            seen.append(tuple((one.counted, one.of) if one else None for one in volume))
    # What is pending has no reason yet: it counts where any refusal does.
    assert seen == [(None, None), ((0, 1), (1, 1)), ((0, 1), (1, 1))]


def test_a_transaction_that_was_stuck_is_told_again() -> None:
    tries: list[int] = []

    def work(fails: int) -> str:
        tries.append(1)
        if len(tries) <= fails:
            raise LedgerBusyError("busy")
        return "told"

    assert repeated_when_stuck(lambda: work(3)) == "told"
    tries.clear()
    with pytest.raises(LedgerBusyError):
        repeated_when_stuck(lambda: work(99))
    assert len(tries) == 5


def test_two_recorders_in_each_others_way_both_get_through(new_url: Callable[[str], str]) -> None:
    meet, tries = Barrier(2), [0, 0]

    with closing(Ledger.opened(new_url("postgres"))) as ledger:

        def tell(which: int) -> None:
            """Both rows of volumes in opposite order; at the first try each waits for the other halfway."""
            told_of = [an_attempt(2, code, payment_id=code) for code in (("51", "54") if which else ("54", "51"))]

            def once() -> None:
                tries[which] += 1
                with ledger.store.writing() as transaction:
                    for number, attempt in enumerate(told_of):
                        event = told(replace(attempt, attempt_id=f"{which}-{number}"))
                        append(transaction, event, to_micros(NOW))
                        if number == 0 and tries[which] == 1:
                            transaction.ask(("counts", {}))  # what was put before is done once this is answered
                            meet.wait(120)

            repeated_when_stuck(once)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(tell, (0, 1)))
        assert sum(table(ledger.store, Network.VISA).values()) == 4
        assert sum(tries) > 2, "nobody was in anybody's way, so that nothing was proved"


def test_an_approval_is_taken_back_where_it_was_counted(ledger: Ledger) -> None:
    attempt = an_attempt(1, "54")
    ledger.record([told(approved(attempt), event_id="first")], NOW)
    assert {row[1] for row in table(ledger.store, Network.VISA)} == {"approved"}
    ledger.record([corrected_to(attempt)], NOW)
    assert {row[1] for row in table(ledger.store, Network.VISA)} == {"declined"}
