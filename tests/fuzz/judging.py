"""Holds the engine against the definitions on one random history after another."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Self

from features.attempt import Attempt
from features.instants import to_micros
from features.vocabulary import Initiator, Outcome
from fuzz.brute import EVER, TICK, Known, Mended, Told, told
from fuzz.histories import Scene, declined_or_not, ordered, rulebooks, scene
from model.caps.engine import Proposal, Verdict, prepare
from model.caps.fixes import Fix, FixKind
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of

_MOST_KEPT = 5
_WAITS_HOURS = (0, 1, 23, 24, 25, 72, 96, 240, 336, 720, 721, 744)


@dataclass
class Score:
    """What was found.

    Args:
        judged: How often every rule was asked.
        made: Attempts that the engine allowed and that were then made.
        over_cap: Of these, how many a definition forbids.
        needless: How often the engine forbids what no definition does.
        unlike: Answers of single rules that differ.
    """

    histories: int = 0
    judged: int = 0
    made: int = 0
    over_cap: int = 0
    needless: int = 0
    unlike: int = 0
    examples: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Score") -> Self:
        for name in ("histories", "judged", "made", "over_cap", "needless", "unlike"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.examples = [*self.examples, *other.examples][:_MOST_KEPT]
        return self

    @property
    def agrees(self) -> bool:
        """Whether nothing at all differs."""
        return not (self.over_cap or self.needless or self.unlike)


def judge(seed: int, histories: int) -> Score:
    """Judge that many random histories; the same seed gives the same ones."""
    random, score = Random(seed), Score()
    for _ in range(histories):
        _judge_one(random, scene(random), random.choice(rulebooks()), score)
        score.histories += 1
    return score


def _judge_one(random: Random, drawn: Scene, book: Rulebook, score: Score) -> None:
    """Ask now and later; make what is allowed; ask again after it."""
    proposal = _proposal(random, drawn, drawn.now)
    history = ordered(drawn.history)
    waits = (timedelta(0), _wait(random))
    allowed_at = _compare(book, history, proposal, [drawn.now + wait for wait in waits], drawn.mended, score)
    if allowed_at is None:
        return
    attempt = Attempt(
        attempt_id="made",
        payment_id=proposal.payment.payment_id,
        method_id=proposal.method.method_id,
        processor=proposal.processor,
        amount=proposal.payment.amount,
        at=allowed_at,
        outcome=Outcome.UNKNOWN,
        initiator=proposal.initiator,
        source="advised",
    )
    score.made += 1
    made = Known(declined_or_not(random, drawn.kind, attempt), proposal.method, "acme")
    later = _proposal(random, drawn, allowed_at)
    _compare(book, ordered((*history, made)), later, [allowed_at + _wait(random)], drawn.mended, score)


def _compare(
    book: Rulebook,
    history: tuple[Known, ...],
    proposal: Proposal,
    instants: list[datetime],
    mended: tuple[Mended, ...],
    score: Score,
) -> datetime | None:
    """Compare at each instant; the first at which the engine allows, or None."""
    tally = Tally(tuple(_event(known) for known in history if known.attempt.outcome is not Outcome.ERROR))
    fixes = [Fix(one.method_id, FixKind(one.what), to_micros(one.at), one.payment_id) for one in mended]
    answers, first = prepare(book, tally, proposal, fixes=fixes), None
    for at in instants:
        found = answers.at(at)
        expected = told(book, history, proposal, at, mended)
        _tell(found, expected, (proposal, "at", at, "after", history, "and", mended), score)
        if first is None and answers.allows(at):
            first = at
    freed = next((v for v in answers.at(instants[0]) if v.frees_at is not None), None)
    if freed is not None and freed.frees_at is not None and freed.frees_at < EVER:
        for at in (freed.frees_at - TICK, freed.frees_at):
            expected = told(book, history, proposal, at, mended)
            _tell(answers.at(at), expected, (freed.rule_id, "freeing at", at), score)
    return first


def _tell(found: tuple[Verdict, ...], expected: dict[str, Told], story: tuple[object, ...], score: Score) -> None:
    score.judged += 1
    theirs = {v.rule_id: (v.allowed, v.used) for v in found}
    ours = {rule: (each.allowed, each.used) for rule, each in expected.items()}
    unlike = {rule for rule in theirs.keys() | ours.keys() if theirs.get(rule) != ours.get(rule)}
    allows, may = all(v.allowed for v in found), all(each.allowed for each in expected.values())
    score.unlike += len(unlike)
    score.over_cap += allows and not may
    score.needless += may and not allows
    if unlike and len(score.examples) < _MOST_KEPT:
        differing = {rule: (theirs.get(rule), ours.get(rule)) for rule in sorted(unlike)}
        score.examples.append(f"{differing}: {' '.join(map(str, story))}")


def _event(known: Known) -> Event:
    return event_of(known.attempt, known.method, known.merchant_id)


def _proposal(random: Random, drawn: Scene, decided_at: datetime) -> Proposal:
    return Proposal(
        drawn.payment,
        random.choice(drawn.methods),
        random.choice(drawn.kind.processors),
        random.choice((Initiator.MERCHANT, Initiator.MERCHANT, Initiator.CUSTOMER, Initiator.UNKNOWN)),
        decided_at=random.choice((None, decided_at)),
    )


def _wait(random: Random) -> timedelta:
    if random.random() < 0.5:
        return timedelta(hours=random.choice(_WAITS_HOURS))
    return timedelta(minutes=random.randrange(60 * 24 * 60))
