"""The rules about one payment after declines that have not happened: which may forbid what, and what they say.

Nearly every attempt is far from every limit. With what is known of each route before anything is imagined
(`model/limits.py`) a few more declines are mostly seen to change nothing, and only what may forbid is asked of the
rules' own engine, with the declines in its counters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from features.action import Retry
from features.context import Context
from features.decline import Decline
from features.instants import MICROSECOND, to_micros
from features.proposed import Route
from features.vocabulary import Outcome
from model.caps.prescreen import NONE, Prescreen
from model.caps.proposal import Proposal
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of
from model.limits import Ground, Limits
from model.planning.imagined import Imagining
from model.record import Judge


@dataclass(frozen=True)
class Referee:
    """The rules about one payment, with declines that have not happened.

    Args:
        limits: The rules before anything is imagined.
    """

    limits: Limits

    @property
    def context(self) -> Context:
        """The payment as it stands."""
        return self.limits.context

    def after(self, declined: Sequence[Retry], more: int = 0) -> "Judging":
        """What the rules say once these retries, in order of time, were all declined.

        Args:
            more: Limits that leave more attempts than so many may go unmentioned.
        """
        return Judging(self, declined, more)

    def clears(self, routes: Iterable[Route], most: int) -> bool:
        """Whether no rule can forbid an attempt by any of some routes after so many declines by any of them."""
        routes = tuple(routes)
        grounds = {id(ground): ground for ground in map(self.limits.ground, routes)}
        if any(ground.screen.reads_days for ground in grounds.values()):
            return False
        ends = {id(like): like for like in map(self._like, routes)}
        for ground in grounds.values():
            set_off = NONE
            for like in ends.values():
                set_off |= ground.screen.set_off_by(like)
            if ground.suspects(most, set_off) != NONE:
                return False
        return True

    def suspects(self, route: Route, declined: Sequence[Retry], more: int) -> tuple[Prescreen, int]:
        """(the rules that bind a route, the set of those that may forbid it after the declines or so many more)."""
        ground, set_off = self.limits.ground(route), NONE
        for number, retry in enumerate(declined):
            set_off |= self._set_off_by(ground, number, retry)
        return ground.screen, ground.suspects(len(declined) + more, set_off)

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
        return self.imagining.answer_time(method_id) // MICROSECOND

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

    def _set_off_by(self, ground: Ground, number: int, retry: Retry) -> int:
        """What a decline of the retry sets off: as any other that ends so does, unless rules ask for its day."""
        if ground.screen.reads_days:
            return ground.screen.set_off_by(self.event(number, retry))
        like = self._like((retry.method_id, retry.processor))
        asked = (id(ground), id(like))
        bits = self._imagined.get(asked)
        if bits is None:
            bits = self._imagined[asked] = ground.screen.set_off_by(like)
        return bits

    def _like(self, route: Route) -> Event:
        """A decline by the route at any instant; the same for all routes by which declines end alike."""
        known = self._likes.get(route)
        if known is None:
            attempt, method = self.imagining.like(route), self.context.method(route[0])
            event = event_of(attempt, method, self.context.payment.merchant_id)
            ended = (event.outcome, event.decline, event.network_code)
            known = self._likes[route] = self._ends.setdefault(ended, event)
        return known

    @cached_property
    def imagining(self) -> Imagining:
        """Makes the declines that have not happened."""
        return Imagining(self.context)

    @cached_property
    def _likes(self) -> dict[Route, Event]:
        return {}

    @cached_property
    def _ends(self) -> dict[tuple[Outcome, Decline | None, str | None], Event]:
        return {}

    @cached_property
    def _imagined(self) -> dict[tuple[int, int], int]:
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
        proposal, record = self._referee.proposal(route, self._imagined), self._referee.limits.record
        return Judge(rules, self._tally, proposal, self._imagined.as_of, record)

    @cached_property
    def _imagined(self) -> Context:
        return self._referee.imagining.after(self._declined)

    @cached_property
    def _tally(self) -> Tally:
        imagined = [self._referee.event(number, retry) for number, retry in enumerate(self._declined)]
        events = [*self._referee.limits.tally.events, *imagined]
        return Tally(tuple(sorted(events, key=lambda event: (event.at, event.attempt_id))))
