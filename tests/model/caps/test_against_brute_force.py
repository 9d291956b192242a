"""The engine beside a counter written from the definitions, on random histories."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cap_builders import AMOUNT, NOW, a_context, a_method, a_payment, an_attempt
from features.attempt import Attempt
from features.method import Method
from features.money import Money
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail
from model.caps.engine import Proposal, ProposalVerdicts, prepare, verdicts
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import Tally, event_of, tally_of
from model.caps.verdict import Verdict

TICK = timedelta(microseconds=1)
DAY, MONTH = timedelta(days=1), timedelta(days=30)
OTHER_AMOUNT = Money(999, "EUR")

# Small limits, so that short histories reach them.
BOOK = Rulebook.load().tightened(
    {
        "visa-cat2-reattempt-cap": Tightening(limit=3),
        "visa-cat3-reattempt-cap": Tightening(limit=3),
        "visa-cat4-reattempt-cap": Tightening(limit=3),
        "mastercard-tpe-24h-excessive-attempts": Tightening(limit=2),
        "mastercard-tpe-24h-brazil": Tightening(limit=2),
        "mastercard-tpe-30d-excessive-attempts": Tightening(limit=4),
        "recoup-card-30d": Tightening(limit=2),
    }
)

Same = Callable[[Attempt], bool]


def card(network: Network, form: Credential) -> Method:
    return a_method(network, f"pm-{form}", credential=form)


@st.composite
def histories(draw: st.DrawFn, network: Network) -> list[Attempt]:
    """Attempts in the 40 days before now, some at the very edges of a day or a month."""
    edges = st.sampled_from([0, 1, 24, 720, 719, 721, 23, 25, 96, 240])
    ages = st.lists(st.one_of(edges, st.floats(0, 960).map(lambda h: round(h, 2))), max_size=14, unique=True)
    codes = st.sampled_from(["51", "51", "05", "54", "1A", "91", "41", "ZZ"])
    advices = st.sampled_from([None, None, None, "24", "27", "30", "03", "02"])
    outcomes = st.sampled_from([Outcome.DECLINED] * 8 + [Outcome.APPROVED, Outcome.ERROR, Outcome.UNKNOWN])
    return [
        an_attempt(
            age,
            draw(codes),
            method=card(network, draw(st.sampled_from([Credential.PAN, Credential.NETWORK_TOKEN]))),
            payment_id=draw(st.sampled_from(["pay", "pay", "other"])),
            amount=draw(st.sampled_from([AMOUNT, AMOUNT, OTHER_AMOUNT])),
            outcome=draw(outcomes),
            initiator=draw(st.sampled_from(Initiator)),
            advice=draw(advices) if network is Network.MASTERCARD else None,
        )
        for age in sorted(draw(ages), reverse=True)
    ]


later = st.one_of(st.just(0.0), st.sampled_from([1.0, 24.0, 96.0, 240.0, 720.0]), st.floats(0, 1000))


def counted(attempts: Sequence[Attempt], same: Same, *, resets: bool) -> list[Attempt]:
    kept: list[Attempt] = []
    for attempt in attempts:
        if attempt.outcome is not Outcome.ERROR and same(attempt):
            kept = [] if resets and attempt.outcome is Outcome.APPROVED else [*kept, attempt]
    return kept


def refused(attempt: Attempt) -> bool:
    return attempt.outcome in {Outcome.DECLINED, Outcome.UNKNOWN}


def retries_within(kept: Sequence[Attempt], at: datetime, window: timedelta) -> int:
    def follows_a_refusal(i: int) -> bool:
        return any(refused(kept[j]) and kept[i].at - kept[j].at < window for j in range(i))

    return sum(1 for i, attempt in enumerate(kept) if at - attempt.at < window and follows_a_refusal(i))


def is_retry(kept: Sequence[Attempt], at: datetime, window: timedelta) -> bool:
    return any(refused(a) and at - a.at < window for a in kept)


def refusals_within(kept: Sequence[Attempt], at: datetime, window: timedelta) -> int:
    return sum(1 for a in kept if refused(a) and at - a.at < window)


def prepared(attempts: Sequence[Attempt], on: Method, initiator: Initiator, country: str) -> ProposalVerdicts:
    methods = [card(on.network, Credential.PAN), card(on.network, Credential.NETWORK_TOKEN)]
    payment = a_payment(merchant_country=country)
    tally = tally_of(a_context(attempts, *methods, payment=payment))
    return prepare(BOOK, tally, Proposal(payment, on, "north", initiator))


def by_rule(found: Sequence[Verdict]) -> dict[str, Verdict]:
    return {verdict.rule_id: verdict for verdict in found}


@settings(max_examples=300, deadline=None)
@given(
    histories(Network.VISA),
    st.sampled_from([Credential.PAN, Credential.NETWORK_TOKEN]),
    st.sampled_from(Initiator),
    later,
)
def test_visa_counters_agree(attempts: list[Attempt], form: Credential, initiator: Initiator, wait: float) -> None:
    on, at = card(Network.VISA, form), NOW + timedelta(hours=wait)

    def same(a: Attempt) -> bool:
        alike = a.initiator is initiator or Initiator.UNKNOWN in (a.initiator, initiator)
        return a.method_id == on.method_id and a.amount == AMOUNT and alike

    # Whose approval it was, and whose counter it is, must be known for the one to clear the other.
    kept: list[Attempt] = []
    for attempt in counted(attempts, same, resets=False):
        if refused(attempt):
            kept.append(attempt)
        elif attempt.initiator is initiator is not Initiator.UNKNOWN:
            kept.clear()
    found = by_rule(prepared(attempts, on, initiator, "DE").at(at))
    caps = [verdict for rule, verdict in found.items() if rule.startswith("visa-cat") and verdict.limit is not None]
    last = [a for a in kept if a.decline][-1:]
    assert len(caps) == (0 if last and last[0].decline and last[0].decline.code == "41" else 1)
    for cap in caps:
        assert cap.used == retries_within(kept, at, MONTH)
        assert cap.allowed is (cap.used < 3 or not is_retry(kept, at, MONTH))

    on_card = counted(attempts, lambda a: a.method_id == on.method_id, resets=False)
    lost = any(a.decline is not None and a.decline.code == "41" for a in on_card)
    assert ("visa-cat1-never-reattempt" in found) is lost


@settings(max_examples=300, deadline=None)
@given(histories(Network.MASTERCARD), st.sampled_from([Credential.PAN, Credential.NETWORK_TOKEN]), later)
def test_mastercard_counters_and_waits_agree(attempts: list[Attempt], form: Credential, wait: float) -> None:
    on, at = card(Network.MASTERCARD, form), NOW + timedelta(hours=wait)
    found = by_rule(prepared(attempts, on, Initiator.MERCHANT, "US").at(at))

    on_card = counted(attempts, lambda a: a.method_id == on.method_id, resets=True)
    day = found["mastercard-tpe-24h-excessive-attempts"]
    assert (day.used, day.allowed) == (refusals_within(on_card, at, DAY), refusals_within(on_card, at, DAY) < 2)

    amount = counted(attempts, lambda a: a.method_id == on.method_id and a.amount == AMOUNT, resets=False)
    month = found["mastercard-tpe-30d-excessive-attempts"]
    assert (month.used, month.allowed) == (refusals_within(amount, at, MONTH), refusals_within(amount, at, MONTH) < 4)

    mine = counted(attempts, lambda a: a.method_id == on.method_id and a.payment_id == "pay", resets=True)
    asked = [a.at + timedelta(hours=a.decline.min_wait_hours) for a in mine if a.decline and a.decline.min_wait_hours]
    waits = found.get("mastercard-mac-wait-times")
    assert (waits is None) is (not asked)
    if waits:
        assert waits.allowed is (at >= max(asked))
        assert waits.frees_at == (None if waits.allowed else max(asked))

    ever = counted(attempts, lambda a: a.method_id == on.method_id, resets=False)
    stopped = [a.at + MONTH for a in ever if a.decline and a.decline.advice_code == "03"]
    stop = found.get("mastercard-mac-03-21-no-retry")
    assert (stop is None) is (not stopped)
    assert stop is None or stop.allowed is (at >= max(stopped))


@settings(max_examples=200, deadline=None)
@given(histories(Network.MASTERCARD), later)
def test_brazilian_retries_agree(attempts: list[Attempt], wait: float) -> None:
    on, at = card(Network.MASTERCARD, Credential.PAN), NOW + timedelta(hours=wait)
    kept = counted(attempts, lambda a: a.method_id == on.method_id, resets=False)
    verdict = by_rule(prepared(attempts, on, Initiator.MERCHANT, "BR").at(at))["mastercard-tpe-24h-brazil"]
    assert verdict.used == retries_within(kept, at, DAY)
    assert verdict.allowed is (verdict.used < 2 or not is_retry(kept, at, DAY))


@settings(max_examples=200, deadline=None)
@given(histories(Network.DINERS), later)
def test_our_own_card_default_agrees(attempts: list[Attempt], wait: float) -> None:
    on, at = card(Network.DINERS, Credential.PAN), NOW + timedelta(hours=wait)
    kept = counted(attempts, lambda a: a.method_id == on.method_id, resets=True)
    verdict = by_rule(prepared(attempts, on, Initiator.MERCHANT, "DE").at(at))["recoup-card-30d"]
    assert verdict.used == retries_within(kept, at, MONTH)
    assert verdict.allowed is (verdict.used < 2 or not is_retry(kept, at, MONTH))


@settings(max_examples=200, deadline=None)
@given(st.one_of(histories(Network.VISA), histories(Network.MASTERCARD)), st.sampled_from(["US", "BR"]))
def test_what_frees_frees_exactly_then(attempts: list[Attempt], country: str) -> None:
    network = (
        Network.MASTERCARD if any(a.decline and a.decline.network == "mastercard" for a in attempts) else Network.VISA
    )
    answers = prepared(attempts, card(network, Credential.PAN), Initiator.MERCHANT, country)
    for verdict in answers.at(NOW):
        if verdict.frees_at is not None:
            assert not verdict.allowed
            assert not by_rule(answers.at(verdict.frees_at - TICK))[verdict.rule_id].allowed
            assert by_rule(answers.at(verdict.frees_at))[verdict.rule_id].allowed
        elif not verdict.allowed:
            assert not by_rule(answers.at(NOW + timedelta(days=3000)))[verdict.rule_id].allowed


@settings(max_examples=100, deadline=None)
@given(histories(Network.MASTERCARD), st.lists(later, min_size=1, max_size=20))
def test_an_answer_looked_up_is_the_answer_worked_out(attempts: list[Attempt], waits: list[float]) -> None:
    on = card(Network.MASTERCARD, Credential.PAN)
    payment = a_payment(merchant_country="US")
    tally = tally_of(a_context(attempts, on, payment=payment))
    proposal = Proposal(payment, on, "north")
    shared = prepare(BOOK, tally, proposal)
    for wait in waits:
        at = NOW + timedelta(hours=wait)
        assert shared.at(at) == verdicts(BOOK, tally, proposal, at)
        assert shared.allows(at) is all(verdict.allowed for verdict in shared.at(at))


def greedy(on: Method, code: str, *, step: timedelta, until: timedelta, country: str = "US") -> list[Attempt]:
    """A caller that attempts whenever the shipped rules allow it, and is always declined."""
    payment, tally, made = a_payment(merchant_country=country), Tally(), list[Attempt]()
    at = NOW
    while at < NOW + until:
        if prepare(Rulebook.load(), tally, Proposal(payment, on, "north")).allows(at):
            made.append(an_attempt(0, code, method=on, before=at))
            tally = tally.plus(event_of(made[-1], on, payment.merchant_id))
        at += step
    return made


def most_within(made: Sequence[Attempt], window: timedelta) -> int:
    return max(sum(1 for b in made if timedelta(0) <= b.at - a.at < window) for a in made)


def test_a_greedy_caller_never_makes_a_sixteenth_visa_retry_in_any_thirty_days() -> None:
    made = greedy(a_method(), "51", step=timedelta(hours=5), until=timedelta(days=100))
    assert most_within(made[1:], MONTH) == 15
    assert most_within(made, MONTH) == 16
    assert len(made) > 32


def test_a_greedy_caller_never_has_an_eighth_mastercard_decline_in_a_day_nor_a_36th_in_thirty() -> None:
    made = greedy(a_method(Network.MASTERCARD), "51", step=timedelta(hours=1), until=timedelta(days=70))
    assert most_within(made, DAY) == 7
    assert most_within(made, MONTH) == 35
    assert len(made) > 70


def test_a_greedy_caller_presents_a_debit_three_times_in_all() -> None:
    debit = a_method(Network.ACH, rail=Rail.BANK_DEBIT)
    assert len(greedy(debit, "R01", step=timedelta(hours=18), until=timedelta(days=400))) == 3


def test_a_greedy_caller_stops_at_the_first_code_that_forbids() -> None:
    assert len(greedy(a_method(), "43", step=timedelta(hours=18), until=timedelta(days=400))) == 1
