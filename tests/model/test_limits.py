"""Looking only at rules that may forbid something takes away what all rules take away, whatever is on record."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from cap_builders import an_attempt
from features.context import Context
from features.instants import to_micros
from features.proposed import Proposed
from features.vocabulary import Outcome
from fuzz.histories import known, rulebooks, scene
from model.candidates import candidates
from model.caps.prescreen import NONE
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, event_of
from model.limits import Limits, Verdicts
from model.record import Judge, Record, recorded_tally
from model.screening import screen

SCENES = 100


def drawn(random: Random) -> tuple[Context, Record, Proposed]:
    """A failed payment, what is on record besides, some of it still ahead, and a few retries around its windows."""
    found = scene(random)
    attempts = [one.attempt for one in found.history if one.attempt.outcome is not Outcome.APPROVED]
    own = [replace(attempt, payment_id="pay") if random.random() < 0.6 else attempt for attempt in attempts]
    payment = replace(found.payment, recover_by=found.now + timedelta(days=60))
    processors = random.choice((found.kind.processors[:3], ("north", "south", found.kind.processors[0])))
    methods = tuple(replace(method, processors=processors) for method in found.methods)
    context = Context(payment, methods, tuple(own), found.now)
    recorded: list[Event] = []
    for number in range(random.choice((0, 0, 1, 3))):
        later = timedelta(minutes=random.randrange(1, 50 * 24 * 60))
        method = random.choice(methods)
        hold = an_attempt(0, method=method, outcome=Outcome.UNKNOWN, before=found.now + later)
        hold = replace(hold, attempt_id=f"hold {number}", payment_id=random.choice(("pay", "other")))
        recorded.append(event_of(hold, method, payment.merchant_id))
    if random.random() < 0.3:
        told = known(random, found.kind, payment, found.methods, found.now + timedelta(days=random.randrange(1, 40)))
        recorded.append(event_of(replace(told.attempt, attempt_id="told"), told.method, payment.merchant_id))
    every = candidates(context, payment.recover_by)
    places = sorted(random.sample(range(len(every)), min(30, len(every))))
    return context, Record(events=tuple(recorded)), Proposed.of(every[place] for place in places)


def judged(context: Context, record: Record, book: Rulebook, route: tuple[str, str]) -> Judge:
    proposal = Proposal(context.payment, context.method(route[0]), route[1], decided_at=context.as_of)
    return Judge(book, recorded_tally(context, record), proposal, context.as_of, record)


def test_what_is_left_and_what_is_said_of_it_is_that_of_all_rules() -> None:
    random, forbidden, unasked = Random(20_261_129), 0, 0
    for _ in range(SCENES):
        (context, record, proposed), book = drawn(random), random.choice(rulebooks())
        judges = {route: judged(context, record, book, route) for route in proposed.routes}
        said = [
            judges[retry.method_id, retry.processor].throughout(retry.slot.start_micros, retry.slot.end_micros)
            for retry in proposed
        ]
        found = screen(context, proposed, book, record)
        assert list(found.allowed) == [retry for retry, (free, _) in zip(proposed, said, strict=True) if free]
        assert list(found.verdicts) == [verdicts for free, verdicts in said if free]
        refusing = {
            (retry.method_id, verdict.rule_id)
            for retry, (_, verdicts) in zip(proposed, said, strict=True)
            for verdict in verdicts
            if not verdict.allowed
        }
        assert {(removed.method_id, removed.verdict.rule_id) for removed in found.removed} == refusing
        forbidden += bool(refusing)
        unasked += all(found.limits.ground(route).suspects(more=0) == NONE for route in proposed.routes)
    assert forbidden > SCENES / 10, "too little was forbidden for this to prove anything"
    assert unasked > SCENES / 20, "something was always asked, so that looking first is of no use"


def test_routes_share_what_is_known_of_them_only_where_every_rule_says_the_same_of_both() -> None:
    random, shared, apart = Random(20_261_130), 0, 0
    for _ in range(SCENES):
        (context, record, proposed), book = drawn(random), random.choice(rulebooks())
        limits = Limits(context, book, record)
        for route in proposed.routes:
            other = random.choice(proposed.routes)
            if limits.ground(route) is not limits.ground(other):
                apart += route[0] == other[0]
                continue
            shared += route != other
            at = context.as_of + timedelta(days=random.randrange(40))
            assert judged(context, record, book, route).at(at) == judged(context, record, book, other).at(at)
    assert min(shared, apart) > SCENES / 20, "too few routes were shared, or told apart, to prove anything"


def test_what_is_said_of_a_retry_is_found_by_its_place_and_in_parts() -> None:
    random = Random(5)
    context, record, proposed = next(found for found in iter(lambda: drawn(random), None) if len(found[2]) > 6)
    verdicts = Verdicts(Limits(context, Rulebook.load(), record), proposed)
    every = list(verdicts)
    assert len(verdicts) == len(every) == len(proposed)
    assert verdicts[2:5] == tuple(every[2:5])
    assert verdicts[-1] == every[-1]
    assert to_micros(context.as_of) <= int(proposed.start[0])
