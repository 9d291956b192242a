"""The rules about one payment after declines that have not happened: which may forbid what, and what they say.

Nearly every attempt is far from every limit. What is known of each route before anything is imagined - which rules its
past sets off, how many attempts more every cap bears - is worked out once; a few more declines are then mostly seen to
change nothing, and only what may forbid is asked of the rules' own engine, with the declines in its counters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_DAY, MICROSECOND, to_micros
from features.vocabulary import Outcome
from model.caps.prescreen import NONE, Prescreen, prescreen_of
from model.caps.proposal import Proposal
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of
from model.planning.imagined import Imagining, answer_time
from model.record import Judge, Record, recorded_tally

Route = tuple[str, str]
"""Method and processor."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of a route before anything is imagined.

    Args:
        screen: The rules that bind it.
        set_off: Those that something which happened may have set off.
        bearable: How many attempts more every cap bears, as `Prescreen.bearable` gives them.
        imagined: What declines by each route that are imagined set off here, whatever their day; remembered.
        ended: The same by how they ended and, where rules ask for it, on which day.
    """

    screen: Prescreen
    set_off: int
    bearable: tuple[tuple[int, int], ...]
    imagined: dict[Route, int] = field(default_factory=dict)
    ended: dict[tuple[Outcome, int, str | None, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Referee:
    """The rules about one payment, with declines that have not happened."""

    context: Context
    rulebook: Rulebook
    record: Record

    def after(self, declined: Sequence[Retry], more: int = 0) -> "Judging":
        """What the rules say once these retries, in order of time, were all declined.

        Args:
            more: Limits that leave more attempts than so many may go unmentioned.
        """
        return Judging(self, declined, more)

    def suspects(self, route: Route, declined: Sequence[Retry], more: int) -> tuple[Prescreen, int]:
        """(the rules that bind a route, the set of those that may forbid it after the declines or so many more)."""
        ground = self._grounds.get(route) or self._ground(route)
        set_off = ground.set_off
        for number, retry in enumerate(declined):
            bits = ground.imagined.get((retry.method_id, retry.processor))
            set_off |= self._set_off_by(ground, number, retry) if bits is None else bits
        return ground.screen, ground.screen.suspects_after(ground.bearable, len(declined) + more, set_off)

    def event(self, number: int, retry: Retry) -> Event:
        """The decline of a retry that stands at that place of a path; it may be made at any instant of its slot."""
        attempt = self.imagining.attempt(number, retry)
        event = event_of(attempt, self.context.method(retry.method_id), self.context.payment.merchant_id)
        return replace(event, latest=max(event.latest, retry.slot.end_micros - 1))

    def known_at(self, retry: Retry) -> int:
        """When a decline of the retry would be known, microseconds."""
        return retry.slot.start_micros + self.answer_micros(retry.method_id)

    def answer_micros(self, method_id: str) -> int:
        """How long the answer to an attempt with the method takes, microseconds."""
        known = self._answer_micros.get(method_id)
        if known is None:
            known = self._answer_micros[method_id] = answer_time(self.context, method_id) // MICROSECOND
        return known

    def first_breach(self, path: Sequence[Retry]) -> int | None:
        """Position of the first retry of a path that may not be made after the declines before it, or None."""
        for step in range(1, len(path)):
            overlaps = path[step].slot.start_micros < path[step - 1].slot.end_micros
            if overlaps or not self.after(path[:step]).allows(path[step]):
                return step
        return None

    def proposal(self, route: Route, at: Context) -> Proposal:
        """An attempt by the route that is decided on in a context."""
        method_id, processor = route
        return Proposal(self.context.payment, self.context.method(method_id), processor, decided_at=at.as_of)

    def _ground(self, route: Route) -> Ground:
        proposal = self.proposal(route, self.context)
        screen, set_off = prescreen_of(self.rulebook.binding(proposal)), NONE
        for event in self.tally.events:
            bits = screen.set_off_by(event)
            set_off |= bits if event.payment_id == proposal.payment.payment_id else screen.elsewhere(bits)
        bearable = screen.bearable(self.tally.events, proposal.counter, to_micros(self.context.as_of))
        ground = self._grounds[route] = Ground(screen, set_off, bearable)
        return ground

    def _set_off_by(self, ground: Ground, number: int, retry: Retry) -> int:
        """What a decline of the retry sets off: by how it ends, as all of one route do, and, if rules ask, its day."""
        route = (retry.method_id, retry.processor)
        like = self._like.get(route)
        if like is None:
            like = self._like[route] = self.event(number, retry)
        by_day = ground.screen.reads_days
        day = retry.slot.start_micros // MICROS_PER_DAY if by_day else 0
        ended = (like.outcome, id(like.decline), like.network_code, day)
        bits = ground.ended.get(ended)
        if bits is None:
            bits = ground.ended[ended] = ground.screen.set_off_by(self.event(number, retry) if by_day else like)
        if not by_day:
            ground.imagined[route] = bits
        return bits

    @cached_property
    def tally(self) -> Tally:
        """Everything that happened."""
        return recorded_tally(self.context, self.record)

    @cached_property
    def imagining(self) -> Imagining:
        """Makes the declines that have not happened."""
        return Imagining(self.context)

    @cached_property
    def _grounds(self) -> dict[Route, Ground]:
        return {}

    @cached_property
    def _like(self) -> dict[Route, Event]:
        """A decline by each route."""
        return {}

    @cached_property
    def _answer_micros(self) -> dict[str, int]:
        return {}


class Judging:
    """What the rules say about any retry once some were declined."""

    def __init__(self, referee: Referee, declined: Sequence[Retry], more: int) -> None:
        self._referee, self._declined, self._more = referee, declined, more
        self._kinds: dict[tuple[object, ...], Judge] = {}

    def allows(self, retry: Retry) -> bool:
        """Whether no rule forbids it, at the first and at the last instant of its slot."""
        known = [to_micros(self._referee.context.as_of), *map(self._referee.known_at, self._declined)]
        if retry.slot.start_micros < max(known):
            return False
        judge = self.judge((retry.method_id, retry.processor))
        return judge is None or judge.throughout(retry.slot.start_micros, retry.slot.end_micros)[0]

    def judge(self, route: Route) -> Judge | None:
        """The rules about the route, one judge for all routes of a method that the same rules look at alike.

        None where no rule can forbid an attempt by the route, at any instant.
        """
        screen, suspects = self._referee.suspects(route, self._declined, self._more)
        if suspects == NONE:
            return None
        rules = screen.rulebook(suspects)
        apart = any(KeyPart.PROCESSOR in rule.key for rule in rules.rules)
        kind = (route[0], route[1] if apart else None, *map(id, rules.rules))
        if kind not in self._kinds:
            self._kinds[kind] = self.held_against(rules, route)
        return self._kinds[kind]

    def held_against(self, rules: Rulebook, route: Route) -> Judge:
        """Those rules about the route, with the declines in their counters."""
        proposal, record = self._referee.proposal(route, self._imagined), self._referee.record
        return Judge(rules, self._tally, proposal, self._imagined.as_of, record)

    @cached_property
    def _imagined(self) -> Context:
        return self._referee.imagining.after(self._declined)

    @cached_property
    def _tally(self) -> Tally:
        imagined = [self._referee.event(number, retry) for number, retry in enumerate(self._declined)]
        events = [*self._referee.tally.events, *imagined]
        return Tally(tuple(sorted(events, key=lambda event: (event.at, event.attempt_id))))
