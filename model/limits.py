"""The rules about one payment as it stands: which of them may forbid an attempt by a route, and what all of them say.

Nearly every attempt is far from every limit. What is known of a route - which rules its past sets off, how many
attempts more every cap bears - is worked out once a decision, for screening and for planning, and once for all routes
that no rule tells apart. The rules' own engine is then asked only where one may forbid something, and where a person
reads what they say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from features.context import Context
from features.instants import to_micros
from features.proposed import Proposed, Route
from model.caps.prescreen import NONE, Prescreen, prescreen_of
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import Tally
from model.caps.verdict import Verdict
from model.record import Judge, Record, recorded_tally


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of some routes before anything is imagined.

    Args:
        proposal: An attempt by one of them; the rules say the same of an attempt by any other.
        screen: The rules that bind it.
        set_off: Those that something which happened may have set off.
        bearable: How many attempts more every cap bears, as `Prescreen.bearable` gives them.
    """

    proposal: Proposal
    screen: Prescreen
    set_off: int
    bearable: tuple[tuple[int, int], ...]

    def suspects(self, more: int, set_off: int = NONE) -> int:
        """The rules that may forbid an attempt after so many more, which set those off."""
        return self.screen.suspects_after(self.bearable, more, self.set_off | set_off)


class Limits:
    """The rules about one payment.

    Args:
        since: No attempt is asked about before it (microseconds), where that is not the context's instant.
    """

    def __init__(self, context: Context, rulebook: Rulebook, record: Record, since: int | None = None) -> None:
        self.context, self.rulebook, self.record = context, rulebook, record
        self._since = to_micros(context.as_of) if since is None else since
        self._grounds: dict[Route, Ground] = {}
        self._apart: dict[tuple[str, str | None, int], Ground] = {}
        self._judges: dict[int, Judge] = {}

    @cached_property
    def tally(self) -> Tally:
        """Everything that happened."""
        return recorded_tally(self.context, self.record)

    def ground(self, route: Route) -> Ground:
        """What is known of a route; the same for all that no rule tells apart."""
        known = self._grounds.get(route)
        return self._ground(route) if known is None else known

    def judge(self, route: Route) -> Judge:
        """What every rule that binds the route says."""
        ground = self.ground(route)
        judge = self._judges.get(id(ground))
        if judge is None:
            judge = self._judges[id(ground)] = self.held_against(self.rulebook, ground)
        return judge

    def held_against(self, rules: Rulebook, ground: Ground) -> Judge:
        """What some rules say."""
        return Judge(rules, self.tally, ground.proposal, self.context.as_of, self.record)

    def _ground(self, route: Route) -> Ground:
        method_id, processor = route
        proposal = proposal_in(self.context, method_id, processor)
        screen = prescreen_of(self.rulebook.binding(proposal))
        kind = (method_id, processor if screen.tells_processors_apart else None, id(screen))
        ground = self._apart.get(kind)
        if ground is None:
            ground = self._apart[kind] = self._looked_at(proposal, screen)
        self._grounds[route] = ground
        return ground

    def _looked_at(self, proposal: Proposal, screen: Prescreen) -> Ground:
        set_off, events, payment_id = NONE, self.tally.events, proposal.payment.payment_id
        for event in events:
            bits = screen.set_off_by(event)
            # One that lies ahead counts as if made when another is asked about, and so on another day.
            bits |= screen.reading_days if event.at > self._since else NONE
            set_off |= bits if event.payment_id == payment_id else screen.elsewhere(bits)
        return Ground(proposal, screen, set_off, screen.bearable(events, proposal.counter, self._since))


class Verdicts(Sequence[tuple[Verdict, ...]]):
    """Of each retry what every rule says at the start of its slot, or at its end if only there one forbids.

    The rules are asked about a retry when it is looked at, which most never are.
    """

    __slots__ = ("_limits", "_retries")

    def __init__(self, limits: Limits, retries: Proposed) -> None:
        self._limits, self._retries = limits, retries

    def __len__(self) -> int:
        return len(self._retries)

    @overload
    def __getitem__(self, index: int) -> tuple[Verdict, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[Verdict, ...], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[Verdict, ...] | tuple[tuple[Verdict, ...], ...]:
        if isinstance(index, slice):
            return tuple(Verdicts(self._limits, self._retries[index]))
        retries = self._retries
        judge = self._limits.judge(retries.routes[retries.route[index]])
        return judge.throughout(int(retries.start[index]), int(retries.end[index]))[1]

    def __iter__(self) -> Iterator[tuple[Verdict, ...]]:
        return map(self.__getitem__, range(len(self)))


def proposal_in(context: Context, method_id: str, processor: str) -> Proposal:
    """An attempt on the payment with a method through a processor, decided on now."""
    return Proposal(context.payment, context.method(method_id), processor, decided_at=context.as_of)
