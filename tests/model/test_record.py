"""What is held for later counts for whatever comes before it, and that is found out in a few preparations."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest

from cap_builders import NOW, a_context, a_method, an_attempt, hours
from features.instants import to_micros
from features.method import Method
from features.vocabulary import Initiator, Network, Outcome, Precision, Rail
from fuzz.brute import Known
from fuzz.histories import Scene, scene
from model import record as module
from model.candidates import candidates
from model.caps.engine import Proposal, ProposalVerdicts, prepare
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of
from model.caps.verdict import Verdict
from model.decision import StopReason
from model.explanation import stop_reason
from model.record import NOTHING, Halt, Judge, Record, recorded_tally

BOOK = Rulebook.load()
HOUR = timedelta(hours=1)


def by_definition(
    rulebook: Rulebook, tally: Tally, proposal: Proposal, now: datetime, at: datetime
) -> tuple[Verdict, ...]:
    """Every instant prepared anew, with all that is later put at that instant."""
    micros, touches = to_micros(at), proposal.counter.touches
    last = max((e.at for e in tally.events if e.at > to_micros(now) and touches(e)), default=to_micros(now))
    if micros >= last:
        return prepare(rulebook, tally, proposal).at(at)
    moved = (e if e.at <= micros else replace(e, at=micros, earliest=min(e.earliest, micros)) for e in tally.events)
    ordered = Tally(tuple(sorted(moved, key=lambda event: (event.at, event.attempt_id))))
    return prepare(rulebook, ordered, proposal).at(at)


def ahead(random: Random, drawn: Scene) -> list[Known]:
    """Holds, and at times attempts that somebody reports from a clock of his own, after the scene's now."""
    found = []
    for number in range(random.choice((1, 1, 2, 4))):
        wait = random.choice((HOUR, 25 * HOUR, timedelta(minutes=random.randrange(1, 50 * 24 * 60))))
        attempt = replace(
            an_attempt(0, outcome=Outcome.UNKNOWN, before=drawn.now + wait),
            attempt_id=random.choice(("", "z")) + f"hold{number}",
            payment_id=random.choice(("pay", "other", "third")),
            processor=random.choice(drawn.kind.processors),
            amount=drawn.payment.amount,
            initiator=random.choice((Initiator.MERCHANT, Initiator.MERCHANT, Initiator.CUSTOMER)),
            precision=random.choice((Precision.INSTANT,) * 5 + (Precision.DAY,)),
        )
        if random.random() < 0.1:
            attempt = replace(attempt, outcome=Outcome.APPROVED)
        found.append(Known(attempt, random.choice(drawn.methods), "acme"))
    return found


def events(known: list[Known]) -> Tally:
    made = [event_of(k.attempt, k.method, k.merchant_id) for k in known if k.attempt.outcome is not Outcome.ERROR]
    return Tally(tuple(sorted(made, key=lambda event: (event.at, event.attempt_id))))


def instants(random: Random, drawn: Scene, tally: Tally) -> list[datetime]:
    """Now, random ones, and those around what is ahead and around windows that end meanwhile."""
    now = to_micros(drawn.now)
    edges = [e.at for e in tally.events if e.at > now]
    edges += [e.latest + days * 24 * 3_600_000_000 for e in tally.events for days in (1, 30)]
    edges = [edge for edge in edges if now < edge < now + 60 * 24 * 3_600_000_000]
    chosen = random.sample(edges, min(4, len(edges)))
    found = [drawn.now, *(drawn.now + random.random() * timedelta(days=50) for _ in range(6))]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found += [epoch + timedelta(microseconds=edge + step) for edge in chosen for step in (-1, 0, 1)]
    return sorted(found) if random.random() < 0.7 else random.sample(found, len(found))


@pytest.mark.parametrize("seed", range(4))
def test_every_instant_is_answered_as_if_it_had_been_prepared_anew(seed: int) -> None:
    random, differing = Random(seed), 0
    for _ in range(120):
        drawn = scene(random)
        tally = events([*drawn.history, *ahead(random, drawn)])
        proposal = Proposal(drawn.payment, random.choice(drawn.methods), random.choice(drawn.kind.processors))
        judge = Judge(BOOK, tally, proposal, drawn.now)
        unmoved = prepare(BOOK, tally, proposal)
        for at in instants(random, drawn, tally):
            expected = by_definition(BOOK, tally, proposal, drawn.now, at)
            assert judge.at(at) == expected, (proposal, at, tally)
            differing += expected != unmoved.at(at)
    assert differing > 50, "what is ahead made no difference, so that nothing was proved"


