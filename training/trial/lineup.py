"""Who is on trial: the plan, what it is made of, and every baseline, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.schedules.learnt import BEST_FIXED, CALENDAR, DUE_DAY, FULL
from experiments.world import World
from features.errors import InvalidValueError
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.oracle import Chances, TrueScorer
from model.plan_policies import Greedy, PlanPolicy
from model.policies import NoRetry, Policy
from model.prior import PriorScorer
from model.restricted import Restricted
from model.schedules import NamedDays, Schedule, known_timetables
from model.scorer import Scorer

PLAN, PLAN_OF_CHAMPION, PLAN_ON_PRIOR, GREEDY = "plan", "plan-of-champion", "plan-on-prior", "greedy-net"
NO_CYCLING, NO_ROUTING = "plan-without-cycling", "plan-without-routing"
ORACLE, NO_RETRY = "oracle", "no-retry"
LEARNT = (BEST_FIXED, DUE_DAY, CALENDAR)
KNOWN = tuple(named.name for named in known_timetables(30))
BASELINES = frozenset({PLAN_ON_PRIOR, *LEARNT, *KNOWN, NO_RETRY})
"""What could answer without any trained model, learnt from the same log; a model must be worth more than each."""

NAMES = (
    PLAN,
    PLAN_OF_CHAMPION,
    GREEDY,
    PLAN_ON_PRIOR,
    NO_CYCLING,
    NO_ROUTING,
    *LEARNT,
    *(name + FULL for name in LEARNT),
    *KNOWN,
    NO_RETRY,
    ORACLE,
)

MEANINGS: Mapping[str, str] = {
    PLAN: "the planner on the trained model",
    PLAN_OF_CHAMPION: "the planner on the model that answers now",
    PLAN_ON_PRIOR: "the planner on the shipped prior: no machine learning",
    GREEDY: "the single retry worth most on the same model, as if there were no other",
    NO_CYCLING: "the plan if it could not use another method than the one that failed",
    NO_ROUTING: "the plan if it could not choose the processor",
    ORACLE: "the planner holding the true probabilities: an upper bound, not a policy",
    NO_RETRY: "no retry at all",
    BEST_FIXED: "the best days after the failure, learnt from the same log",
    DUE_DAY: "the best days for each part of the month in which payments fail, learnt from the same log",
    CALENDAR: "the best days of the month, learnt from the same log",
    **{name + FULL: f"{name} fitted on full outcomes, which no merchant has" for name in LEARNT},
}


@dataclass(frozen=True, slots=True)
class LineUp:
    """What policies are made from.

    Args:
        timetables: Learnt ones, by most retries.
        world: Where they are played, for the oracle; None off-policy.
        wanted: Names of the policies wanted; None for all.
        several: Whether there are methods and processors to choose among, so that doing without is worth a try.
        champion: The model that answers now, where another is on trial.
    """

    scorer: Scorer
    rulebook: Rulebook
    economics: Economics
    horizon_days: int
    timetables: Mapping[int, Sequence[NamedDays]]
    world: World | None = None
    wanted: frozenset[str] | None = None
    several: bool = False
    champion: Scorer | None = None

    def policies(self, max_retries: int) -> list[Policy]:
        """The policies of at most so many retries, the plan first."""
        planned = {PLAN: self.scorer, PLAN_ON_PRIOR: PriorScorer()}
        if self.champion is not None:
            planned[PLAN_OF_CHAMPION] = self.champion
        if isinstance(self.world, Chances):
            planned[ORACLE] = TrueScorer(self.world)
        named = (*self.timetables.get(max_retries, ()), *known_timetables(self.horizon_days))
        found: list[Policy] = [self._plan(name, scorer, max_retries) for name, scorer in planned.items()]
        found[1:1] = [self._greedy(max_retries), *(self._without(found[0]) if self.several else ())]
        found += [Schedule(one.name, one.timetable, self.rulebook) for one in named]
        found.append(NoRetry())
        always = {PLAN, PLAN_OF_CHAMPION}
        return [policy for policy in found if self.wanted is None or policy.name in self.wanted | always]

    def _without(self, plan: Policy) -> list[Policy]:
        return [Restricted(plan, NO_CYCLING, cycling=False), Restricted(plan, NO_ROUTING, routing=False)]

    def _greedy(self, max_retries: int) -> Policy:
        return Greedy(self.scorer, self.rulebook, self.economics, max_retries, float(self.horizon_days))

    def _plan(self, name: str, scorer: Scorer, max_retries: int) -> Policy:
        return PlanPolicy(
            scorer,
            self.rulebook,
            self.economics,
            max_retries=max_retries,
            horizon_days=float(self.horizon_days),
            name=name,
        )


def wanted_policies(names: Sequence[str]) -> frozenset[str]:
    """The names, checked; the plan is always among them.

    Raises:
        InvalidValueError: No such policy.
    """
    for name in names:
        if name not in NAMES:
            raise InvalidValueError("--policies", name, f"some of {', '.join(NAMES)}")
    return frozenset({PLAN, *names})
