"""May this be attempted then? Every rule that applies answers, with what is used, what is left and until when."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from features.instants import to_micros
from model.caps.fixes import Fix
from model.caps.gauges import Gauge, counting_gauge, rule_edges
from model.caps.proposal import Proposal
from model.caps.rule import CapRule, Kind
from model.caps.rulebook import Rulebook
from model.caps.shared import Shared
from model.caps.stretches import HoursGauge, stretch_gauge
from model.caps.tally import Tally
from model.caps.verdict import Verdict
from model.caps.volumes import Volumes

_COUNTING = frozenset({Kind.CAP, Kind.PROHIBITION, Kind.CONDITION, Kind.WAIT})
_NO_VOLUMES = Volumes()

__all__ = ["Proposal", "ProposalVerdicts", "Verdict", "Volumes", "prepare", "verdicts"]


class ProposalVerdicts:
    """The answers about one proposal at any instant not before the tally's last event.

    They change at few instants, so each stretch of time is worked out once, when first asked for.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        tally: Tally,
        proposal: Proposal,
        volumes: Volumes = _NO_VOLUMES,
        fixes: Sequence[Fix] = (),
    ) -> None:
        rules = rulebook.binding(proposal)
        shared = Shared(tally, proposal.counter)
        gauges = [g for rule in rules if (g := _gauge_of(rule, shared, proposal, volumes, fixes)) is not None]
        edges = [rule_edges(gauge.rule) for gauge in gauges]
        self._gauges = [(start, end, gauge) for (start, end, *_), gauge in zip(edges, gauges, strict=True)]
        self._clocks = [gauge for gauge in gauges if isinstance(gauge, HoursGauge)]
        self._changes = sorted({at for own, gauge in zip(edges, gauges, strict=True) for at in (*own, *gauge.changes)})
        self._known: dict[int | tuple[int, ...], tuple[bool, tuple[Verdict, ...]]] = {}

    def at(self, instant: datetime) -> tuple[Verdict, ...]:
        """What every rule in force at the instant says, allowed or not, in the order of the rulebook.

        Raises:
            InvalidValueError: The instant has no time zone.
        """
        return self.answer(to_micros(instant))[1]

    def allows(self, instant: datetime) -> bool:
        """Whether no rule forbids the attempt at the instant."""
        return self.answer(to_micros(instant))[0]

    @property
    def changes(self) -> tuple[int, ...] | None:
        """The instants between which every answer is the same, sorted; None where the clock on the wall matters too."""
        return None if self._clocks else tuple(self._changes)

    def answer(self, micros: int) -> tuple[bool, tuple[Verdict, ...]]:
        """(whether no rule forbids the attempt, what every rule says) at an instant in microseconds."""
        at = bisect_right(self._changes, micros)
        stretch = (at, *[clock.stretch(micros) for clock in self._clocks]) if self._clocks else at
        if stretch not in self._known:
            found = tuple(gauge.verdict(micros) for start, end, gauge in self._gauges if start <= micros < end)
            self._known[stretch] = all(verdict.allowed for verdict in found), found
        return self._known[stretch]


def prepare(
    rulebook: Rulebook,
    tally: Tally,
    proposal: Proposal,
    volumes: Volumes = _NO_VOLUMES,
    fixes: Sequence[Fix] = (),
) -> ProposalVerdicts:
    """Select the rules that bind a proposal and hold them against its counters, once for many instants.

    Args:
        volumes: What the merchant has sent altogether; rules of which nothing is known in there say nothing.
        fixes: What was mended about methods, up to the instants that are asked for.
    """
    return ProposalVerdicts(rulebook, tally, proposal, volumes, fixes)


def verdicts(
    rulebook: Rulebook,
    tally: Tally,
    proposal: Proposal,
    at: datetime,
    volumes: Volumes = _NO_VOLUMES,
    fixes: Sequence[Fix] = (),
) -> tuple[Verdict, ...]:
    """What every rule in force says about making the proposed attempt at an instant, allowed or not.

    Args:
        at: Not before the tally's last event; `prepare` serves many instants.
        volumes, fixes: As for `prepare`.

    Raises:
        InvalidValueError: `at` has no time zone.
    """
    return prepare(rulebook, tally, proposal, volumes, fixes).at(at)


def _gauge_of(
    rule: CapRule, shared: Shared, proposal: Proposal, volumes: Volumes, fixes: Sequence[Fix]
) -> Gauge | None:
    if rule.kind in _COUNTING:
        return counting_gauge(rule, shared, proposal, fixes)
    return stretch_gauge(rule, shared, proposal, volumes)