@pytest.mark.parametrize("seed", range(3))
def test_slots_asked_together_are_answered_as_one_by_one(seed: int) -> None:
    random, together = Random(seed), 0
    for _ in range(80):
        drawn = scene(random)
        later = ahead(random, drawn) if random.random() < 0.5 else []
        proposal = Proposal(drawn.payment, random.choice(drawn.methods), random.choice(drawn.kind.processors))
        tally = events([*drawn.history, *later])
        starts = np.array([to_micros(at) for at in instants(random, drawn, tally)], dtype=np.int64)
        ends = starts + random.choice((1, 3_600_000_000, 7 * 3_600_000_000))
        judge, apart = (Judge(BOOK, tally, proposal, drawn.now) for _ in range(2))
        found = list(judge.throughout_each(starts, ends))
        assert sorted(place for places, _ in found for place in places.tolist()) == list(range(len(starts)))
        for places, said in found:
            together += len(places) > 1
            for place in places.tolist():
                assert said == apart.throughout(int(starts[place]), int(ends[place]))
    assert together > 40, "nothing was asked together, so that nothing was proved"


@pytest.mark.parametrize(
    ("method", "code", "most"),
    [
        (a_method(), "51", 6),
        (a_method(Network.MASTERCARD, country="US"), "51", 6),
        (a_method(Network.SEPA_CORE, "sepa", Rail.BANK_DEBIT, mandate_id="m1"), "AM04", 70),
    ],
)
def test_a_hold_far_ahead_costs_few_preparations(
    method: Method, code: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = a_context([an_attempt(30 * i + 1, code, method=method) for i in range(5)], method)
    context = replace(context, methods=(replace(method, processors=("north",)),))
    hold = an_attempt(0, payment_id="later", method=method, outcome=Outcome.UNKNOWN, before=NOW + hours(24 * 45))
    record = Record(events=(event_of(hold, method, "acme"),))
    prepared = []

    def counted(*asked: object) -> ProposalVerdicts:
        prepared.append(asked)
        return prepare(*asked)  # type: ignore[arg-type]  # handed through as they came

    monkeypatch.setattr(module, "prepare", counted)
    proposed = candidates(context, NOW + timedelta(days=60))
    proposal = Proposal(context.payment, method, "north", decided_at=context.as_of)
    judge = Judge(BOOK, recorded_tally(context, record), proposal, context.as_of, record)
    asked = list(judge.throughout_each(proposed.start, proposed.end))
    assert sum(len(places) for places, _ in asked) == len(proposed) > 30
    assert 2 <= len(prepared) <= most


def event(name: str, outcome: Outcome, code: str | None = None) -> Event:
    return event_of(replace(an_attempt(1, code, outcome=outcome), attempt_id=name), a_method(), "acme")


def test_the_records_word_counts_unless_only_the_request_knows_the_outcome() -> None:
    context = a_context([replace(an_attempt(1, "51"), attempt_id="a")])
    declined, pending = event("a", Outcome.DECLINED, "54"), event("a", Outcome.UNKNOWN)
    (one,) = recorded_tally(context, Record((declined,))).events
    assert one == declined
    (one,) = recorded_tally(context, Record((pending,))).events
    assert one.outcome is Outcome.DECLINED
    assert {e.attempt_id for e in recorded_tally(context, Record((event("b", Outcome.UNKNOWN),))).events} == {"a", "b"}


def test_nothing_on_record_halts_nothing() -> None:
    assert NOTHING.halt is None
    assert Record(halt=Halt(StopReason.ALREADY_PAID, ("Paid.",))) != NOTHING


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_to_stop_has_a_sentence(reason: StopReason) -> None:
    said = stop_reason(a_context([an_attempt(5)]), reason, None).sentence
    assert said.endswith(".")
    assert "{" not in said
